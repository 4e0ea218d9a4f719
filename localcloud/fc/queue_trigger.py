"""Queue triggers: EventBridge takes messages out of a queue of MNS and invokes a function with batches.

What no page tells is decided here. A message stays in its queue, hidden, until its batch is done with; one
that comes in sight again is known, and not taken twice. Where errors are tolerated other batches
go on beside one that fails, else they wait for it, and the trigger stands still when its retries are over.
"""

from __future__ import annotations

import base64
import json
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from localcloud.fc.retry_waits import retry_wait_ms
from localcloud.mns.queue_operations import MOST_AT_ONCE
from localcloud.mns.topics import Strategy
from shared.errors import PermanentError, SettingError, TemporaryError
from shared.queues import QueueMessage, Queues

if TYPE_CHECKING:
    from shared.ports import Clock

_PATIENCE_MS = 10_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class QueueTrigger:
    """Messages of a queue become invocations. A batch is full with so many, or over after its window."""

    function: str
    name: str
    queue: str
    decodes_base64: bool
    is_raw: bool
    is_one_by_one: bool
    is_asynchronous: bool
    largest_batch: int
    window_ms: int
    strategy: Strategy
    tolerates_errors: bool
    dead_letters: str | None


@dataclass(frozen=True)
class _Batch:
    """Ids of messages, and when they are due. `failures` so far."""

    message_ids: tuple[str, ...]
    due_at: int
    failures: int = 0


