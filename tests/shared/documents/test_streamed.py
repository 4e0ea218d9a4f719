"""A stream of documents is what the whole of it is, however it is cut; only its size is another matter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.documents import embedded
from shared.documents.pointers import leaves, resolve
from shared.documents.streamed import MAX_NAME, MAX_NAMES, MAX_VALUE, TOO_LARGE, JsonStream, value_at
from shared.errors import ParseError
from shared.toolkit.strict_json import MAX_DEPTH, Tree

PIECES = (
    *("{", "}", "[", "]", ",", ":", "\uff0c", "\uff1a", '"', "\\", " ", "\n", "\ufeff"),
    *('"a"', '"b\uff0c"', '"\\ud800"', '"\\u00e9"', "é", "1", "-", "-2.5", "e3", "0", ".", "true", "null"),
    *("NaN", "Infinity", '{"a":1}', "[1,2]", '{"k"\uff1a[{"x":1}\uff0c{"x":"\uff1a"}]}'),
)
NAMES = st.text("ab#/~", max_size=2)
NESTED: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text('a\uff0c\\"é\n', max_size=4),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("ab#/~", max_size=2), inner, max_size=4)
    ),
    max_leaves=12,
)
TEXTS = st.lists(st.sampled_from(PIECES), max_size=10).map("".join) | st.lists(NESTED, max_size=4).map(
    lambda documents: " ".join(json.dumps(one, ensure_ascii=False) for one in documents)
)


def cut(body: bytes, size: int) -> Iterator[bytes]:
    return (body[at : at + size] for at in range(0, len(body), size))


def entered(stream: JsonStream) -> Tree:
    """Read a value by entering whatever can be entered."""
    if stream.peek() == "{":
        return {name: entered(stream) for name in stream.members()}
    if stream.peek() == "[":
        return [entered(stream) for _ in stream.elements()]
    value = stream.value()
    assert value is not TOO_LARGE
    return value


def taken(stream: JsonStream) -> Tree:
    """Read a value whole, or enter it where it is too large."""
    value = stream.value()
    if value is not TOO_LARGE:
        return value
    if stream.peek() == "{":
        return {name: taken(stream) for name in stream.members()}
    return [taken(stream) for _ in stream.elements()]


def check_against_the_whole(body: bytes, size: int, limit: int, read: Any) -> None:
    """Compare what comes piece by piece with what is read at once, or that both refuse it."""
    found, error = None, None
    stream = JsonStream([body], max_value=limit, block=size)
    try:
        found = [read(stream) for _ in stream.documents()]
    except ParseError as refused:
        error = refused
    if error is not None and error.reason == "too large":
        return  # one text or number, which nobody can enter
    try:
        whole = embedded.read(body)
    except ParseError:
        assert error is not None
    else:
        assert (found, stream.repaired) == (list(whole.documents), whole.repaired)


READ = [entered, taken]


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.integers(1, 9), st.sampled_from([6, 20, 10**6]), st.sampled_from(READ))
def test_it_reads_what_the_whole_holds_and_refuses_what_the_whole_refuses(
    text: str, size: int, limit: int, read: Any
) -> None:
    check_against_the_whole(text.encode(), size, limit, read)


@pytest.mark.parametrize("size", [1, 1_000, 256 * 1024, 10**7])
def test_of_several_faults_the_same_is_told_however_it_is_cut(size: int) -> None:
    with pytest.raises(ParseError, match="not UTF-8"):
        list(JsonStream(cut(b'[NaN, "\xff"]', size)).leaves(""))


@pytest.mark.parametrize("size", [1_000, 256 * 1024, 10**7])
def test_a_value_that_is_too_large_is_so_however_it_is_cut(size: int) -> None:
    largest = json.dumps("x" * (MAX_VALUE - 2)).encode()

    assert JsonStream(cut(largest, size)).value() == "x" * (MAX_VALUE - 2)
    with pytest.raises(ParseError, match="too large"):
        JsonStream(cut(b'"x' + largest[1:], size)).value()
    assert JsonStream(cut(b"[" + largest + b"]", size)).value() is TOO_LARGE


@pytest.mark.parametrize("read", READ)
@pytest.mark.parametrize("size", [1, 1_000])
@pytest.mark.parametrize("limit", [6, 10**6])
@pytest.mark.parametrize(
    "body",
    [
        b'\xef\xbb\xbf{"a": [1, -2.5e3, "x"], "b": {}}\n[] "t" 12 true',
        '{"k"\uff1a [{"x": 1}\uff0c {"x": "\uff1a"}]}'.encode(),
        *(b'{"a" 1}', b'{"a": 1,}', b"{1: 2}", b"[1 2]", b"[1,]", b'{"a": 1, "a": 2}', b"[NaN]", b"[[[1]]]]"),
        *(b'["\\ud800"]', b'["\\ud83d\\ude00"]', b'["\xff"]', b"", b" \n", b"12 -", b'{"a": [{"b": "c"}'),
    ],
)
def test_documents_are_read_or_refused_as_the_whole_is(body: bytes, size: int, limit: int, read: Any) -> None:
    check_against_the_whole(body, size, limit, read)


DOCUMENTS = b'{"a/b": [1, {"c": null}], "d": 5} [[7]] "t"'


@pytest.mark.parametrize(
    ("pointer", "value"),
    [("/0/a~1b/1/c", None), ("/0/a~1b/1", {"c": None}), ("/0/d", "5"), ("/1/0/0", "7"), ("/2", "t")],
)
def test_a_pointer_leads_to_a_value(pointer: str, value: Tree) -> None:
    assert value_at(cut(DOCUMENTS, 4), pointer) == value


@pytest.mark.parametrize("pointer", ["/3", "/0/x", "/0/d/0", "/1/1", "/2/0", "/0/a~1b/01"])
def test_a_pointer_that_leads_nowhere_is_refused(pointer: str) -> None:
    with pytest.raises(ParseError, match="nothing stands there"):
        value_at(cut(DOCUMENTS, 4), pointer)


def test_nobody_is_shown_what_memory_has_no_room_for() -> None:
    body = b"[" + b"[1]," * MAX_VALUE + b"[1]]"

    with pytest.raises(ParseError, match="too large to be shown"):
        value_at(cut(body, 100_000), "/0")
    with pytest.raises(ParseError, match="too large to be shown"):
        value_at(cut(body, 100_000), "")


@settings(deadline=None)
@given(NESTED)
def test_the_leaves_of_a_value_of_any_size_are_those_of_the_whole(tree: Any) -> None:
    body = json.dumps(tree, ensure_ascii=False).encode()
    stream = JsonStream([body], max_value=20, block=3)
    whole = embedded.read(body).tree

    assert list(stream.leaves("at")) == list(leaves(whole, "at"))


@settings(deadline=None)
@given(st.lists(NESTED, min_size=1, max_size=3), st.data())
def test_a_pointer_leads_to_the_same_value_as_in_the_whole(documents: list[Any], data: st.DataObject) -> None:
    body = " ".join(json.dumps(one, ensure_ascii=False) for one in documents).encode()
    whole = list(embedded.read(body).documents)
    pointer = data.draw(st.sampled_from([at for at, _ in leaves(whole)] + ["/0", "/9", "/0/zz"]))

    try:
        expected = resolve({"x": whole}, f"x:{pointer}")
    except ParseError:
        with pytest.raises(ParseError, match="nothing stands there"):
            value_at(cut(body, 5), pointer)
    else:
        assert value_at(cut(body, 5), pointer) == expected


def test_objects_that_are_entered_have_so_many_members_together() -> None:
    def members(count: int) -> str:
        return json.dumps({str(i): 0 for i in range(count)})

    most = members(MAX_NAMES - 2)
    body = f'{{"a": {most}, "b": {most}}}'.encode()
    assert len(list(JsonStream([body], max_value=10).leaves(""))) == 2 * (MAX_NAMES - 2)
    body = f'{{"a": 1, "b": {members(MAX_NAMES - 1)}}}'.encode()
    with pytest.raises(ParseError, match="too many members"):
        list(JsonStream([body], max_value=10).leaves(""))


def test_a_name_in_an_object_that_is_entered_is_short() -> None:
    for more, error in ((0, nullcontext()), (1, pytest.raises(ParseError, match="a name is too large"))):
        name = "n" * (MAX_NAME + more)
        stream = JsonStream([json.dumps({name: 1}).encode()])
        with error:
            assert {found: stream.value() for found in stream.members()} == {name: "1"}


@pytest.mark.parametrize("read", [entered, taken])
def test_nesting_has_the_limit_of_the_whole(read: Any) -> None:
    def body(depth: int) -> bytes:
        return b"[" * depth + b"]" * depth

    assert read(JsonStream([body(MAX_DEPTH)])) is not None
    with pytest.raises(ParseError, match="nested too deep"):
        read(JsonStream([body(MAX_DEPTH + 1)]))
    with pytest.raises(ParseError, match="nested too deep"):
        read(JsonStream([b"[" * 200_000]))


@pytest.mark.parametrize("first", [b'["x', b"[1", b"[-1.5"])
def test_a_text_or_number_that_nobody_can_enter_is_refused_before_it_is_all_read(first: bytes) -> None:
    def endless() -> Iterator[bytes]:
        yield first
        while True:
            yield b"1" * 100

    stream = JsonStream(endless(), max_value=1_000)

    with pytest.raises(ParseError, match="too large"):
        list(stream.leaves(""))


def test_what_is_no_json_is_refused_however_much_follows() -> None:
    with pytest.raises(ParseError, match="not JSON"):
        JsonStream([b"x" * 100], max_value=10).value()
