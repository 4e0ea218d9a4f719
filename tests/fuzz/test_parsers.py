"""Whatever strangers write, a parser gives a value or an error of ours, never another exception."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.parsers import CORPUS, PARSERS, Parser

each_parser = pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)

LONG_NUMBER = "9" * 5_000  # Python refuses to read more than 4,300 digits, and to write them
A_LONG_NUMBER = "a long number"
# What parsers look for, and what is not what it looks like.
PIECES = st.sampled_from(
    [
        *(
            b"",
            b"{",
            b"}",
            b"[",
            b"]",
            b'"',
            b"\\",
            b":",
            b",",
            b"=",
            b"/",
            b"#",
            b"~",
            b"\n",
            b"\x00",
            b"\xff",
        ),
        *(b"null", b"true", b"-0", b"1e999", b"0.1", b"NaN", b'"\\ud800"', b"\xef\xbb\xbf", b"\xed\xa0\x80"),
        *(
            b"<a>",
            b"</a>",
            b"<!DOCTYPE a>",
            b"<![CDATA[",
            b"]]>",
            b"&#0;",
            b"&x;",
            "\uff1a\uff0c\uff11".encode(),
        ),
        *(b"://", b"%253A%252F%252F", b"?Signature=", b"@", LONG_NUMBER.encode(), b"[" * 100, b'{"a":' * 100),
        *(b"0001-01-01T00:00:00Z", b"9999-12-31T23:59:60Z", b"2025-11-20T12:00:00+99:99"),
    ]
)
MOST_BYTES, MOST_DOCUMENTS = 1_500, 8
AWKWARD: list[Any] = [
    *(None, True, -1, 0.5, 10**30, A_LONG_NUMBER, {}, [], [{}], [[]], {"": None}, ["", 1]),
    *("", " ", LONG_NUMBER, "0001-01-01T00:00:00Z", "{", '[{"a":1}]', "\ud800", "%", "://", "x" * 5_000),
]


@cache
def inputs_of(parser: Parser) -> list[bytes]:
    return parser.inputs()


@cache
def documents_of(parser: Parser) -> list[bytes]:
    """Give the inputs that are JSON of something, and small."""
    found = [data for data in parser.inputs() if is_json(data) and len(data) <= MOST_BYTES]
    return found[:MOST_DOCUMENTS]


def is_json(data: bytes) -> bool:
    try:
        return isinstance(json.loads(data), dict | list)
    except ValueError:
        return False


@st.composite
def edited(draw: st.DrawFn, inputs: list[bytes]) -> bytes:
    """Take an input that means something, and change pieces of it; or draw bytes from nothing."""
    data = draw(st.sampled_from(inputs) if inputs else st.just(b""))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        end = start + draw(st.integers(0, 12))
        data = data[:start] + draw(PIECES | st.binary(max_size=8)) + data[end:]
    return data


def refilled(data: bytes) -> Iterator[bytes]:
    """Put each awkward value in each place of a document."""
    tree = json.loads(data)
    for holder, place in list(places(tree)):
        before = holder[place]
        for value in AWKWARD:
            holder[place] = value
            yield json.dumps(tree).replace(f'"{A_LONG_NUMBER}"', LONG_NUMBER).encode()
        holder[place] = before


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Give every place in a tree, as what holds it and the name or index there."""
    if isinstance(tree, dict | list):
        for place in list(tree) if isinstance(tree, dict) else range(len(tree)):
            yield tree, place
            yield from places(tree[place])


@each_parser
def test_what_was_kept_is_read_or_refused(parser: Parser) -> None:
    for data in inputs_of(parser):
        parser.accepts(data)


@each_parser
@settings(max_examples=60)
@given(data=st.data())
def test_anything_is_read_or_refused(parser: Parser, data: st.DataObject) -> None:
    parser.accepts(data.draw(edited(inputs_of(parser)) | st.binary(max_size=40)))


@pytest.mark.parametrize(
    "parser", [one for one in PARSERS if documents_of(one)], ids=lambda parser: parser.name
)
def test_any_value_in_any_place_is_read_or_refused(parser: Parser) -> None:
    for document in documents_of(parser):
        for data in refilled(document):
            parser.accepts(data)


@each_parser
def test_a_parser_is_fed_something_that_it_reads(parser: Parser) -> None:
    """Fed with what it refuses at the first byte, it would be tested in nothing."""
    assert any(map(parser.accepts, inputs_of(parser)))


def test_an_error_that_a_parser_must_not_raise_is_seen() -> None:
    parser = Parser("whole-number", int, (ZeroDivisionError,))

    with pytest.raises(ValueError, match="invalid literal"):
        parser.accepts(b"x")


def test_every_kept_input_is_some_parsers() -> None:
    assert {path.stem for path in CORPUS.iterdir()} - {parser.name for parser in PARSERS} == set()
