"""One answer, two formats, one meaning."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from localcloud.media.rendering import render
from localcloud.media.wire import Tree
from shared.toolkit import xml_tree

names = st.sampled_from(["Label", "Url", "TopList", "Data", "Zz_9"])
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).filter(
    lambda text: text.strip() == text and not set(text) & {"\ufffe", "\uffff"}
)
leaves = texts | st.integers(min_value=0, max_value=10**16)
trees = st.dictionaries(
    names,
    st.recursive(leaves, lambda inner: st.dictionaries(names, inner, min_size=1, max_size=3), max_leaves=8),
    min_size=1,
    max_size=4,
)


def as_texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: as_texts(member) for name, member in value.items()}
    return str(value)


@given(trees)
def test_both_formats_say_the_same(tree: dict[str, Any]) -> None:
    in_json = render(tree, root="Answer", answer_format="json")
    in_xml = render(tree, root="Answer", answer_format="xml")

    assert json.loads(in_json) == tree
    assert xml_tree.parse(in_xml) == as_texts(tree)


def test_a_list_is_written_as_repeated_elements_without_a_wrapper() -> None:
    tree: dict[str, Tree] = {"TopList": [{"Score": "1"}, {"Score": "2"}], "Empty": [], "Nothing": None}

    written = render(tree, root="Answer", answer_format="xml")

    assert written.endswith(
        b"<Answer><TopList><Score>1</Score></TopList><TopList><Score>2</Score></TopList></Answer>"
    )


def test_what_xml_cannot_hold_is_replaced() -> None:
    written = render({"Content": "a\x00\x1b<&>b"}, root="Answer", answer_format="xml")

    assert xml_tree.parse(written) == {"Content": "a\ufffd\ufffd<&>b"}
