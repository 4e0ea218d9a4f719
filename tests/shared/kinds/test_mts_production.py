"""Recorded answers of MPS, and the records that were checked against the vendor's page by eye.

`answer.json` and `answer.xml` of one case give the same record. A change of a record is reviewed in
the diff of `record.json`, which one command writes anew from the repository's root:

    python -m tests.shared.kinds.test_mts_production
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shared.errors import JobNotFoundError, ParseError
from shared.kinds.kind import JobQuery
from shared.kinds.mts_production import KIND
from shared.record import JobRecord, Output, canonical_bytes
from shared.vendor import ApiRequest, Part
from tests.shared.kinds.answers import SECRET, Json, as_json, as_xml

CASES = Path(__file__).parents[2] / "data" / "answers" / KIND.name
ANSWERS = sorted(CASES.glob("*/answer.*"))
PAGE = [
    *("caption-extraction", "cover", "image-delogo", "image-h2v", "image-matting", "music-segment-detect"),
    *("video-clip", "video-delogo", "video-detext", "video-green-screen-matting", "video-h2v"),
]
OTHER_FUNCTIONS = ["asr", "async-text-to-speech", "audio-beat-detection", "audio-mixing", "video-split"]


def normalized(answer: Path) -> JobRecord:
    form: Any = answer.suffix[1:]
    return KIND.normalize([Part("answer", form, answer.read_bytes())])


def case(name: str) -> JobRecord:
    return normalized(CASES / name / "answer.json")


def unmapped(name: str) -> dict[str, str]:
    return {item.source.removeprefix("answer:/"): item.value for item in case(name).unmapped}


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda path: f"{path.parent.name}{path.suffix}")
def test_an_answer_gives_the_record_that_was_reviewed(answer: Path) -> None:
    assert canonical_bytes(normalized(answer)) == answer.with_name("record.json").read_bytes()


@pytest.mark.parametrize("name", [*PAGE, *OTHER_FUNCTIONS, "newer-page"])
def test_everything_documented_is_understood(name: str) -> None:
    assert case(name).unmapped == ()


@pytest.mark.parametrize(
    ("name", "status", "incomplete"),
    [
        *((name, "succeeded", False) for name in PAGE),
        ("unreadable-result", "succeeded", False),
        ("success-without-result", "succeeded", True),
        ("failed", "failed", False),
        ("failed-without-result", "failed", False),
        ("queuing", "running", False),
        ("analysing", "running", False),
        ("analyzing", "running", False),
        ("unknown-state", "running", False),
    ],
)
def test_only_a_success_without_a_result_is_incomplete(name: str, status: str, incomplete: bool) -> None:
    record = case(name)

    assert (record.status, record.incomplete) == (status, incomplete)


def test_a_query_names_the_job_and_nothing_else() -> None:
    request = KIND.request(JobQuery("88c6", region="cn-shanghai", user_id="1"))

    assert request == ApiRequest("mts", "2014-06-18", "QueryIProductionJob", {"JobId": "88c6"}, "cn-shanghai")


@pytest.mark.parametrize("write", [as_json, as_xml])
@pytest.mark.parametrize("said", [{}, {"State": "", "Result": ""}])
def test_an_answer_that_only_repeats_the_id_is_about_no_job(write: Any, said: Json) -> None:
    """Quirk 65: the id of no such job, or of a job of another kind, is no error to the vendor."""
    answer = {"RequestId": "D127C68E-F1A1-4CE5-A874-8FF724881A12", "JobId": "88c6", **said}

    with pytest.raises(JobNotFoundError, match="job_id=88c6"):
        KIND.normalize([write(answer)])


def test_an_answer_without_a_state_that_says_more_is_unreadable() -> None:
    with pytest.raises(ParseError, match="field=State"):
        KIND.normalize([as_json({"JobId": "88c6", "FunctionName": "Cover"})])


def test_a_result_of_two_objects_gives_the_data_of_one() -> None:
    """Quirks 25, 27 and 29: three layers of JSON, in the order of scores."""
    covers = case("cover").outputs

    assert [(c.url, c.start_ms, [score.text for score in c.scores]) for c in covers] == [
        ("cover/test-00001.jpg", 28278, ["8.270855992569906"]),
        ("cover/test-00002.jpg", 25942, ["7.474117489692728"]),
    ]
    assert [cover.source for cover in covers] == [f"answer:/Result#/1/Data#/{i}" for i in (0, 1)]


def test_a_full_width_colon_is_read_as_it_was_meant_and_told() -> None:
    """Quirk 26."""
    record = case("caption-extraction")

    assert [(repair.source, repair.what) for repair in record.repaired] == [
        ("answer:/Result#/Data#", "full-width colon")
    ]
    assert [output.kind for output in record.outputs] == ["file"]


def test_only_what_is_outside_of_strings_is_repaired() -> None:
    record = case("repaired-twice")

    assert [output.uri for output in record.outputs] == ["captionextraction/a\uff1ab.srt"]
    assert {repair.source for repair in record.repaired} == {"answer:/Result#", "answer:/Result#/Data#"}


@pytest.mark.parametrize("name", ["data-as-list", "data-as-object"])
def test_data_need_not_be_a_string(name: str) -> None:
    """Quirk 28."""
    record = case(name)

    assert record.outputs
    assert all(output.source.startswith("answer:/Result#/Data/") for output in record.outputs)
    assert record.unmapped == ()


def test_segments_are_in_whole_milliseconds_rounded_down() -> None:
    """Quirk 30; 1.001 s is 1001 ms, which binary floats do not say."""
    music, new = case("music-segment-detect").outputs, case("known-shapes-of-a-new-function").outputs

    assert [(s.start_ms, s.end_ms, s.title) for s in music][:2] == [
        (39320, 63850, "副歌"),
        (86690, 114450, "副歌"),
    ]
    assert [(s.start_ms, s.end_ms) for s in new if s.kind == "segment"] == [(1001, 2000), (5000, 6500)]


def test_what_is_no_position_stays_unmapped() -> None:
    assert unmapped("odd-positions") == {
        f"Result#/Data#/result/{at}": value
        for at, value in [
            ("0/start", "-1"),
            ("1/start", "later"),
            ("2/end", "00:00:02"),
            ("3/start", "9999999999999999999"),
            ("3/end", "1e15"),
        ]
    }


def test_a_picture_is_titled_by_what_it_was_made_from() -> None:
    assert case("image-matting").outputs == (
        Output(
            kind="file",
            uri="production/1-1-seg.jpeg",
            title="1.jpg",
            source="answer:/Result#/Details/0",
        ),
    )


def test_a_picture_that_failed_says_so_in_what_is_unmapped() -> None:
    assert unmapped("success-with-failed-picture") == {
        "Result#/Details/1/Status": "Fail",
        "Result#/Details/2/Status": "Fail",
        "Result#/Details/2/Input": "3.jpg",
        "Result#/Details/3/Status": "Fail",
        "Result#/Details/3/Input": "4.jpg",
    }


def test_a_key_of_an_object_may_hold_spaces() -> None:
    """Quirk 66."""
    assert [output.uri for output in case("audio-beat-detection").outputs] == ["as rresult/1612259314837.txt"]


def test_sound_in_base64_is_no_file() -> None:
    record = case("text-to-speech")

    assert record.outputs == ()
    assert [item.source for item in record.unmapped] == ["answer:/Result#/Data/result/0/file"]


@pytest.mark.parametrize("name", [*PAGE, "newer-page"])
def test_no_text_of_success_is_an_error(name: str) -> None:
    """Quirk 31."""
    assert case(name).error is None


def test_the_error_of_a_failed_job_is_in_its_result() -> None:
    error = case("failed").error

    assert error is not None
    assert (error.code, error.message) == (
        "InvalidParameter.InputFile",
        "The input file could not be read.",
    )


def test_a_refusal_inside_a_success_is_kept_and_the_state_stays() -> None:
    record = case("success-with-inner-refusals")

    assert record.status == "succeeded"
    assert record.error is not None
    assert (record.error.code, record.error.message) == ("PartialFailure", "1 of 2 covers")
    assert set(unmapped("success-with-inner-refusals").values()) == {"UploadFailed", "second"}


def test_placeholders_params_and_user_data_are_kept_as_they_are() -> None:
    """Quirk 34; `{mode:"gif"}` is the vendor's own example, and `null` is its word for no data."""
    record = case("newer-page")

    assert record.media.output is not None
    assert record.media.output.endswith("/iproduction/{source}-{timestamp}-{sequenceId}.srt")
    assert record.job.params == '{mode:"gif"}'
    assert record.job.user_data is None


