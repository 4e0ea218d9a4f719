"""A pointer leads back to the value that it was made for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.documents.pointers import escape, leaves, resolve, scalar_text, unescape
from shared.errors import ParseError
from shared.toolkit.strict_json import NumberText, Tree, parse

KEYS = st.text(max_size=5) | st.sampled_from(["", "/", "~", "#", "~0", "~1", "~2", "~01", "a:b", "0", "-"])
TREES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
ANSWER: Tree = {
    "Job": {"Results": json.dumps({"Freeze": [{"Score": 0.5}], "a#b": "x"}), "Text": "x"},
    "": {"": "empty keys"},
    "a/b~c#d:e.f": ["0", "1"],
    "Number": NumberText("42"),
}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("answer:", ANSWER),
        ("answer:/Job/Text", "x"),
        ("answer://", "empty keys"),
        ("answer:/a~1b~0c~2d:e.f/1", "1"),
        ("answer:/Job/Results#", {"Freeze": [{"Score": "0.5"}], "a#b": "x"}),
        ("answer:/Job/Results#/Freeze/0/Score", "0.5"),
        ("answer:/Job/Results#/a~2b", "x"),
        ("answer:/Number#", "42"),
    ],
)
def test_a_source_leads_to_its_value(source: str, value: Tree) -> None:
    assert resolve({"answer": ANSWER, "output": []}, source) == value


def test_strings_in_strings_are_opened_to_any_depth() -> None:
    inner = json.dumps({"Data": json.dumps({"result": [{"file": "a.mp4"}]})})

    assert resolve({"answer": {"Result": inner}}, "answer:/Result#/Data#/result/0/file") == "a.mp4"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("output:/x", "no such part"),
        ("", "no such part"),
        ("answer:Job", "begins with a slash"),
        ("answer:/Nowhere", "nothing stands there"),
        ("answer:/Job/Text/0", "nothing stands there"),
        ("answer:/a~1b~0c~2d:e.f/2", "nothing stands there"),
        ("answer:/a~1b~0c~2d:e.f/-1", "nothing stands there"),
        ("answer:/a~1b~0c~2d:e.f/01", "nothing stands there"),
        ("answer:/a~1b~0c~2d:e.f/\u0661", "nothing stands there"),
        ("answer:/a~1b~0c~2d:e.f/" + "9" * 5000, "nothing stands there"),
        ("answer:/Job#/Text", "only a text can hold another document"),
        ("answer:/Job/Text#/x", "not JSON"),
    ],
)
def test_a_source_that_leads_nowhere_says_where_it_ended(source: str, reason: str) -> None:
    with pytest.raises(ParseError, match=reason):
        resolve({"answer": ANSWER}, source)


@given(KEYS)
def test_any_key_survives_being_a_token(key: str) -> None:
    token = escape(key)

    assert unescape(token) == key
    assert not set("/#") & set(token)


@given(TREES)
def test_every_leaf_is_found_again_by_its_pointer(value: Any) -> None:
    tree = parse(json.dumps(value))

    found = list(leaves(tree))

    assert len({pointer for pointer, _ in found}) == len(found)
    for pointer, text in found:
        there = resolve({"answer": tree}, f"answer:{pointer}")
        assert not isinstance(there, (dict, list))
        assert scalar_text(there) == text


def test_leaves_come_in_document_order_and_empty_containers_are_none() -> None:
    tree = parse('{"b": [1, {}, [true, null]], "a": "x", "c": []}')

    assert list(leaves(tree)) == [
        ("/b/0", "1"),
        ("/b/2/0", "true"),
        ("/b/2/1", "null"),
        ("/a", "x"),
    ]
