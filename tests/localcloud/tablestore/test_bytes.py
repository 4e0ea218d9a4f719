"""The bytes on the wire: rows in PlainBuffer, messages in protocol buffers."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from localcloud.tablestore import messages
from localcloud.tablestore.plain_buffer import (
    Cell,
    Edge,
    Operation,
    WireRow,
    decode_row,
    decode_rows,
    decode_value,
    encode_rows,
    encode_value,
)
from localcloud.tablestore.protobuf import MalformedError, Message, many, must, one
from localcloud.tablestore.row_store import ordered
from shared.adapters.aliyun.tablestore_sdk import load_sdk

INT64 = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
KEY_VALUES = st.one_of(INT64, TEXT, st.binary(max_size=20), st.sampled_from(Edge))
VALUES = st.one_of(INT64, TEXT, st.binary(max_size=20), st.booleans(), st.floats(allow_nan=False))
CELLS = st.builds(
    Cell, TEXT, VALUES, st.none() | st.sampled_from(Operation), st.none() | st.integers(0, 2**62)
)
ROWS = st.builds(
    WireRow,
    st.lists(st.builds(Cell, TEXT, KEY_VALUES), max_size=4).map(tuple),
    st.lists(CELLS, max_size=4).map(tuple),
    st.booleans(),
)


@given(st.lists(ROWS, max_size=3))
def test_rows_are_read_as_they_were_written(rows: list[WireRow]) -> None:
    data = encode_rows(rows)

    assert decode_rows(data) == rows if rows else data == b""


@given(ROWS, st.data())
def test_a_row_with_a_wrong_bit_is_never_taken_for_another(row: WireRow, data: st.DataObject) -> None:
    whole = bytearray(encode_rows([row]))
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    whole[bit // 8] ^= 1 << bit % 8

    with pytest.raises(MalformedError):
        decode_row(bytes(whole))


@given(st.binary(max_size=60))
@example(b"\x75\x00\x00\x00\x01\x03\x04\xff\xff\xff\xff")
def test_any_bytes_are_rows_or_malformed(data: bytes) -> None:
    for wrapped in (data, b"\x75\x00\x00\x00\x01" + data):
        with suppress(MalformedError):
            decode_rows(wrapped)
    with suppress(MalformedError):
        decode_value(data)


@given(VALUES)
def test_a_value_that_stands_alone_is_read_as_it_was_written(value: Any) -> None:
    read = decode_value(encode_value(value))

    assert (type(read), read) == (type(value), value)


def test_zeros_may_follow_the_last_row_and_nothing_else() -> None:
    row = WireRow((Cell("name", "a"),))

    assert decode_row(encode_rows([row]) + bytes(3)) == row
    with pytest.raises(MalformedError):
        decode_row(encode_rows([row]) + b"\x00\x01")


def test_the_vendors_encoder_writes_the_same_bytes() -> None:
    load_sdk()
    from tablestore.plainbuffer.plain_buffer_builder import (  # type: ignore[import-untyped]
        PlainBufferBuilder,
    )

    key = [("name", "媒体"), ("number", -1), ("raw", bytearray(b"\xff"))]
    columns = [("share", 0.5), ("flag", True), ("rank", 2**63 - 1, 1_763_640_000_000)]
    theirs = bytes(PlainBufferBuilder.serialize_for_put_row(key, columns))
    ours = WireRow(
        (Cell("name", "媒体"), Cell("number", -1), Cell("raw", b"\xff")),
        (
            Cell("share", 0.5),
            Cell("flag", True),
            Cell("rank", 2**63 - 1, timestamp=1_763_640_000_000),
        ),
    )

    assert encode_rows([ours]) == theirs
    assert decode_row(theirs) == ours


@given(st.lists(st.tuples(TEXT, INT64, st.binary(max_size=4)), max_size=8))
@example([("a", 0, b""), ("a\x00", 0, b""), ("a\x01", 0, b""), ("", -1, b"\x00\xff"), ("", -1, b"\x00")])
def test_keys_are_in_the_order_of_their_values(keys: list[tuple[str, int, bytes]]) -> None:
    in_order = sorted(keys, key=lambda key: (key[0].encode(), key[1], key[2]))

    assert sorted(keys, key=ordered) == in_order
    for text, number, raw in keys:
        assert ordered((text, Edge.LEAST, Edge.LEAST)) < ordered((text, number, raw))
        assert ordered((text, number, raw)) < ordered((text, number, Edge.MOST))


# Messages.

INNER = Message(flag=one(1, "bool"), raw=one(15, "bytes"))
OUTER = Message(number=must(1, "int"), name=one(2, "text"), inner=many(16, INNER), words=many(2_000, "text"))
INNER_VALUES = st.fixed_dictionaries({}, optional={"flag": st.booleans(), "raw": st.binary(max_size=200)})


@given(
    st.fixed_dictionaries(
        {"number": INT64, "inner": st.lists(INNER_VALUES), "words": st.lists(TEXT)}, optional={"name": TEXT}
    )
)
def test_a_message_is_read_as_it_was_written(values: dict[str, Any]) -> None:
    assert OUTER.decode(OUTER.encode(values)) == values


@given(st.binary(max_size=60))
def test_any_bytes_are_a_message_or_malformed(data: bytes) -> None:
    for message in (OUTER, messages.BATCH_WRITE, messages.CREATE_TABLE):
        with suppress(MalformedError):
            message.decode(data)


def test_fields_that_nobody_knows_are_passed_over() -> None:
    newer = Message(number=must(1, "int"), later=one(7, "text"), fixed=one(9, "int"))
    data = newer.encode({"number": 1, "later": "x", "fixed": 2}) + b"\x59" + bytes(8) + b"\x65" + bytes(4)

    assert OUTER.decode(data) == {"number": 1, "inner": [], "words": []}


@pytest.mark.parametrize(
    "data", [b"", b"\x12\x01a", b"\x08", b"\x0a\x01a", b"\x08\x01\x10\x01", b"\x08\x01\x12\x01\xff", b"\x0b"]
)
def test_what_lacks_a_field_or_has_one_of_another_type_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        OUTER.decode(data)
