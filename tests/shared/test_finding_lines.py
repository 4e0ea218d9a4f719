"""Findings as lines: a record is split into itself and them, and they are read as in a whole one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ParseError
from shared.finding_lines import glances, read_findings, split_record
from shared.record import Evidence, Finding, Score, canonical_bytes, read_record
from tests.shared.test_record import record

ANSWERS = Path(__file__).parents[1] / "data" / "answers"
# What a record is split at, as a vendor's text may have it.
MARKS = st.sampled_from(
    ['"findings":[', '{"canonical_label":', '},{"canonical_label":', '}],"findings_more":']
)
TEXT = st.text() | MARKS
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def some_findings(draw: st.DrawFn) -> Finding:
    return Finding(
        id=draw(TEXT),
        modality="text",
        check=draw(st.none() | TEXT),
        label=draw(st.none() | TEXT),
        canonical_label=draw(st.none() | TEXT),
        suggestion=draw(st.none() | TEXT),
        scores=tuple(Score(text=t, value=v) for t, v in draw(st.lists(st.tuples(TEXT, NUMBERS), max_size=2))),
        start_ms=draw(st.none() | st.integers(-5, 10**9)),
        regions=tuple(draw(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS), max_size=2))),
        evidence=tuple(draw(st.lists(TEXT, max_size=2))),
        text=draw(st.none() | TEXT),
        source="answer:",
    )


@given(st.lists(some_findings(), max_size=4), TEXT)
def test_a_record_is_split_into_itself_without_findings_and_these(found: list[Finding], text: str) -> None:
    evidence = (Evidence(id=text, url=text, source=text),)  # which stands before them
    whole = record(findings=tuple(found), evidence=evidence, vendor_status=text)

    rest, lines = split_record(canonical_bytes(whole))

    assert rest == record(evidence=evidence, vendor_status=text)
    assert read_findings(lines) == found


@given(st.lists(some_findings(), max_size=4))
def test_a_glance_sees_what_the_finding_has(found: list[Finding]) -> None:
    _, lines = split_record(canonical_bytes(record(findings=tuple(found))))

    for seen, finding in zip(glances(lines), found, strict=True):
        scores = [score["value"] for score in seen["scores"]]
        assert scores == [score.value for score in finding.scores]
        assert {**seen, "scores": finding.scores} == {name: getattr(finding, name) for name in seen}


@pytest.mark.parametrize("file", sorted(ANSWERS.glob("*/*/record.json")), ids=lambda file: file.parent.name)
def test_recorded_answers_are_split_as_they_are_read(file: Path) -> None:
    stored = file.read_bytes()

    _, lines = split_record(stored)

    assert tuple(read_findings(lines)) == read_record(stored).findings


def newer(document: dict[str, Any]) -> None:
    """Have what a later version may have."""
    document["findings"] = [{"added": {"a": []}, **one, "zone": 1} for one in document["findings"]]


def older(document: dict[str, Any]) -> None:
    """Lack what was not there at first."""
    del document["findings_more"]


@pytest.mark.parametrize("change", [newer, older])
def test_a_record_of_another_version_is_split_all_the_same(change: Any) -> None:
    stored = (ANSWERS / "vod.media_audit" / "every-field" / "record.json").read_bytes()
    document = json.loads(stored)
    change(document)

    rest, lines = split_record(json.dumps(document, separators=(",", ":")).encode())

    ours = read_record(stored)
    assert rest.findings == ()
    assert rest.evidence == ours.evidence
    assert tuple(read_findings(lines)) == ours.findings


@pytest.mark.parametrize("stored", [b"", b"{}", b'{"findings":[{"canonical_label":1}],"findings_more":null}'])
def test_what_is_no_record_is_refused(stored: bytes) -> None:
    with pytest.raises(ParseError):
        split_record(stored)


@pytest.mark.parametrize("line", [b"", b"null", b'{"canonical_label":1}', b'{"canonical_label":"\xff"}'])
def test_what_is_no_finding_is_refused(line: bytes) -> None:
    with pytest.raises(ParseError):
        glances([line])
    with pytest.raises(ParseError):
        read_findings([line])
