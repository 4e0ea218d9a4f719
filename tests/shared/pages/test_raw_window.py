"""A raw answer around one place: what is asked for is there, and what is shown does not grow with it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.documents.pointers import escape, leaves, resolve, scalar_text
from shared.pages.raw_window import Line, excerpt, whole, window
from shared.toolkit.strict_json import Tree

TREES: st.SearchStrategy[Tree] = st.recursive(
    st.none() | st.booleans() | st.text(max_size=200),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=4), inner, max_size=8),
    max_leaves=60,
)
MOST = 150


@st.composite
def places(draw: st.DrawFn) -> tuple[Tree, str]:
    tree = draw(TREES)
    known = [pointer for pointer, _ in leaves(tree)] or [""]
    return tree, draw(st.sampled_from(known))


@given(places())
def test_what_is_asked_for_is_shown_once_and_marked(place: tuple[Tree, str]) -> None:
    tree, pointer = place
    at = f"answer:{pointer}"

    shown = window("answer", tree, at)

    (here,) = [line for line in shown.lines if line.is_here]
    value = resolve({"answer": tree}, at)
    assert (here.at, shown.missing, shown.crumbs[-1].at, here.anchor) == (at, None, at, "here")
    assert isinstance(value, dict | list) or here.text == scalar_text(value)[:4_000]


@given(places())
def test_every_line_has_the_address_of_what_it_shows(place: tuple[Tree, str]) -> None:
    tree, pointer = place

    for line in window("answer", tree, f"answer:{pointer}").lines:
        value = resolve({"answer": tree}, line.at)
        assert line.form in ("cut", "object", "list") or scalar_text(value).startswith(line.text)  # type: ignore[arg-type]  # a leaf


@pytest.mark.parametrize("pointer", ["", "/Rows", "/Rows/0", "/Rows/1234", "/Rows/1999/B/7/C"])
def test_what_is_shown_is_of_a_bounded_size(pointer: str) -> None:
    row: Tree = {"A": "x", "B": [{"C": "y"}] * 50}
    tree: Tree = {"Rows": [row] * 2_000}

    assert len(window("answer", tree, f"answer:{pointer}").lines) <= MOST


def test_neighbours_stand_beside_the_way_and_the_others_are_counted() -> None:
    tree: Tree = {"List": [str(number) for number in range(100)]}

    lines = window("answer", tree, "answer:/List/50").lines

    assert [(line.form, line.name or line.count, line.at) for line in lines if line.depth == 2] == [
        ("cut", 45, "answer:/List/0"),
        *[("text", str(number), f"answer:/List/{number}") for number in range(45, 56)],
        ("cut", 44, "answer:/List/56"),
    ]


def test_a_document_in_a_text_is_opened_where_the_address_leads_into_it() -> None:
    tree: Tree = {"Results": json.dumps({"Freeze": [{"Score": 0.5}]})}
    at = "answer:/Results#/Freeze/0/Score"

    shown = window("answer", tree, at)

    assert [line.form for line in shown.lines] == ["object", "document", "object", "list", "object", "number"]
    assert [crumb.name for crumb in shown.crumbs] == ["answer", "Results", "#", "Freeze", "0", "Score"]
    assert window("answer", tree, "answer:/Results#").lines[-1].at.endswith("/Score")


def test_an_address_that_leads_nowhere_shows_as_much_of_the_way_as_there_is() -> None:
    tree: Tree = {"Job": {"Id": "1", "Text": "no document"}}

    for at in ("answer:/Job/Nothing", "answer:/Job/Text#/a", "answer:/Job/Id/0", "answer:nothing"):
        shown = window("answer", tree, at)
        assert (shown.missing, shown.lines[0].at) == (at, "answer:")


def test_without_an_address_the_root_is_shown_and_nothing_is_marked() -> None:
    lines = window("answer", {"a": {"b": "c"}}).lines

    assert [(line.name, line.is_open, line.is_here) for line in lines] == [
        ("answer", True, False),
        ("a", True, False),
        ("b", False, False),
    ]


def test_a_long_text_is_cut_unless_it_is_what_was_asked_for() -> None:
    tree: Tree = {"Long": "x" * 10_000}

    (beside,) = [line for line in window("answer", tree).lines if line.name == "Long"]
    (here,) = [line for line in window("answer", tree, "answer:/Long").lines if line.name == "Long"]

    assert (len(beside.text), beside.holds_more) == (160, True)
    assert (len(here.text), here.is_cut) == (4_000, True)


@given(TREES)
def test_a_whole_answer_has_each_leaf_once(tree: Tree) -> None:
    lines = whole("answer", tree, (), 10_000)

    assert lines is not None
    shown = [line.at for line in lines if line.form not in ("object", "list")]
    assert shown == [f"answer:{pointer}" for pointer, _ in leaves(tree)]


def test_a_whole_answer_opens_the_documents_that_addresses_lead_into() -> None:
    tree: Tree = {"In": json.dumps({"a": {"b": json.dumps([1])}}), "Other": "[1]", "Text": "x"}

    lines = whole("answer", tree, ["answer:/In#/a/b#/0", "answer:/Text#/0"], 100)

    assert lines is not None
    assert {"answer:/In#/a/b#/0"} <= {line.at for line in lines}
    assert [(line.form, line.may_hold_document) for line in lines if line.name in ("Other", "Text")] == [
        ("text", True),
        ("text", False),
    ]


def test_an_answer_that_is_too_large_is_not_given_whole() -> None:
    assert whole("answer", ["x"] * 100, (), 100) is None


def test_an_excerpt_holds_what_stands_at_an_address_alone() -> None:
    tree: Tree = {"List": [{"a": "1"}, {"a": "2"}]}

    shown = excerpt("answer", tree, "answer:/List/1")

    assert shown is not None
    assert [(line.name, line.text) for line in shown.lines] == [("1", ""), ("a", "2")]
    assert excerpt("answer", tree, "answer:/List/2") is None


def test_keys_with_signs_of_pointers_are_addressed() -> None:
    tree: Tree = {"a/b#~": {"": "x"}}
    at = f"answer:/{escape('a/b#~')}/"

    (here,) = [line for line in window("answer", tree, at).lines if line.is_here]

    assert (here.text, here.at) == ("x", at)


def test_a_document_that_is_null_is_a_document() -> None:
    shown = window("answer", {"Text": "null"}, "answer:/Text#")

    assert (shown.missing, shown.lines[-1].form, shown.lines[-1].text) == (None, "word", "null")


def test_a_cut_holds_nothing_to_open() -> None:
    assert not Line(0, "", "cut", "answer:", count=0).may_hold_document
