"""Events of Function Compute as layers, for a function that knows what triggers it.

    order = message_body >> model(Order)                    # of one message of a batch
    order = mns_topic >> message_body >> model(Order)       # of an event that is one message
    settings = timer >> timer_payload >> model(Settings)

Where anything may come, `any_trigger` looks at the event first, and reads JSON strictly
(`triggers.recognize`). The others read with the standard decoder, for speed: of two keys of one name,
the last counts.
"""

from __future__ import annotations

import json
from typing import Any, Final

from shared.toolkit import json_arrays, mns
from shared.toolkit.message import Message, TimerTick, Trigger
from shared.toolkit.parser import Layer, ParseError, decode_json
from shared.toolkit.strict_json import check_unicode, may_hold_surrogates
from shared.toolkit.triggers import MAX_BATCH, recognize, timer_tick

_QUEUE: Final = "mns-queue"
_TOPIC: Final = "mns-topic"


def _queue_messages(event: bytes) -> tuple[Message, ...]:
    try:
        tree = decode_json(event, layer=_QUEUE)
    except ParseError as error:
        return _read_apart(event, error)
    escaped = may_hold_surrogates(event)
    if isinstance(tree, list):
        return tuple([_queue_element(element, escaped=escaped) for element in tree])
    if not mns.is_queue_message(tree):
        raise ParseError("neither a queue message nor an array of them", layer=_QUEUE)
    return (_queue_element(tree, escaped=escaped),)


def _read_apart(event: bytes, error: ParseError) -> tuple[Message, ...]:
    """Read each element by itself, where one of them keeps the batch from being read; else raise `error`."""
    try:
        sources = json_arrays.elements(event.decode("utf-8-sig"), limit=MAX_BATCH)
    except (UnicodeDecodeError, ParseError):
        raise error from None
    return tuple([_source_element(source) for source in sources])


def _source_element(source: str) -> Message:
    try:
        element = decode_json(source, layer=_QUEUE)
    except ParseError as error:
        return mns.left_over(source.encode(), _QUEUE, error)
    return _queue_element(element, escaped=True)


def _queue_element(element: Any, *, escaped: bool) -> Message:
    """Open one element, an object or a string that holds one (function-compute.md 2, log of 2022)."""
    tree = element
    try:
        if isinstance(element, str):
            tree, escaped = decode_json(element, layer=_QUEUE), True
        if escaped:
            check_unicode(tree)
        if not mns.is_queue_message(tree):
            raise ParseError("no queue message", layer=_QUEUE)
    except ParseError as error:
        return mns.left_over(json.dumps(element).encode(), _QUEUE, error)
    return mns.queue_message(tree, lambda: json.dumps(element).encode())


def _single(messages: tuple[Message, ...]) -> Message:
    if len(messages) != 1:
        raise ParseError("not exactly one message", layer=_QUEUE, count=len(messages))
    return messages[0]


def _topic_message(event: bytes) -> Message:
    try:
        text = event.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        refused = ParseError("not UTF-8 text", layer=_TOPIC, at=error.start)
        return mns.left_over(event, _TOPIC, refused)
    try:
        tree = decode_json(text)
        check_unicode(tree)
    except ParseError:  # in STREAM form the event is the body, and that may be any text
        return mns.raw_topic_message(text)
    if mns.is_topic_message(tree):
        return mns.topic_message(tree, event)
    if mns.is_stream_with_attributes(tree):
        return mns.stream_message(tree, event)
    return mns.raw_topic_message(text)


def _body_of(message: Message) -> bytes:
    if message.reason is not None:
        raise ParseError(message.reason, layer="message")
    return message.body


def _tick(event: bytes) -> TimerTick:
    tree = decode_json(event, layer="timer")
    tick = timer_tick(tree) if isinstance(tree, dict) else None
    if tick is None:
        raise ParseError("no event of a timer", layer="timer")
    return tick


mns_queue: Layer[bytes, tuple[Message, ...]] = Layer(_QUEUE, _queue_messages)
"""A queue's batch, or its one message. A broken element is a message with a reason."""

single_message: Layer[tuple[Message, ...], Message] = Layer("single message", _single)
"""The one message of a queue whose trigger has a batch size of one."""

mns_topic: Layer[bytes, Message] = Layer(_TOPIC, _topic_message)
"""A topic's message: JSON, or STREAM with or without attributes."""

message_body: Layer[Message, bytes] = Layer("message", _body_of)
"""What a message carries, out of base64; a `ParseError` with its reason where it was broken."""

timer: Layer[bytes, TimerTick] = Layer("timer", _tick)
timer_payload: Layer[TimerTick, str] = Layer("payload", lambda tick: tick.payload)

any_trigger: Layer[bytes, Trigger] = Layer("event", recognize)
"""Whatever it is: a timer's tick, or messages."""
