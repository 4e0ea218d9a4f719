"""Recorded answers, and the records that were checked against the vendor's page by eye.

`answer.json` and `answer.xml` of one case give the same record; `output.txt` is its Output file. A
change of a record is reviewed in the diff of `record.json`, which one command writes anew from the
repository's root:

    python -m tests.shared.kinds.test_mts_video_quality_cases
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shared.kinds.mts_video_quality import KIND
from shared.record import JobRecord, canonical_bytes
from shared.vendor import Part

CASES = Path(__file__).parents[2] / "data" / "answers" / KIND.name
ANSWERS = sorted(CASES.glob("*/answer.*"))


def parts_of(answer: Path) -> list[Part]:
    form: Any = answer.suffix[1:]
    file = answer.with_name("output.txt")
    parts = [Part("answer", form, answer.read_bytes())]
    return [*parts, Part("output", "txt", file.read_bytes())] if file.exists() else parts


def case(name: str) -> JobRecord:
    return KIND.normalize(parts_of(CASES / name / "answer.json"))


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda path: f"{path.parent.name}{path.suffix}")
def test_an_answer_gives_the_record_that_was_reviewed(answer: Path) -> None:
    assert canonical_bytes(KIND.normalize(parts_of(answer))) == answer.with_name("record.json").read_bytes()


@pytest.mark.parametrize(
    ("name", "status", "incomplete"),
    [
        ("page-example", "succeeded", False),
        ("success-with-nothing-found", "succeeded", False),
        ("file-in-place-of-summary", "succeeded", False),
        ("success-without-results", "succeeded", True),
        ("unreadable-summary", "succeeded", True),
        ("failed", "failed", False),
        ("processing", "running", False),
        ("submitted", "running", False),
        ("unknown-status", "running", False),
    ],
)
def test_only_a_success_without_its_result_is_incomplete(name: str, status: str, incomplete: bool) -> None:
    record = case(name)

    assert (record.status, record.incomplete) == (status, incomplete)


@pytest.mark.parametrize("name", ["page-example", "page-summary", "page-output-file", "seen-by-both"])
def test_everything_on_the_page_is_understood(name: str) -> None:
    assert case(name).unmapped == ()


def test_the_page_prints_xml_without_a_root_element() -> None:
    """Quirk 9: a wrapped answer and the printed one are the same tree."""
    printed = (CASES / "page-example" / "answer.xml").read_bytes()
    wrapped = b'<?xml version="1.0" encoding="UTF-8"?><R>' + printed + b"</R>"

    trees = [KIND.tree(Part("answer", "xml", body)) for body in (printed, wrapped)]

    assert trees[0] == trees[1]


def test_the_page_prints_a_file_that_is_not_json_as_written() -> None:
    """Quirks 1 and 2: six documents in a row, and a full-width comma, which is told."""
    repaired = case("page-output-file").repaired

    assert [(repair.source, repair.what) for repair in repaired] == [("output:", "full-width comma")]


def test_a_user_id_keeps_all_its_digits() -> None:
    assert case("page-example").job.user_id == "1253406881704637"


def test_only_the_message_of_a_failed_job_is_an_error() -> None:
    failed, succeeded = case("failed").error, case("page-example").error

    assert failed is not None
    assert (failed.code, failed.message) == (None, "The resource operated InputFile is bad")
    assert succeeded is None


def test_a_job_that_failed_or_runs_has_neither_findings_nor_measures() -> None:
    records = [case(name) for name in ("failed", "processing", "submitted")]

    assert [(record.findings, record.measures) for record in records] == [((), ())] * 3


def test_what_summary_and_file_both_saw_is_one_finding_with_both_scores() -> None:
    first = next(finding for finding in case("seen-by-both").findings if finding.check == "freeze")

    assert [(score.text, score.scale) for score in first.scores] == [("1", "0-1"), ("4.25", None)]
    assert first.source == "answer:/Job/VideoQualityResults#/Freeze/0"
    assert first.other_sources == ("output:/1/freeze/0",)


def test_several_entries_at_one_time_are_paired_in_their_order() -> None:
    freezes = [finding for finding in case("seen-by-both").findings if finding.check == "freeze"]

    assert [[score.text for score in finding.scores] for finding in freezes] == [
        ["1", "4.25"],
        ["0.5", "4.5"],
        ["0.25"],
    ]


def test_two_results_at_one_time_are_two_findings() -> None:
    """The summary says `white` where the file says `dark`: neither word may be lost."""
    found = [finding for finding in case("seen-by-both").findings if finding.start_ms == 5520]

    assert [(finding.label, finding.other_sources) for finding in found] == [("white", ()), ("dark", ())]


def test_the_place_in_the_frame_comes_from_the_file() -> None:
    """Quirks 20 and 21: many rectangles where one is described; a border may be the whole frame."""
    placed = {finding.source: finding for finding in case("page-output-file").findings if finding.regions}

    assert placed["output:/3/border/0"].regions == ((0, 0, 1280, 720),)
    assert placed["output:/3/border/0"].frame == 25
    assert [len(placed[f"output:/4/mosaic/{i}"].regions) for i in (0, 1)] == [19, 9]


def test_a_normal_entry_is_a_measure() -> None:
    """Quirk 24; what a measure cannot hold, the place in the frame, stays unmapped."""
    record = case("normal-entries")

    assert [(m.name, m.label, m.text, m.start_ms) for m in record.measures] == [
        ("blockness.score", "normal", None, 160),
        ("brightness.score", "normal", "0.91", 1000),
        ("brightness.score", "NORMAL", "1.25", 2000),
        ("mosaic.score", "normal", None, 1000),
    ]
    assert {finding.label for finding in record.findings} == {"white", "black"}
    assert {item.source.rpartition("/")[0] for item in record.unmapped} == {
        "output:/2/mosaic/0",
        "output:/2/mosaic/0/box/0",
    }


def test_noise_has_one_ratio_by_two_names() -> None:
    """Quirk 16."""
    noise = [finding for finding in case("noise-rate").findings if finding.check == "noise"]

    assert [[(score.text, score.scale) for score in finding.scores] for finding in noise] == [
        [("0.0419343847352", "ratio"), ("0.04193438", "ratio")],
        [("0.5", "ratio")],
    ]


def test_a_check_that_nobody_knows_is_read_like_the_known_ones_and_comes_last() -> None:
    found = case("unknown-check").findings

    assert [(finding.check, finding.label, finding.start_ms) for finding in found] == [
        ("freeze", "freeze", 4000),
        ("color_cast", "green", 5000),
        ("flicker", "flicker", 40),
    ]


def test_a_time_that_is_none_stays_unmapped_and_its_finding_stays() -> None:
    record = case("odd-times")

    untimed = {finding.source for finding in record.findings if finding.start_ms is None}
    unread = {item.source.rpartition("/")[0] for item in record.unmapped}
    assert unread <= untimed
    assert untimed - unread == {"output:/0/border/8"}  # its time is an empty text
    assert [finding.start_ms for finding in record.findings if finding.start_ms is not None] == [
        *(0, 1000, 1500, 5520, 359_999_999)
    ]


def test_values_of_a_wrong_type_stay_unmapped_and_their_neighbours_are_read() -> None:
    record = case("wrong-types")

    assert (record.job.user_id, record.media.output) == (None, None)
    assert len(record.unmapped) > 30
    assert [finding.regions for finding in record.findings if finding.regions] == [((1, 2, 3.5, -4),)]


def test_a_summary_that_cannot_be_read_is_kept_whole() -> None:
    record = case("unreadable-summary")
    answer = json.loads((CASES / "unreadable-summary" / "answer.json").read_bytes())

    assert [(item.source, item.value) for item in record.unmapped] == [
        ("answer:/Job/VideoQualityResults", answer["Job"]["VideoQualityResults"])
    ]


def test_a_file_that_cannot_be_read_is_told_and_the_summary_settles_the_job() -> None:
    record = case("unreadable-file")

    assert [(repair.source, repair.what) for repair in record.repaired] == [
        ("output:", "unreadable: not JSON")
    ]
    assert [finding.start_ms for finding in record.findings] == [233]


def write_records() -> None:
    """Write `record.json` of every case, in the form that is compared."""
    for answer in CASES.glob("*/answer.json"):
        answer.with_name("record.json").write_bytes(canonical_bytes(KIND.normalize(parts_of(answer))))


if __name__ == "__main__":
    write_records()