class QueueConsumer:
    """Feeds one function from one queue. `invoke` tells whether the function took a batch."""

    def __init__(
        self,
        trigger: QueueTrigger,
        *,
        queues: Queues,
        invoke: Callable[[bytes], bool],
        clock: Clock,
        random: random.Random,
        region: str,
        account: str,
    ) -> None:
        self.is_stopped = False
        self._trigger = trigger
        self._queues = queues
        self._invoke = invoke
        self._clock = clock
        self._random = random
        self._region = region
        self._account = account
        self._held: dict[str, QueueMessage] = {}
        self._done: set[str] = set()
        """Messages that are done with, but came in sight again before they could be deleted."""
        self._is_away = False
        self._gathered = _Batch((), due_at=0)
        self._failed: list[_Batch] = []

    @property
    def is_idle(self) -> bool:
        """Tell whether it has no message in hand."""
        return not self._held

    def run_due(self, *, wait_seconds: int = 0) -> int:
        """Take in what the queue has and invoke with what is due; tell how many invocations there were."""
        due = [batch for batch in self._failed if batch.due_at <= self._clock.now()]
        self._failed = [batch for batch in self._failed if batch not in due]
        made = sum(self._deliver(batch) for batch in due)
        while not self._waits():
            self._gather(wait_seconds)
            if not self._gathered.message_ids or not self._is_complete():
                break
            batch, self._gathered = self._gathered, _Batch((), due_at=0)
            made += self._deliver(batch)
        return made

    def _waits(self) -> bool:
        return self.is_stopped or (bool(self._failed) and not self._trigger.tolerates_errors)

    def _is_complete(self) -> bool:
        is_full = len(self._gathered.message_ids) >= self._trigger.largest_batch
        return is_full or self._gathered.due_at <= self._clock.now()

    def _gather(self, wait_seconds: int) -> None:
        while room := self._trigger.largest_batch - len(self._gathered.message_ids):
            found = self._receive(min(room, MOST_AT_ONCE), wait_seconds)
            if not found:
                return
            done = [one for one in found if one.message_id in self._done]
            new = [one.message_id for one in found if one.message_id not in {*self._held, *self._done}]
            self._held |= {one.message_id: one for one in found}  # the newest receipt is the valid one
            self._let_go(done)
            if new and not self._gathered.message_ids:
                self._gathered = _Batch((), due_at=self._clock.now() + self._trigger.window_ms)
            self._gathered = replace(self._gathered, message_ids=(*self._gathered.message_ids, *new))
            wait_seconds = 0

    def _receive(self, limit: int, wait_seconds: int) -> list[QueueMessage]:
        try:
            found = self._queues.receive(
                self._trigger.queue, limit=limit, deadline=self._deadline(), wait_seconds=wait_seconds
            )
        except (TemporaryError, SettingError) as error:  # away for now, or no queue of that name yet
            if not self._is_away:
                _log.warning("trigger %s receives nothing: %s", self._trigger.name, error)
            self._is_away = True
            return []
        self._is_away = False
        return found

    def _deliver(self, batch: _Batch) -> int:
        messages = [self._held[message_id] for message_id in batch.message_ids]
        events = [self._event(message) for message in messages]
        body = events[0] if self._trigger.is_one_by_one else events
        if self._invoke(json.dumps(body, ensure_ascii=False).encode()):
            self._let_go(messages)
            return 1
        failures = batch.failures + 1
        wait = retry_wait_ms(self._trigger.strategy, failures, self._random)
        if wait is not None:
            self._failed.append(replace(batch, failures=failures, due_at=self._clock.now() + wait))
        elif self._trigger.tolerates_errors:
            self._bury(messages, events)
        else:
            self.is_stopped = True
            _log.warning("trigger %s stands still: its retries are over", self._trigger.name)
        return 1

    def _bury(self, messages: Sequence[QueueMessage], events: Sequence[dict[str, Any]]) -> None:
        """Put what no retry brought in into the dead-letter queue, one by one; without one it is dropped."""
        for message, event in zip(messages, events, strict=True):
            if self._trigger.dead_letters is not None:
                self._send(self._trigger.dead_letters, json.dumps(event, ensure_ascii=False), message.body)
        self._let_go(messages)

    def _send(self, queue: str, wrapped: str, bare: str) -> None:
        try:
            try:
                self._queues.send(queue, wrapped, deadline=self._deadline())
            except PermanentError:  # with its wrapping it may be too long for the queue
                self._queues.send(queue, bare, deadline=self._deadline())
        except (PermanentError, TemporaryError, SettingError) as error:
            _log.warning("trigger %s lost a dead letter: %s", self._trigger.name, error)

    def _let_go(self, messages: Sequence[QueueMessage]) -> None:
        for message in messages:
            del self._held[message.message_id]
            self._done.discard(message.message_id)
            try:
                is_gone = self._queues.delete(self._trigger.queue, message.receipt, deadline=self._deadline())
            except (TemporaryError, SettingError):
                is_gone = False
            if not is_gone:
                self._done.add(message.message_id)

    def _deadline(self) -> int:
        return self._clock.now() + _PATIENCE_MS

    def _event(self, message: QueueMessage) -> dict[str, Any]:
        """Write a message as EventBridge does (function-compute.md 2, "MNS queue trigger")."""
        data = {
            "requestId": f"{self._random.getrandbits(96):024X}",
            "messageId": message.message_id,
            "messageBody": _decoded(message.body) if self._trigger.decodes_base64 else message.body,
        }
        if self._trigger.is_raw:
            return data
        sent, source = _iso(message.enqueued_at), f"MNS-Function-{self._trigger.name}"
        return {
            "id": message.message_id,
            "source": source,
            "specversion": "1.0",
            "type": "mns:Queue:SendMessage",
            "datacontenttype": "application/json; charset=utf-8",
            "subject": f"acs:mns:{self._region}:{self._account}:queues/{self._trigger.queue}",
            "time": sent,
            "aliyunaccountid": self._account,
            "aliyunpublishtime": sent,
            "aliyunoriginalaccountid": self._account,
            "aliyuneventbusname": source,
            "aliyunregionid": self._region,
            "aliyunpublishaddr": "127.0.0.1",
            "data": data,
        }


def _decoded(body: str) -> str:
    """Decode base64; what is none stays as it is, or a wrong setting would lose it."""
    try:
        return base64.b64decode(body, validate=True).decode()
    except ValueError:
        return body


def _iso(moment: int) -> str:
    told = datetime.fromtimestamp(moment / 1_000, timezone.utc)
    return told.isoformat(timespec="milliseconds").replace("+00:00", "Z")
