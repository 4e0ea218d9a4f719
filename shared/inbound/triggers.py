"""Trigger events of Function Compute, unwrapped (shapes: function-compute.md 2, media-jobs.md 2).

What an event is, is decided by these rules, in this order; no rule looks at what a body means:

1. Not UTF-8 text, empty, or over the size limit: one message with a reason.
2. Text that begins with `[`: a batch of a queue, if it is an array in which at least one element is
   a queue message (an object, or a string holding one) and which is no longer than a batch can be.
   Elements are read one by one. Any other such text: one message with a reason.
3. Text that begins with `{` but is no strict JSON: one message with a reason.
4. An object of `triggerTime`, `triggerName` and perhaps `payload`, all text: a timer.
5. An object with `TopicName`, `MessageId` and `Message`: a topic message, JSON. It comes before the
   others because its sender's attributes stand beside its fields and may have any name.
6. An object with `specversion` and `data`, or with `messageBody`: a queue message.
7. An object of exactly `body` and `attrs`: a topic message, STREAM with attributes.
8. Everything else: a topic message, STREAM without attributes; the event itself is the body.

A queue message may hold a topic message (5, or the same in XML). Every body may be base64.
"""

from __future__ import annotations

from shared.documents import strict_json
from shared.documents.strict_json import Tree
from shared.errors import UnreadableError
from shared.inbound import arrays, envelopes
from shared.inbound.bodies import plain
from shared.inbound.fields import is_text
from shared.inbound.message import Message, Messages, TimerTick, Transport, Trigger, identify

__all__ = ["Message", "Messages", "TimerTick", "Transport", "Trigger", "messages"]

MAX_BATCH = 10_000  # function-compute.md 2: "Batch: count 1..10000"

_LAYER = "event"
_BLANK = " \t\r\n"
_TIMER_FIELDS = {"triggerTime", "triggerName", "payload"}


def messages(event: bytes) -> Trigger:
    """Unwrap an event; never raise: what cannot be unwrapped is a message with its reason."""
    try:
        return _open(event)
    except UnreadableError as error:
        return Messages((_left_over(event, "mns-topic", error),))


def _open(event: bytes) -> Trigger:
    text = _text(event)
    first = text.lstrip(_BLANK)[:1]
    if first == "[":
        return Messages(_open_batch(text))
    if first == "{":
        return _open_object(event, text)
    return Messages((_raw_topic_message(text),))


def _text(event: bytes) -> str:
    if len(event) > strict_json.MAX_BYTES:
        raise UnreadableError("too large", layer=_LAYER, size=len(event))
    try:
        text = event.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError("not UTF-8 text", layer=_LAYER, at=error.start) from None
    if not text.strip():
        raise UnreadableError("empty", layer=_LAYER)
    return text


def _open_object(event: bytes, text: str) -> Trigger:
    tree = strict_json.parse(text)
    if not isinstance(tree, dict):  # text that begins with a brace is nothing else
        raise UnreadableError("not an object", layer=_LAYER)
    tick = _timer_tick(tree)
    if tick:
        return tick
    if envelopes.is_topic_message(tree):
        return Messages((envelopes.topic_message(tree, event),))
    if envelopes.is_queue_message(tree):
        return Messages((envelopes.queue_message(tree, event),))
    if envelopes.is_stream_with_attributes(tree):
        return Messages((envelopes.stream_message(tree, event),))
    return Messages((_raw_topic_message(text),))


def _timer_tick(tree: dict[str, Tree]) -> TimerTick | None:
    if not {"triggerTime", "triggerName"} <= tree.keys() <= _TIMER_FIELDS:
        return None
    name, time, payload = tree["triggerName"], tree["triggerTime"], tree.get("payload") or ""
    if is_text(name) and is_text(time) and is_text(payload):
        return TimerTick(name, time, payload)
    return None


def _raw_topic_message(text: str) -> Message:
    body = plain(text)
    return Message(identify("mns-topic", body), "mns-topic", body)


def _open_batch(text: str) -> tuple[Message, ...]:
    read = [_read_element(source) for source in arrays.elements(text, limit=MAX_BATCH)]
    # An array of anything else may be any sender's text: it is not worth a message per element.
    if not any(envelopes.is_queue_message(tree) for tree, _ in read if not isinstance(tree, Exception)):
        first = next((str(tree) for tree, _ in read if isinstance(tree, Exception)), None)
        raise UnreadableError("an array without a single queue message", layer=_LAYER, first=first)
    return tuple(_open_element(tree, source) for tree, source in read)


def _read_element(source: str) -> tuple[Tree | UnreadableError, bytes]:
    """Read one element, an object or a string that holds one (function-compute.md 2, log of 2022)."""
    try:
        tree = strict_json.parse(source)
        if is_text(tree):
            tree = strict_json.parse(tree)
    except UnreadableError as error:
        return error, source.encode()
    return tree, source.encode()


def _open_element(tree: Tree | UnreadableError, source: bytes) -> Message:
    if isinstance(tree, UnreadableError):
        return _left_over(source, "mns-queue", tree)
    if isinstance(tree, dict) and envelopes.is_queue_message(tree):
        return envelopes.queue_message(tree, source)
    return _left_over(source, "mns-queue", UnreadableError("no queue message", layer=_LAYER))


def _left_over(body: bytes, transport: Transport, error: UnreadableError) -> Message:
    return Message(identify(transport, body), transport, body, reason=str(error))
