"""XML that is written to do harm: it opens no file, expands to nothing, and costs no more than its size."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.adapters.vendor_errors import read_refusal
from shared.errors import ParseError
from shared.kinds import KINDS
from shared.toolkit import xml_tree
from shared.toolkit.message import Messages
from shared.toolkit.triggers import recognize
from shared.vendor import Part

MEGABYTE = 1024 * 1024
LEVELS = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
MANY = " ".join(f"b{n}=''" for n in range(100_000))
QUADRATIC = f'<!DOCTYPE a [<!ENTITY e "{"x" * 50_000}">]><a><TopicName>{"&e;" * 10_000}</TopicName></a>'

HOSTILE = {
    "billion laughs": f'<!DOCTYPE a [<!ENTITY e0 "ha">{LEVELS}]><a><TopicName>&e9;</TopicName></a>',
    "quadratic": QUADRATIC,
    "entity of the network": '<!DOCTYPE a [<!ENTITY e SYSTEM "http://127.0.0.1:1/">]><a>&e;TopicName</a>',
    "document type of the network": '<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><a>TopicName</a>',
    "parameter entity": (
        '<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:1/">%p;]><a><TopicName/>&e;</a>'
    ),
    "deep": "<TopicName>" * 100_000,
    "deep and closed": "<TopicName>" * 5_000 + "</TopicName>" * 5_000,
    "one attribute": f'<a TopicName="{"x" * MEGABYTE}" TopicName="">',
    "many attributes": f"<a TopicName='' {MANY} b1=''/>",
    "unknown entity": "<a><TopicName>&e;</TopicName></a>",
}

Read = Callable[[str], object]


def as_kind(name: str) -> Read:
    return lambda text: KINDS[name].normalize([Part("answer", "xml", text.encode())])


def as_callback(text: str) -> object:
    """Give what a queue's message with this body turns out to be; raise for one that cannot be unwrapped."""
    event = {"messageBody": text, "messageId": "m"}
    trigger = recognize(json.dumps(event).encode())
    assert isinstance(trigger, Messages)
    (message,) = trigger.messages
    if message.reason is not None:
        raise ParseError(message.reason, layer="message")
    return message


def as_refusal(text: str) -> object:
    """Give what an error page of the vendor says; raise when it says nothing."""
    refusal = read_refusal(400, text.encode())
    if not refusal.code:
        raise ParseError("says nothing", layer="refusal")
    return refusal


READERS: dict[str, Read] = {
    "xml": xml_tree.parse,
    "callback": as_callback,
    "refusal": as_refusal,
    **{name: as_kind(name) for name in KINDS},
}
each_reader = pytest.mark.parametrize("read", READERS.values(), ids=list(READERS))


@each_reader
@pytest.mark.parametrize(
    "document",
    HOSTILE.values(),
    ids=list(HOSTILE),
)
def test_a_hostile_document_is_refused_and_costs_little(read: Read, document: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ParseError):
            read(document)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 4 * MEGABYTE + 20 * len(document)


@each_reader
def test_no_file_is_read_into_a_document(read: Read, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a secret of this machine")
    document = f'<!DOCTYPE a [<!ENTITY e SYSTEM "{secret.as_uri()}">]><a><TopicName>&e;</TopicName></a>'

    with pytest.raises(ParseError) as caught:
        read(document)

    assert "secret of" not in str(caught.value)


def test_large_attributes_are_read_as_what_they_are() -> None:
    assert xml_tree.parse(f'<a b="{"x" * MEGABYTE}"/>') == {"@b": "x" * MEGABYTE}
