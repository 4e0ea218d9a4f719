from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.documents.embedded import read
from shared.errors import ParseError
from shared.toolkit.strict_json import NumberText

JSON = st.recursive(
    st.none() | st.booleans() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(JSON, min_size=1, max_size=4), st.sampled_from(["", " ", "\n", "\t\r\n "]))
def test_documents_one_after_the_other_are_read_in_order(documents: list[object], between: str) -> None:
    text = between.join(json.dumps(document, ensure_ascii=False) for document in documents)

    assert read(text).documents == tuple(documents)


def test_one_document_is_the_tree_and_several_are_a_list_of_it() -> None:
    assert read('{"a": "1"}').tree == {"a": "1"}
    assert read('{"a": "1"} {}').tree == [{"a": "1"}, {}]


@pytest.mark.parametrize(
    ("text", "tree", "repaired"),
    [
        ('{"a": [{}\uff0c {}]}', {"a": [{}, {}]}, ("full-width comma",)),
        ('{"result"\uff1a[]}', {"result": []}, ("full-width colon",)),
        ('{"a"\uff1a"x"\uff0c"b":"y"}', {"a": "x", "b": "y"}, ("full-width colon", "full-width comma")),
    ],
)
def test_a_slip_is_read_as_it_was_meant_and_told(text: str, tree: object, repaired: tuple[str, ...]) -> None:
    found = read(text)

    assert (found.tree, found.repaired) == (tree, repaired)


@given(st.text(alphabet='\uff0c\uff1a\\"a,:', max_size=20))
def test_what_stands_in_a_string_is_never_mended(content: str) -> None:
    mended = read(json.dumps({"said": content}, ensure_ascii=False)[:-1] + '\uff0c "more"\uff1a "yes"}')

    assert mended.tree == {"said": content, "more": "yes"}


def test_what_can_be_read_as_it_is_is_not_mended() -> None:
    assert read('{"\uff0c": "\uff1a"}').repaired == ()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"  ",
        b"{",
        b'{"a": 1,}',
        b'{"a":1}\xef\xbc\x8c',
        b'["a\xff"\xef\xbc\x8c 1]',
        b'{"a":1,"a":2}',
        b"[NaN]",
        b"[" * 100,
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(ParseError):
        read(data)


def test_numbers_keep_their_digits() -> None:
    (number,) = read("4.1806020736694336").documents

    assert (number, type(number)) == ("4.1806020736694336", NumberText)
