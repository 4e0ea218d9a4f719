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

from shared.toolkit import json_arrays, mns, strict_json
from shared.toolkit.message import Message, Messages, TimerTick, Trigger
from shared.toolkit.parser import ParseError
from shared.toolkit.strict_json import Tree, is_text

MAX_BATCH = 10_000  # function-compute.md 2: "Batch: count 1..10000"

_LAYER = "event"
_BLANK = " \t\r\n"
_TIMER_FIELDS = {"triggerTime", "triggerName", "payload"}


def recognize(event: bytes) -> Trigger:
    """Unwrap an event; never raise: what cannot be unwrapped is a message with its reason."""
    try:
        return _open(event)
    except ParseError as error:
        return Messages((mns.left_over(event, "mns-topic", error),))


def _open(event: bytes) -> Trigger:
    text = _text(event)
    first = text.lstrip(_BLANK)[:1]
    if first == "[":
        return Messages(_open_batch(text))
    if first == "{":
        return _open_object(event, text)
    return Messages((mns.raw_topic_message(text),))


def _text(event: bytes) -> str:
    if len(event) > strict_json.MAX_BYTES:
        raise ParseError("too large", layer=_LAYER, size=len(event))
    try:
        text = event.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParseError("not UTF-8 text", layer=_LAYER, at=error.start) from None
    if not text.strip():
        raise ParseError("empty", layer=_LAYER)
    return text


def _open_object(event: bytes, text: str) -> Trigger:
    tree = strict_json.parse(text)
    if not isinstance(tree, dict):  # text that begins with a brace is nothing else
        raise ParseError("not an object", layer=_LAYER)
    tick = timer_tick(tree)
    if tick:
        return tick
    if mns.is_topic_message(tree):
        return Messages((mns.topic_message(tree, event),))
    if mns.is_queue_message(tree):
        return Messages((mns.queue_message(tree, lambda: event),))
    if mns.is_stream_with_attributes(tree):
        return Messages((mns.stream_message(tree, event),))
    return Messages((mns.raw_topic_message(text),))


def timer_tick(tree: dict[str, Tree]) -> TimerTick | None:
    """Read the event of a timer; None for any other."""
    if not {"triggerTime", "triggerName"} <= tree.keys() <= _TIMER_FIELDS:
        return None
    name, time, payload = tree["triggerName"], tree["triggerTime"], tree.get("payload") or ""
    if is_text(name) and is_text(time) and is_text(payload):
        return TimerTick(name, time, payload)
    return None


def _open_batch(text: str) -> tuple[Message, ...]:
    read = [_read_element(source) for source in json_arrays.elements(text, limit=MAX_BATCH)]
    # An array of anything else may be any sender's text: it is not worth a message per element.
    if not any(mns.is_queue_message(tree) for tree, _ in read if not isinstance(tree, Exception)):
        first = next((str(tree) for tree, _ in read if isinstance(tree, Exception)), None)
        raise ParseError("an array without a single queue message", layer=_LAYER, first=first)
    return tuple(_open_element(tree, source) for tree, source in read)


def _read_element(source: str) -> tuple[Tree | ParseError, bytes]:
    """Read one element, an object or a string that holds one (function-compute.md 2, log of 2022)."""
    try:
        tree = strict_json.parse(source)
        if is_text(tree):
            tree = strict_json.parse(tree)
    except ParseError as error:
        return error, source.encode()
    return tree, source.encode()


def _open_element(tree: Tree | ParseError, source: bytes) -> Message:
    if isinstance(tree, ParseError):
        return mns.left_over(source, "mns-queue", tree)
    if isinstance(tree, dict) and mns.is_queue_message(tree):
        return mns.queue_message(tree, lambda: source)
    return mns.left_over(source, "mns-queue", ParseError("no queue message", layer=_LAYER))
