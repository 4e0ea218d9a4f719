"""JSON is decoded strictly, and nothing of it is lost on the way."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ParseError
from shared.toolkit.strict_json import MAX_CONTAINERS, MAX_VALUES, NumberText, Tree, parse, parse_stream

MEGABYTE = 1024 * 1024


@pytest.mark.parametrize(
    ("body", "reason"),
    {
        "empty": (b"", "not JSON"),
        "white space": (b" \n", "not JSON"),
        "cut off": (b'{"a": [1, 2', "not JSON"),
        "trailing garbage": (b"{} {}", "not JSON: Extra data"),
        "trailing comma": (b"[1,]", "not JSON"),
        "single quotes": (b"{'a': 1}", "not JSON"),
        "control character": (b'"a\nb"', "not JSON"),
        "duplicate key": (b'{"a": 1, "b": 2, "a": 1}', "a key stands twice"),
        "duplicate key, once escaped": (b'{"a": 1, "\\u0061": 2}', "a key stands twice"),
        "duplicate key inside": (b'[{"x": {"a": 1, "a": 2}}]', "a key stands twice"),
        "NaN": (b'{"a": NaN}', "NaN is not JSON"),
        "Infinity": (b"[Infinity]", "Infinity is not JSON"),
        "minus Infinity": (b"-Infinity", "-Infinity is not JSON"),
        "escaped lone surrogate": (b'["\\ud83d"]', "lone surrogate"),
        "escaped lone low surrogate": (b'["\\uDE00 "]', "lone surrogate"),
        "escaped lone surrogate in a key": (b'{"\\ud83d": 1}', "lone surrogate"),
        "raw lone surrogate": (b'["\xed\xa0\xbd"]', "not UTF-8"),
        "not UTF-8": (b'["\xff"]', "not UTF-8"),
        "GBK": ('["中文"]'.encode("gbk"), "not UTF-8"),
        "UTF-16 with BOM": ("{}".encode("utf-16"), "not UTF-8"),
        "UTF-16 without BOM": ("{}".encode("utf-16-le"), "not JSON"),
        "two BOMs": (b"\xef\xbb\xbf\xef\xbb\xbf{}", "not JSON"),
    }.values(),
)
def test_what_is_not_exactly_one_value_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(ParseError, match=reason) as caught:
        parse(body)

    assert caught.value.layer == "json"


def test_a_text_with_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(ParseError, match="not UTF-8"):
        parse('["\ud83d"]')


def test_an_error_about_a_key_can_be_printed() -> None:
    with pytest.raises(ParseError, match="twice") as caught:
        parse(b'{"\\ud83d": 1, "\\ud83d": 2}')

    assert str(caught.value).encode()


def test_surrogate_pairs_and_null_characters_are_text() -> None:
    assert parse(b'["\\ud83d\\ude00", "\xf0\x9f\x98\x80", "\\u0000"]') == ["😀", "😀", "\x00"]


def test_one_byte_order_mark_is_no_part_of_the_document() -> None:
    assert parse(b'\xef\xbb\xbf{"a": null}') == {"a": None}


@pytest.mark.parametrize(
    "number",
    ["0", "-0", "100.0000000000", "1e400", "-2.5150070190429688", "1253406881704637", "9" * 5000],
)
def test_a_number_is_kept_digit_by_digit(number: str) -> None:
    tree = parse(f"[{number}]")

    assert tree == [number]
    assert isinstance(tree, list)
    assert isinstance(tree[0], NumberText)


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
def test_nesting_is_refused_beyond_the_limit_and_not_before(opening: str) -> None:
    closing = "".join({"[": "]", "{": "}"}[c] for c in reversed(opening) if c in "[{")
    levels = len(closing)

    assert parse(opening * (64 // levels) + "1" + closing * (64 // levels))
    with pytest.raises(ParseError, match="nested too deep"):
        parse(opening * (64 // levels + 1) + "1" + closing * (64 // levels + 1))


def test_nesting_is_refused_before_anything_is_decoded() -> None:
    """The document is cut off: a decoder that had begun would have said so, or run out of stack."""
    with pytest.raises(ParseError, match="nested too deep"):
        parse(b"[" * 100_000)


@pytest.mark.parametrize(
    "text",
    {
        "plain": "[{" * 100,
        "after an escaped quote": '\\"' + "[" * 100,
        "after an escaped backslash": "\\\\" + "{" * 100,
        "after both": '\\\\\\"[' * 100,
        "closing ones": "]" * 100,
    }.values(),
)
def test_brackets_inside_a_string_do_not_nest(text: str) -> None:
    assert parse(f'{{"{text}": ["{text}", 1]}}')


@given(st.text(alphabet='\\"[]{}a', max_size=40), st.text(alphabet='\\"[]{}a', max_size=40))
def test_a_string_hides_exactly_its_own_brackets(before: str, after: str) -> None:
    deep = "[" * 65 + "]" * 65

    assert parse(json.dumps([before, deep, after])) == [before, deep, after]
    with pytest.raises(ParseError, match="nested too deep"):
        parse(f"[{json.dumps(before)}, {deep}, {json.dumps(after)}]")


def test_wide_documents_may_have_any_number_of_brackets() -> None:
    assert parse(json.dumps([[{}]] * 1000)) == [[{}]] * 1000


@pytest.mark.parametrize(
    "body",
    {
        "one text": json.dumps("媒" * (20 * MEGABYTE // 3), ensure_ascii=False).encode(),
        "escapes": b'["' + b'\\"' * (10 * MEGABYTE) + b'",' + b"[]," * 65 + b"0]",
        "a text that never ends": b"[" + b"[]," * 65 + b'"' + b'\\"' * (10 * MEGABYTE),
        "backslashes": b"[" + b"[]," * 65 + b'"' + b"\\" * (20 * MEGABYTE),
        "quotes": b"[" + b"[]," * 65 + b'"' * (10 * MEGABYTE),
        "brackets": b"[" + b"[]," * (7 * MEGABYTE) + b"0",
    }.values(),
    ids=["text", "escapes", "unterminated", "backslashes", "quotes", "brackets"],
)
def test_twenty_megabytes_are_read_or_refused_whatever_is_in_them(body: bytes) -> None:
    # Anything quadratic would not end before the suite's own limit does.
    assert outcome_of(body) in ("read", "not JSON", "too many objects and lists")


@pytest.mark.parametrize(
    ("element", "limit", "reason"),
    [("{}", MAX_CONTAINERS, "too many objects and lists"), ("1", MAX_VALUES, "too many values")],
)
def test_what_holds_very_much_is_refused_before_it_is_decoded(element: str, limit: int, reason: str) -> None:
    within = f"[{','.join([element] * (limit - 1))}]"
    beyond = f"[{','.join([element] * (limit + 1))}] and no JSON"

    assert outcome_of(within.encode()) == "read"
    assert outcome_of(beyond.encode()) == reason


def test_what_stands_in_a_text_counts_for_nothing() -> None:
    text = "[{," * (MAX_VALUES // 2)

    assert parse(json.dumps([text])) == [text]


def test_a_stream_is_limited_as_a_whole() -> None:
    with pytest.raises(ParseError, match=r"too many objects and lists .*limit=500000"):
        next(parse_stream("{}" * (MAX_CONTAINERS + 1)))


def outcome_of(body: bytes) -> str:
    try:
        parse(body)
    except ParseError as error:
        return error.reason.partition(":")[0]
    return "read"


def test_what_is_too_large_is_refused_with_the_limit() -> None:
    with pytest.raises(ParseError, match=r"too large .*size=11, limit=10"):
        parse(b'"123456789"', max_bytes=10)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.text()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=20,
    ),
    st.booleans(),
)
def test_it_reads_what_the_standard_decoder_reads(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    expected: Tree = json.loads(text, parse_int=str, parse_float=str)

    assert parse(text.encode()) == expected


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    assert outcome_of(body)
