"""What is read is taken, and everything else comes back."""

from __future__ import annotations

import pytest

from shared.documents.cursor import Walk, is_whole_number
from shared.toolkit.strict_json import parse


def walk(text: str) -> Walk:
    return Walk("answer", parse(text))


def test_what_nobody_took_is_unmapped_sorted_by_source() -> None:
    read = walk('{"b": {"x": 1, "y": true}, "a/b": ["t", {"z": null}], "c": "taken", "e": {}}')

    read.root.text("c")

    assert read.unmapped() == [
        ("answer:/a~1b/0", "t"),
        ("answer:/a~1b/1/z", "null"),
        ("answer:/b/x", "1"),
        ("answer:/b/y", "true"),
    ]


def test_text_and_numbers_are_taken_as_text() -> None:
    read = walk('{"a": "x", "b": 1.50, "c": "", "d": null}')

    assert [read.root.text(name) for name in "abcde"] == ["x", "1.50", None, None, None]
    assert [type(read.root.text(name)) for name in "ab"] == [str, str]
    assert read.unmapped() == []


@pytest.mark.parametrize("value", ["true", "[]", "{}", '["x"]', '{"x": "y"}'])
def test_what_is_no_text_is_left(value: str) -> None:
    read, untouched = walk(f'{{"a": {value}}}'), walk(f'{{"a": {value}}}')

    assert read.root.text("a") is None
    assert read.root.integer("a") is None
    assert read.unmapped() == untouched.unmapped()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("0", 0), ("-5", -5), ("007", 7), ("9" * 18, 10**18 - 1)),
        *((text, None) for text in (" 5", "5.0", "+5", "1e3", "-", "\u0665", "9" * 19)),
    ],
)
def test_whole_numbers_are_taken_and_other_texts_left(text: str, number: int | None) -> None:
    read = walk(f'{{"a": "{text}"}}')

    assert read.root.integer("a") == number
    assert read.unmapped() == ([] if number is not None else [("answer:/a", text)])
    assert is_whole_number(text) == (number is not None)


@pytest.mark.parametrize("nothing", ["null", '""'])
def test_nothing_is_taken_where_a_number_may_be(nothing: str) -> None:
    read = walk(f'{{"a": {nothing}}}')

    assert read.root.integer("a") is None
    assert read.unmapped() == []


def test_a_null_is_taken_where_an_object_or_a_list_may_be() -> None:
    read = walk('{"a": null, "b": null}')

    assert read.root.object("a") is None
    assert read.root.items("b") == []
    assert read.unmapped() == []


def test_only_the_objects_of_a_list_are_items_and_they_keep_their_index() -> None:
    read = walk('{"a": [1, {"x": "first"}, [{}], {"x": "second"}]}')

    items = read.root.items("a")

    assert [(item.source, item.text("x")) for item in items] == [
        ("answer:/a/1", "first"),
        ("answer:/a/3", "second"),
    ]
    assert read.unmapped() == [("answer:/a/0", "1")]


def test_going_to_an_object_takes_nothing_of_it() -> None:
    read = walk('{"a": {"x": "1", "y": "2"}}')
    inside = read.root.object("a")

    assert inside is not None
    inside.text("x")

    assert read.unmapped() == [("answer:/a/y", "2")]


def test_what_was_put_back_or_not_ignored_comes_back() -> None:
    read = walk('{"a": "1", "b": {"x": ["2"]}, "c": "3"}')

    read.root.text("a")
    read.root.put_back("a")
    read.root.ignore("b")
    read.root.ignore("absent")

    assert read.unmapped() == [("answer:/a", "1"), ("answer:/c", "3")]


def test_whoever_goes_to_a_member_again_finds_what_was_taken_before() -> None:
    read = walk('{"a": {"x": "1", "y": "2"}, "b": ["3", {"z": "4"}]}')
    for name in ("x", "y"):
        inside = read.root.object("a")
        assert inside is not None
        inside.text(name)
    twice = [node for _ in range(2) for node in read.root.items("b")]
    twice[0].text("z")

    assert read.unmapped() == [("answer:/b/0", "3")]


@pytest.mark.parametrize(
    ("text", "count", "left"),
    [
        ('{"a": {"x": 1}}', 1, [("answer:/a/x", "1")]),
        ('{"a": [{"x": 1}, 2]}', 1, [("answer:/a/0/x", "1"), ("answer:/a/1", "2")]),
        ('{"a": "[{\\"x\\": 1}, 2]"}', 1, [("answer:/a#/0/x", "1"), ("answer:/a#/1", "2")]),
        ('{"a": []}', 0, []),
        ('{"a": "no JSON"}', None, [("answer:/a", "no JSON")]),
        ('{"a": 5}', None, [("answer:/a", "5")]),
    ],
)
def test_what_stands_in_a_member_of_any_shape_stays_until_it_is_taken(
    text: str, count: int | None, left: list[tuple[str, str]]
) -> None:
    read = walk(text)

    for _ in range(2):
        found = read.root.nested("a")
        assert (None if found is None else len(found)) == count
    assert read.unmapped() == left


def test_an_object_of_empty_containers_has_no_leaves() -> None:
    read = walk('{"a": [{}, []], "b": {"c": null}}')
    inside = read.root.object("b")

    assert inside is not None
    assert inside.has_leaves()
    assert not walk('{"a": [{}, []]}').root.has_leaves()


@pytest.mark.parametrize("text", ['"x"', "[1]", "null"])
def test_a_part_that_is_no_object_has_no_members_and_is_unmapped(text: str) -> None:
    read = walk(text)

    assert (read.root.names(), read.root.text("x")) == ([], None)
    assert len(read.unmapped()) == 1


def test_no_text_leaves_with_the_query_of_a_url() -> None:
    read = walk('{"a": "see https://x.test/p?Signature=s", "b": ["http://x.test/q#s"]}')

    assert read.root.text("a") == "see https://x.test/p"
    assert read.unmapped() == [("answer:/b/0", "http://x.test/q")]
