"""Recorded answers of ICE, and the records that were checked against the vendor's page by eye.

`answer.json` and `answer.xml` of one case give the same record. A change of a record is reviewed in
the diff of `record.json`, which one command writes anew from the repository's root:

    python -m tests.shared.kinds.test_ice_production
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shared.errors import ParseError
from shared.kinds.ice_production import KIND
from shared.kinds.kind import JobQuery
from shared.record import JobRecord, Output, canonical_bytes
from shared.vendor import ApiRequest, Part
from tests.shared.kinds.answers import SECRET, Json, as_json

CASES = Path(__file__).parents[2] / "data" / "answers" / KIND.name
ANSWERS = sorted(CASES.glob("*/answer.*"))
WITHOUT_INFORMATION = [
    *("audio-beat-detection", "audio-mixing", "caption-extraction", "face-beauty", "music-demix"),
    *("speech-denoise", "video-delogo", "video-detext", "video-green-screen-matting", "video-h2v"),
]
FUNCTIONS = [
    *WITHOUT_INFORMATION,
    *("audio-quality-assessment", "cover", "music-segment-detect", "video-clip"),
]
TARGET = Output(
    kind="output_url",
    url="http(s)://bucket.oss-[RegionId].aliyuncs.com/object",
    source="answer:/Output/OutputUrl",
)
FILE = Output(kind="file", uri="output/xxx.mp4", url="http://xxx", source="answer:/OutputFiles/0")


def normalized(answer: Path) -> JobRecord:
    form: Any = answer.suffix[1:]
    return KIND.normalize([Part("answer", form, answer.read_bytes())])


def case(name: str) -> JobRecord:
    return normalized(CASES / name / "answer.json")


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda path: f"{path.parent.name}{path.suffix}")
def test_an_answer_gives_the_record_that_was_reviewed(answer: Path) -> None:
    assert canonical_bytes(normalized(answer)) == answer.with_name("record.json").read_bytes()


@pytest.mark.parametrize("name", ["page", *FUNCTIONS])
def test_everything_on_the_page_is_understood(name: str) -> None:
    assert case(name).unmapped == ()


@pytest.mark.parametrize(
    ("name", "status", "incomplete"),
    [
        *((name, "succeeded", False) for name in WITHOUT_INFORMATION),
        ("success-with-outputs-alone", "succeeded", False),
        ("success-without-result", "succeeded", True),
        ("failed", "failed", False),
        ("queuing", "running", False),
        ("analysing", "running", False),
        ("analyzing", "running", False),
    ],
)
def test_only_a_success_without_result_and_outputs_is_incomplete(
    name: str, status: str, incomplete: bool
) -> None:
    """Quirk 38: `{}` says that there is nothing to say; where to write to is no output yet."""
    record = case(name)

    assert (record.status, record.incomplete) == (status, incomplete)


def test_a_query_sends_no_client_token() -> None:
    request = KIND.request(JobQuery("20b4", region="cn-shanghai"))

    assert request == ApiRequest("ice", "2020-11-09", "QueryIProductionJob", {"JobId": "20b4"}, "cn-shanghai")


@pytest.mark.parametrize("answer", [{"JobId": "20b4"}, {"Status": "Success"}, [], "Success"])
def test_an_answer_that_names_no_job_or_no_status_is_unreadable(answer: Json) -> None:
    with pytest.raises(ParseError, match="every answer"):
        KIND.normalize([as_json(answer)])


def test_a_finish_before_the_creation_is_kept_and_flagged() -> None:
    """Quirk 42: the page's own example."""
    times = case("page").times

    assert (times.created, times.completed) == ("2022-07-07T07:16:11.000Z", "2021-11-26T14:50:25.000Z")
    assert times.flags == ("completed_before_created",)


def test_the_page_says_one_file_twice_and_one_target_with_a_space_at_its_end() -> None:
    """Quirks 43 and 44: the media id is an empty text, which is nothing."""
    assert case("page").outputs == (FILE, TARGET)


