"""XML becomes the tree that the same answer has in JSON."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ParseError
from shared.toolkit.strict_json import Tree
from shared.toolkit.xml_tree import MAX_ELEMENTS, parse

MEGABYTE = 1024 * 1024
LAUGHS = "".join(
    f'<!ENTITY l{n} "{laugh}">' for n, laugh in enumerate((f"&l{n};" * 10 for n in range(9)), start=1)
)
BILLION_LAUGHS = f'<!DOCTYPE a [<!ENTITY l0 "ha">{LAUGHS}]><a>&l9;</a>'


def read(body: bytes | str) -> Tree:
    return parse(body, lists=frozenset({"TopList"}), containers=frozenset({"Data"}))


@pytest.mark.parametrize(
    ("body", "tree"),
    [
        ("<r><a>1</a><b>x</b></r>", {"a": "1", "b": "x"}),
        ("<r>text</r>", "text"),
        ("<r><a> x </a></r>", {"a": " x "}),
        ("<r><a/><b></b><c> </c></r>", {"a": "", "b": "", "c": " "}),
        ("<r>\n  <a>1</a>\n</r>", {"a": "1"}),
        ("<r><a>1</a><b>2</b><a>3</a><a/></r>", {"a": ["1", "3", ""], "b": "2"}),
        ("<r><TopList><n>1</n></TopList></r>", {"TopList": [{"n": "1"}]}),
        ("<r><TopList>x</TopList></r>", {"TopList": ["x"]}),
        ("<r><TopList/></r>", {"TopList": [{}]}),
        ("<r><TopList/><TopList><n>1</n></TopList></r>", {"TopList": [{}, {"n": "1"}]}),
        ("<r><Data/></r>", {"Data": {}}),
        ("<r><Data>\n</Data></r>", {"Data": {}}),
        ("<r><Data>x</Data></r>", {"Data": "x"}),
        ("<r><a><![CDATA[<b>&]]>c</a></r>", {"a": "<b>&c"}),
        ("<r><!-- no --><a>1<!-- no -->2</a><?pi no?></r>", {"a": "12"}),
        ("<r><a>&lt;&#20013;&amp;&#13;</a></r>", {"a": "<中&\r"}),
        ("<r><a>1</a>left<b>2</b> over</r>", {"a": "1", "b": "2", "#text": "left over"}),
        ("<r><a>1</a>\u00a0</r>", {"a": "1", "#text": "\u00a0"}),
        ('<r x="1"><a y="2">3</a></r>', {"@x": "1", "a": {"@y": "2", "#text": "3"}}),
        (
            '<v:r xmlns:v="urn:v" xmlns="urn:d"><v:a>1</v:a><b v:c="2"/></v:r>',
            {"a": "1", "b": {"@c": "2"}},
        ),
    ],
)
def test_elements_become_members(body: str, tree: Tree) -> None:
    assert read(body) == tree
    assert read(body.encode()) == tree


@pytest.mark.parametrize(
    ("body", "reason"),
    {
        "empty": (b"", "not XML"),
        "text": (b"hello", "not XML"),
        "no root": (b"<a/><b/>", "not XML"),
        "cut off": (b"<a><b>", "not XML"),
        "unknown entity": (b"<a>&nbsp;</a>", "not XML"),
        "DTD": (b"<!DOCTYPE a><a/>", "it has a document type"),
        "entity": (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "it has a document type"),
        "file": (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///x">]><a>&x;</a>', "refused XML"),
        "billion laughs": (BILLION_LAUGHS.encode(), "it has a document type"),
        "GBK": ('<?xml version="1.0" encoding="GBK"?><a>中</a>'.encode("gbk"), "not XML"),
        "unknown encoding": (b'<?xml version="1.0" encoding="klingon"?><a/>', "not XML"),
        "not what it says": (b'<?xml version="1.0" encoding="UTF-8"?><a>\xff</a>', "not XML"),
        "null character": (b"<a>\x00</a>", "not XML"),
        "lone surrogate": (b"<a>&#xD83D;</a>", "not XML"),
    }.values(),
)
def test_what_is_not_one_plain_document_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(ParseError, match=reason) as caught:
        parse(body)

    assert caught.value.layer == "xml"


def test_a_text_with_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(ParseError, match="not XML"):
        parse("<a>\ud83d</a>")


def test_other_encodings_that_the_document_names_are_read() -> None:
    head = '<?xml version="1.0" encoding="{}"?><r><a>é</a></r>'

    trees = [parse(head.format(name).encode(name)) for name in ("utf-8", "utf-16", "iso-8859-1")]

    assert trees == [{"a": "é"}] * 3
    assert parse(b"\xef\xbb\xbf<r><a>1</a></r>") == {"a": "1"}


def test_nesting_is_refused_beyond_the_limit_and_not_before() -> None:
    assert parse("<a>" * 64 + "x" + "</a>" * 64)
    with pytest.raises(ParseError, match="nested too deep"):
        parse("<a>" * 65 + "x" + "</a>" * 65)


def test_nesting_is_refused_as_soon_as_it_is_seen() -> None:
    """The document is cut off: its end is never looked for."""
    with pytest.raises(ParseError, match="nested too deep"):
        parse("<a>" * MEGABYTE)


@pytest.mark.parametrize(
    "body",
    [
        b"<r><a>" + b"x" * (20 * MEGABYTE) + b"</a></r>",
        b"<r>" + b"<a>1</a>" * (5 * MEGABYTE // 8) + b"</r>",
        b"<r><a>" + b"&amp;" * MEGABYTE + b"</a></r>",
    ],
    ids=["one text of 20 MB", "many elements", "many entities"],
)
def test_large_documents_are_read(body: bytes) -> None:
    assert parse(body)


def test_what_is_too_large_is_refused_with_the_limit() -> None:
    with pytest.raises(ParseError, match=r"too large .*size=11, limit=10"):
        parse(b"<a>1234</a>", max_bytes=10)


@given(st.binary(max_size=60) | st.text(alphabet="<>/a b=\"'!-[]&;#1", max_size=30).map(str.encode))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        tree = parse(body)
    except ParseError:
        return
    assert isinstance(tree, (str, dict))


def test_what_holds_very_much_is_refused_by_name() -> None:
    most = "<b/>" * (MAX_ELEMENTS - 2) + "<b c=''/>"

    with pytest.raises(ParseError, match=rf"too many elements .*limit={MAX_ELEMENTS}"):
        parse(f"<a>{most}</a>")
