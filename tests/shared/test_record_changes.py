"""What differs between two records of a job, by type, in words of bounded length."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.record import Evidence, Finding, JobRecord, VendorError
from shared.record_changes import changes

ANSWERS = Path(__file__).parents[1] / "data" / "answers"
RECORDS = [
    JobRecord.model_validate_json(path.read_bytes()) for path in sorted(ANSWERS.glob("*/*/record.json"))
]
BASE = JobRecord.model_validate_json(
    (ANSWERS / "vod.media_audit" / "success-with-empty-data" / "record.json").read_bytes()
).model_copy(update={"findings": (), "evidence": ()})


def finding(label: str, start_ms: int | None = None, end_ms: int | None = None, id: str = "f") -> Finding:
    return Finding(
        id=id,
        modality="video",
        check="porn",
        label=label,
        canonical_label=None,
        start_ms=start_ms,
        end_ms=end_ms,
        source="answer:/",
    )


def with_verdict(suggestion: str | None, computed: str | None = None, *labels: str) -> JobRecord:
    verdict = replace(BASE.verdict, suggestion=suggestion, computed_suggestion=computed, labels=labels)
    return BASE.model_copy(update={"verdict": verdict})


def with_findings(*findings: Finding) -> JobRecord:
    return BASE.model_copy(update={"findings": findings})


FAILED = BASE.model_copy(update={"status": "failed", "error": VendorError(code="E1", message=None)})
PICTURED = BASE.model_copy(update={"evidence": (Evidence(id="e", url="http://e", source="answer:/"),)})


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (BASE, FAILED, ["status: failed/E1, was succeeded"]),
        (with_verdict("pass"), with_verdict("review"), ["verdict: review, was pass"]),
        (
            with_verdict("pass", "pass"),
            with_verdict("pass", "block"),
            ["verdict: pass, block below, was pass"],
        ),
        (with_verdict("pass", None, "ad"), with_verdict("pass", None, "porn"), ["labels: porn, was ad"]),
        (
            with_verdict("pass", None, "ad"),
            with_verdict("pass", None, "ad", "porn"),
            ["labels: porn, was none"],
        ),
        (
            with_findings(finding("sexy", 1000)),
            with_findings(finding("sexy", 1000, 2000)),
            ["timeline: sexy at 1000-2000 ms, was sexy at 1000 ms"],
        ),
        (
            with_findings(finding("sexy")),
            with_findings(finding("sexy"), finding("sexy", id="g")),
            ["counts: findings 2, was findings 1"],
        ),
        (
            BASE,
            PICTURED,
            ["counts: evidence 1, was evidence 0"],
        ),
    ],
)
def test_each_difference_is_told_by_its_type(before: JobRecord, after: JobRecord, told: list[str]) -> None:
    assert [str(one) for one in changes(before, after)] == told


@given(record=st.sampled_from(RECORDS))
def test_a_record_does_not_differ_from_itself(record: JobRecord) -> None:
    assert changes(record, record.model_copy(deep=True)) == ()


@given(before=st.sampled_from(RECORDS), after=st.sampled_from(RECORDS))
def test_both_directions_tell_the_same_types(before: JobRecord, after: JobRecord) -> None:
    there, back = changes(before, after), changes(after, before)

    assert [(one.what, one.now, one.was) for one in there] == [(one.what, one.was, one.now) for one in back]


@given(count=st.integers(5, 200))
def test_many_labels_are_named_in_part(count: int) -> None:
    (_, labels) = changes(with_verdict("pass"), with_verdict("block", None, *(f"l{n}" for n in range(count))))

    assert labels.now.count(", ") == 4
    assert labels.now.endswith(f"{count - 4} more")
