"""Recorded answers and the records that were checked against the vendor's pages by eye.

`answer.json` and `answer.xml` of one case give the same record. A change of a record is reviewed in
the diff of `record.json`, which one command writes anew from the repository's root:

    python -m tests.shared.kinds.test_vod_media_audit_cases
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shared.kinds import KINDS
from shared.record import JobRecord, canonical_bytes
from shared.vendor import Part
from tests.shared.kinds.accounting import Accounts, read
from tests.shared.kinds.answers import SECRET

KIND = KINDS["vod.media_audit"]
CASES = Path(__file__).parents[2] / "data" / "answers" / KIND.name
ANSWERS = sorted(CASES.glob("*/answer.*"))
NAMES = sorted({answer.parent.name for answer in ANSWERS})


def normalized(answer: Path) -> JobRecord:
    form: Any = answer.suffix[1:]
    return KIND.normalize([Part("answer", form, answer.read_bytes())])


def case(name: str) -> JobRecord:
    return normalized(CASES / name / "answer.json")


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda path: f"{path.parent.name}{path.suffix}")
def test_an_answer_gives_the_record_that_was_reviewed(answer: Path) -> None:
    assert canonical_bytes(normalized(answer)) == answer.with_name("record.json").read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_no_leaf_of_a_recorded_answer_is_lost(name: str) -> None:
    answer = CASES / name / "answer.json"

    assert Accounts(normalized(answer)).lost(read(answer.read_bytes())) == []


@pytest.mark.parametrize(
    ("name", "status", "incomplete"),
    [
        ("old-page", "succeeded", False),
        ("failed", "failed", False),
        ("processing", "running", False),
        ("unknown-status", "running", False),
        ("success-without-data", "succeeded", True),
        ("success-with-empty-data", "succeeded", True),
    ],
)
def test_only_a_success_without_its_result_is_incomplete(name: str, status: str, incomplete: bool) -> None:
    record = case(name)

    assert (record.status, record.incomplete) == (status, incomplete)


def test_everything_documented_is_understood() -> None:
    assert [name for name in ("old-page", "new-page", "every-field") if case(name).unmapped] == []


def test_levels_that_contradict_each_other_are_all_kept() -> None:
    verdict = case("new-page").verdict

    assert (verdict.suggestion, verdict.labels) == ("pass", ("normal",))
    assert verdict.abnormal_modules == ("video",)
    assert verdict.computed_suggestion == "block"


def test_a_new_result_block_is_read_like_the_known_ones() -> None:
    record = case("unknown-block")

    assert {finding.check for finding in record.findings} == {"voice_change"}
    assert {finding.canonical_label for finding in record.findings} == {None}


def test_a_normal_frame_is_a_measure_whatever_its_score() -> None:
    """The first page's example: `normal` with a score of 100 is harmless (quirk 52)."""
    record = case("old-page")

    assert {finding.check for finding in record.findings} == {"porn"}
    assert [m.text for m in record.measures if m.name == "terrorism.score" and m.start_ms] == [
        "100.0000000000",
        "100.0000000000",
    ]


def test_values_of_a_wrong_type_stay_unmapped_and_their_neighbours_are_read() -> None:
    record = case("wrong-types")

    assert record.findings == ()
    assert record.media.media_id is None
    assert len(record.unmapped) > 20
    assert record.verdict.suggestion == "review"


def test_implausible_times_are_kept_and_flagged() -> None:
    times = case("implausible-times").times

    assert times.created == "2008-12-31T23:59:59.500Z"
    assert times.completed == "0001-01-01T00:00:00.000Z"
    assert times.flags == (
        "created_implausible",
        "completed_implausible",
        "completed_before_created",
    )


def test_what_signs_a_url_is_nowhere_in_the_record() -> None:
    answer = (CASES / "signed-urls" / "answer.json").read_text(encoding="utf-8")

    stored = canonical_bytes(case("signed-urls")).decode()

    assert answer.count(SECRET) >= 8
    assert SECRET not in stored
    assert "Expires" not in stored


def test_pictures_signed_differently_are_one_evidence() -> None:
    assert len(case("signed-urls").evidence) == 2


def write_records() -> None:
    """Write `record.json` of every case, in the form that is compared."""
    for name in NAMES:
        (CASES / name / "record.json").write_bytes(canonical_bytes(case(name)))


if __name__ == "__main__":
    write_records()
