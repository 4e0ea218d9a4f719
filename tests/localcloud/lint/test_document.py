from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.lint.document import Mapping, Position, Scalar, Sequence, call, read_document, walk
from localcloud.template import TemplateError


def read(text: str) -> Mapping:
    return read_document(text, source="template.yml").root


def test_values_know_their_place_and_how_they_are_written() -> None:
    root = read("A:\n  B: [0x10, yes, ~, '7', 2015-09-01, 0b_]\n")

    values = [node for _, node in walk(root) if isinstance(node, Scalar)]
    assert [(one.value, one.text) for one in values] == [
        (16, "0x10"),
        (True, "yes"),
        (None, "~"),
        ("7", "7"),
        ("2015-09-01", "2015-09-01"),
        ("0b_", "0b_"),
    ]
    assert values[0].at == Position(2, 7)


@pytest.mark.parametrize(
    ("short", "name", "arguments"),
    [
        ("!Ref Queue", "Ref", None),
        ("!Sub 'a-${Queue}'", "Fn::Sub", None),
        ("!GetAtt Queue.ARN.WithSlash", "Fn::GetAtt", ["Queue", "ARN.WithSlash"]),
        ("!Join [a, [b]]", "Fn::Join", None),
    ],
)
def test_a_short_form_is_read_as_the_long_one(short: str, name: str, arguments: list[str] | None) -> None:
    value = read(f"A: {short}").get("A")

    assert value
    called = call(value)
    assert called
    assert called[0] == name
    if arguments:
        assert isinstance(called[1], Sequence)
        assert [one.text for one in called[1].items if isinstance(one, Scalar)] == arguments


def test_a_key_that_stands_twice_is_kept_with_both_places() -> None:
    document = read_document("A:\n  B: 1\n  C: 2\n  B: 3\n", source="template.yml")

    ((path, entry, first),) = document.repeated
    assert (path, entry.key, entry.at.line, first.line) == (("A",), "B", 4, 2)


def test_a_merged_mapping_gives_its_keys_and_repeats_none() -> None:
    document = read_document("A: &a {B: 1, C: 2}\nD: {<<: *a, C: 3}\nE: {<<: [*a]}\n", source="x")

    merged = document.root.get("D")
    assert isinstance(merged, Mapping)
    value = merged.get("C")
    assert isinstance(value, Scalar)
    assert (set(merged.by_key), value.value, document.repeated) == ({"B", "C"}, 3, ())


def test_json_indented_with_tabs_is_read() -> None:
    assert set(read('\n{\n\t"A": {\n\t\t"B": 1\n\t}\n}').by_key) == {"A"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A: [1", "line 1"),
        ("A: &a [*a]", "a part of itself"),
        ("- 1", "a template is a mapping"),
        ("", "a template is a mapping"),
        ("A: 1\n---\nB: 2\n", "line 2"),
        ("[" * 5000, "nested too deeply"),
        ("A: \x00", "special characters"),
    ],
)
def test_what_is_no_template_is_refused_with_its_name(text: str, said: str) -> None:
    with pytest.raises(TemplateError, match=r"template\.yml") as caught:
        read(text)

    assert said in str(caught.value)


def test_a_file_that_unfolds_without_end_is_refused() -> None:
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 9)]

    with pytest.raises(TemplateError, match="more than"):
        read("\n".join(["l0: &l0 [1]", *levels]))


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(TemplateError):
        read(text)
