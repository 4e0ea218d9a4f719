"""What lies in a queue of dead letters: what it was, why it lies there, which function it goes back to. Pure.

Two things end there (docs/redrive.md): asynchronous invocations that failed, wrapped in what Function Compute
tells of them, and callbacks that no try took in, as their queue, their topic or EventBridge left them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from shared import announcements, handing_over
from shared.announcements import Announcement
from shared.documents.cursor import is_whole_number
from shared.documents.urls import without_query
from shared.errors import ParseError
from shared.handing_over import HandOver
from shared.inbound import notifications
from shared.inbound.notifications import SetAside
from shared.queues import QueueMessage
from shared.toolkit import mns, strict_json
from shared.toolkit.bodies import plain
from shared.toolkit.masking import Masker
from shared.toolkit.message import Messages
from shared.toolkit.parser import decode_json
from shared.toolkit.strict_json import NumberText, Tree, any_text
from shared.toolkit.triggers import recognize

CALLBACK = "callback"

_ARN = re.compile(
    r"acs:fc:[^:]*:[^:]*:(?:services/[^/]+/)?functions/(?P<name>[A-Za-z_][A-Za-z0-9_-]*)(?:[/$].*)?"
)
_REASON_LENGTH = 300


@dataclass(frozen=True)
class DeadLetter:
    """One message. Without a `function` nobody here can tell what it is, and `reason` says why.

    `payload` is the event that the function gets. `jobs` are the keys of the jobs that it is about, as far as
    it tells. Times in epoch milliseconds.
    """

    queue: str
    message_id: str
    lies_since: int
    function: str | None
    payload: bytes
    reason: str
    jobs: tuple[str, ...] = ()
    failed_at: int | None = None
    attempts: int | None = None


def read(queue: str, message: QueueMessage, *, functions: Collection[str]) -> DeadLetter:
    """Read a message of a queue of dead letters; `functions` are our own, which something can go back to."""
    body = plain(message.body)
    try:
        tree = strict_json.parse(body)
    except ParseError:
        tree = None
    envelope = tree if isinstance(tree, dict) else {}
    if isinstance(envelope.get("requestContext"), dict) and "requestPayload" in envelope:
        return _failed_invocation(queue, message, envelope, functions)
    return _callback(queue, message, tree, body)


def _failed_invocation(
    queue: str, message: QueueMessage, envelope: dict[str, Tree], functions: Collection[str]
) -> DeadLetter:
    """Read what Function Compute says of an invocation that failed for good (function-compute.md 2.2)."""
    context, payload = envelope["requestContext"], _payload(envelope["requestPayload"])
    reason = _why_it_failed(envelope, context)
    arn = any_text(context, "functionArn") or ""
    function = _own_name(arn, functions)
    jobs: tuple[str, ...] = ()
    if function is None:
        reason = f"no function of ours: {arn or 'it names none'}; {reason}"
    else:
        payload, jobs = _about(function, payload)
    return DeadLetter(
        queue,
        message.message_id,
        message.enqueued_at,
        function,
        payload,
        _plainly(reason),
        jobs,
        failed_at=_moment(envelope.get("timestamp")),
        attempts=_whole(context, "approximateInvokeCount"),
    )


def _callback(queue: str, message: QueueMessage, tree: Tree, body: bytes) -> DeadLetter:
    """Read a callback: as EventBridge wraps it, or as it lay in the queue where it died."""
    is_event = isinstance(tree, list) or mns.is_queue_message(tree) or mns.is_stream_with_attributes(tree)
    event = body if is_event else _as_event(message)
    function: str | None = CALLBACK
    jobs: tuple[str, ...] = ()
    reason = "a callback that no try took in"
    if message.source:
        reason = f"a callback that was received from {message.source} and never deleted"
    try:
        jobs = _jobs_of_callbacks(event)
    except ParseError as error:
        function, reason = None, f"nobody here can read it: {error}"
    return DeadLetter(queue, message.message_id, message.enqueued_at, function, event, _plainly(reason), jobs)


def _as_event(message: QueueMessage) -> bytes:
    """Wrap a bare message as the trigger of its queue would: its id, queue and region are not to get lost."""
    event = {
        "specversion": "1.0",
        "type": mns.QUEUE_EVENT,
        "subject": message.source or "",
        "data": {"messageId": message.message_id, "messageBody": message.body},
    }
    return json.dumps(event, ensure_ascii=False).encode()


def _about(function: str, payload: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Give the event that is to be sent now, and the jobs that it is about, as far as it tells."""
    try:
        if function == CALLBACK:
            return payload, _jobs_of_callbacks(payload)
        if function == handing_over.FUNCTION:
            # Without the time at which it was handed over: it would be taken for a clock that is wrong.
            untimed = HandOver(HandOver.read(decode_json(payload)).jobs)
            return untimed.payload, untimed.jobs
        items = announcements.read(payload)
    except ParseError:
        return payload, ()
    return payload, tuple(item.ref.key for item in items if isinstance(item, Announcement))


def _jobs_of_callbacks(event: bytes) -> tuple[str, ...]:
    """Name the jobs of an event; raise `ParseError` when none of its messages can be read."""
    trigger = recognize(event)
    if not isinstance(trigger, Messages):
        raise ParseError("a timer's event", layer="trigger")
    read_any, failed = False, ParseError("no message", layer="trigger")
    jobs: dict[str, None] = {}
    for message in trigger.messages:
        try:
            if message.reason is not None:
                raise ParseError(message.reason, layer="trigger")
            found = notifications.read(message.body)
        except ParseError as error:
            failed = error
            continue
        read_any = True
        if not isinstance(found, SetAside):
            jobs[found.ref.key] = None
    if not read_any:
        raise failed
    return tuple(jobs)


def _own_name(arn: str, functions: Collection[str]) -> str | None:
    """Name the function as we know it: when it was deployed, the name of the stack was put before."""
    named = _ARN.fullmatch(arn)
    name = named["name"] if named else ""
    return next((own for own in functions if name == own or name.endswith(f"-{own}")), None)


def _why_it_failed(envelope: dict[str, Tree], context: Tree) -> str:
    answered = any_text(envelope, "responsePayload") or ""
    try:
        error = strict_json.parse(answered)
    except ParseError:
        error = None
    said = (any_text(error, "errorType"), any_text(error, "errorMessage"))
    parts = (
        any_text(context, "condition"),
        any_text(envelope.get("responseContext"), "functionError"),
        ": ".join(each for each in said if each) or answered,
    )
    return "; ".join(dict.fromkeys(part for part in parts if part)) or "no reason is told"


def _payload(tree: Tree) -> bytes:
    """Give the bytes that a function was invoked with; they stand there as text."""
    return tree.encode() if isinstance(tree, str) else json.dumps(tree, ensure_ascii=False).encode()


def _moment(tree: Tree) -> int | None:
    """Read epoch milliseconds, or the ISO 8601 of older records (function-compute.md 2.2)."""
    if not isinstance(tree, str):
        return None
    try:
        if isinstance(tree, NumberText):
            return int(tree)
        return int(datetime.fromisoformat(tree.replace("Z", "+00:00")).timestamp() * 1000)
    except ValueError:
        return None


def _whole(tree: Tree, name: str) -> int | None:
    value = tree.get(name) if isinstance(tree, dict) else None
    return int(value) if isinstance(value, NumberText) and is_whole_number(value) else None


def _plainly(reason: str) -> str:
    """Take out what is secret, then cut: a cut may leave half a secret that no rule knows."""
    return Masker().text(without_query(reason))[:_REASON_LENGTH]