def test_nothing_is_guessed_of_a_shape_that_nobody_knows() -> None:
    record = case("unknown-shapes")

    assert (record.outputs, record.measures) == ((), ())
    assert len(record.unmapped) == 5


def test_a_result_that_cannot_be_read_is_kept_whole() -> None:
    answer = json.loads((CASES / "unreadable-result" / "answer.json").read_bytes())

    assert unmapped("unreadable-result") == {"Result": answer["Result"]}


def test_values_of_a_wrong_type_stay_unmapped_and_their_neighbours_are_read() -> None:
    record = case("wrong-types")

    assert [output.url for output in record.outputs if output.kind == "cover"] == ["cover/1.jpg"]
    assert (record.job.function, record.media.input, record.media.output) == (None, None, None)
    assert len(record.unmapped) > 12


def test_what_signs_a_url_is_nowhere_in_the_record() -> None:
    answer = (CASES / "signed-urls" / "answer.json").read_text(encoding="utf-8")

    assert answer.count(SECRET) == 4
    assert SECRET not in canonical_bytes(case("signed-urls")).decode()


def write_records() -> None:
    """Write `record.json` of every case, in the form that is compared."""
    for answer in CASES.glob("*/answer.json"):
        answer.with_name("record.json").write_bytes(canonical_bytes(normalized(answer)))


if __name__ == "__main__":
    write_records()
