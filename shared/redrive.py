"""Put dead letters back where they came from: look, then put back, tell of it, and only then take away.

Whatever ends in between, the letter still lies there, and putting it back once more is harmless: the same
letter is the same asynchronous task, and every function may get an event twice.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

from shared import archive
from shared.dead_letters import DeadLetter, read
from shared.errors import FunctionError
from shared.policy import SECOND
from shared.ports import Services
from shared.queues import QueueMessage
from shared.record import digest

LOG = logging.getLogger(__name__)

# As many as one receive gives (media-jobs.md 2).
_BATCH = 16
_LAST_LOOK_SECONDS = 1
_CALL = 15 * SECOND

Outcome = Literal["put back", "left", "failed"]


@dataclass(frozen=True)
class PutBack:
    """What came of one letter; `left` lies there still because nobody can tell what it is."""

    letter: DeadLetter
    outcome: Outcome
    error: FunctionError | None = None


def look(
    services: Services, queue: str, *, functions: Collection[str], limit: int | None = None
) -> Iterator[DeadLetter]:
    """Give what lies in a queue, at most so many letters, and leave it there.

    While it is looked at it is hidden from others, and is in sight again a second after.
    """
    held: list[str] = []
    try:
        for message in _received(services, queue, limit):
            held.append(message.receipt)
            yield read(queue, message, functions=functions)
    finally:
        _release(services, queue, held)


def put_back(
    services: Services,
    queue: str,
    *,
    functions: Collection[str],
    wanted: Callable[[DeadLetter], bool],
    by: str,
    limit: int | None = None,
) -> Iterator[PutBack]:
    """Put the wanted ones among at most so many letters back; what is wrong with one stops no other."""
    held: list[str] = []
    try:
        for message in _received(services, queue, limit):
            letter = read(queue, message, functions=functions)
            told = _put_back(services, letter, message.receipt, by) if wanted(letter) else None
            if told is None or told.outcome != "put back":
                held.append(message.receipt)
            if told is not None:
                yield told
    finally:
        _release(services, queue, held)


def _put_back(services: Services, letter: DeadLetter, receipt: str, by: str) -> PutBack:
    if letter.function is None:
        return PutBack(letter, "left")
    name = hashlib.sha256(f"{letter.queue}\0{letter.message_id}".encode()).hexdigest()[:32]
    task_id = f"redrive-{name}"
    try:
        # Not new to Function Compute, when an earlier run ended right here.
        is_new = services.invoker.invoke(letter.function, letter.payload, task_id=task_id)
        now = services.clock.now()
        audit = _audit(letter, by=by, at=now, task_id=task_id, is_new=is_new)
        services.objects.put_new(
            archive.redrive_key(name, now), audit, content_type=archive.CONTENT_TYPES["json"]
        )
        services.queues.delete(letter.queue, receipt, deadline=now + _CALL)
    except FunctionError as error:
        return PutBack(letter, "failed", error)
    LOG.warning(
        "a person puts a dead letter back",
        extra={"queue": letter.queue, "message_id": letter.message_id, "function": letter.function, "by": by},
    )
    return PutBack(letter, "put back")


def _audit(letter: DeadLetter, *, by: str, at: int, task_id: str, is_new: bool) -> bytes:
    """Tell who put what where; the payload by its digest alone, as it may hold signed URLs."""
    told = {
        "by": by,
        "at": at,
        "queue": letter.queue,
        "message_id": letter.message_id,
        "lay_since": letter.lies_since,
        "reason": letter.reason,
        "function": letter.function,
        "task_id": task_id,
        "accepted_before": not is_new,
        "jobs": letter.jobs,
        "payload_sha256": digest(letter.payload),
        "payload_bytes": len(letter.payload),
    }
    return json.dumps(told, ensure_ascii=False, indent=2).encode()


def _received(services: Services, queue: str, limit: int | None) -> Iterator[QueueMessage]:
    """Receive each message once, until none is new: those that were hidden first may come again."""
    seen: set[str] = set()
    while limit is None or len(seen) < limit:
        most = _BATCH if limit is None else min(_BATCH, limit - len(seen))
        deadline = services.clock.now() + _CALL
        batch = services.queues.receive(queue, limit=most, deadline=deadline, wait_seconds=_LAST_LOOK_SECONDS)
        new = [message for message in batch if message.message_id not in seen]
        if not new:
            return
        seen.update(message.message_id for message in new)
        yield from new


def _release(services: Services, queue: str, receipts: list[str]) -> None:
    """Let others see messages again; one that cannot be released comes into sight by itself."""
    deadline = services.clock.now() + _CALL
    services.parallel.run(
        [partial(services.queues.hide, queue, receipt, seconds=1, deadline=deadline) for receipt in receipts]
    )