def test_covers_stand_in_a_bare_list() -> None:
    """Quirk 36."""
    covers = [output for output in case("cover").outputs if output.kind == "cover"]

    assert [(cover.url, cover.start_ms, cover.scores[0].value) for cover in covers] == [
        ("cover/test-00001.jpg", 28278, 8.270855992569906),
        ("cover/test-00002.jpg", 25942, 7.474117489692728),
    ]


def test_a_summary_of_a_video_is_a_list_of_segments_in_seconds() -> None:
    """Quirk 37."""
    assert case("video-clip").outputs[0] == Output(
        kind="segment", start_ms=280, end_ms=5280, source="answer:/Result#/VideoSummaryList/0"
    )


def test_the_quality_of_sound_is_one_measure_per_key_and_channel() -> None:
    """Quirk 40: twenty-four keys, of which one names the channel and two say nothing of the sound."""
    measures = [m for m in case("audio-quality-assessment").measures if m.channel]

    said = {(m.channel, m.name, m.unit): (m.text, m.value) for m in measures}
    assert len(said) == len(measures) == 2 * 21
    assert said["1", "MOS", None] == ("Poor", None)
    assert said["1", "MOS", "0-5"] == ("1.01", 1.01)
    assert said["1", "Bad Mute Ratio", "%"] == ("0.0", 0.0)
    assert said["2", "Loudness", "-90dB-0dB"] == ("-4.82", -4.82)
    assert said["2", "Worst MOS", "0-5"] == ("0.65", 0.65)


def test_lists_of_one_length_tell_of_the_same_files() -> None:
    files = case("paired-outputs").outputs[:-1]

    assert [(file.uri, file.url and file.url.rpartition("/")[2], file.media_id) for file in files] == [
        ("demix/vocal.wav", "vocal.wav", "****a1"),
        ("demix/music.wav", None, "****a2"),
        ("demix/drum.wav", "drum.wav", None),
    ]


def test_lists_of_different_lengths_are_not_matched() -> None:
    files = case("unpaired-outputs").outputs[:-1]

    assert [file.source.removeprefix("answer:/") for file in files] == [
        *("OutputFiles/0", "OutputFiles/2", "OutputUrls/0", "OutputMediaIds/0", "OutputMediaIds/1")
    ]
    assert all([file.uri, file.url, file.media_id].count(None) == 2 for file in files)


def test_the_type_of_a_place_says_how_to_read_it() -> None:
    library, unknown = case("media-library"), case("unknown-place")

    assert (library.media.input, library.media.media_id) == (None, "****20b48fb04483915d4f2cd8ac****")
    assert library.media.output == "****30b48fb04483915d4f2cd8ac****"
    assert unknown.media.input == "rtmp://live.test/a/b"
    assert [item.source for item in unknown.unmapped] == ["answer:/Input/Track", "answer:/Input/Type"]


def test_the_priority_is_a_number_without_a_direction() -> None:
    """Quirk 47."""
    (priority,) = [m for m in case("page").measures if m.name == "schedule.priority"]

    assert (priority.text, priority.value, priority.unit) == ("6", 6.0, None)


def test_a_list_that_holds_anything_but_texts_is_left_as_it_is() -> None:
    record = case("wrong-types")

    assert record.outputs == ()
    assert {item.source.removeprefix("answer:/") for item in record.unmapped} >= {
        *("OutputFiles", "OutputUrls/0", "OutputUrls/1", "OutputMediaIds/0/Id", "OutputMediaIds/1"),
    }


def test_keys_that_are_no_measures_stay_unmapped() -> None:
    assert {item.source for item in case("odd-quality").unmapped} == {
        "answer:/Result#/0/Tag/0",
        "answer:/Result#/0/a~1b",
        "answer:/Result#/1/Channel",
        "answer:/Result#/2/Channel",
        "answer:/Result#/3/Channel",
    }


def test_the_reason_of_a_failed_job_is_read_where_its_result_has_one() -> None:
    said, unsaid = case("failed-with-reason").error, case("failed").error

    assert said is not None
    assert (said.code, said.message) == ("InvalidInput", "The input file could not be read.")
    assert unsaid is None


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
