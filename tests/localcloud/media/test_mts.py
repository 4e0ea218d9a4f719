"""The life of a video quality review and of a production job of MTS, as their clock tells it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from localcloud.media.jobs import JobService
from localcloud.media.mts import MtsProduction, MtsVideoQuality, QualityOutcome
from localcloud.media.production import ProductionOutcome
from localcloud.media.production_results import MTS_FAILURE, MTS_NOTHING_MORE, MTS_RESULTS
from localcloud.media.quality_results import CHECKS, JUDGING, MEASURING
from shared.adapters.clocks import ManualClock
from shared.errors import ParseError
from shared.toolkit import strict_json
from tests.localcloud.media.judging import ANSWERS
from tests.localcloud.media.worlds import PACE, START, Caller, caller, mts_request

USER_ID = "1253406881704637"
REVIEW = {
    "Input": "oss://in.oss-cn-shanghai.aliyuncs.com/1.mp4",
    "Output": "oss://out.oss-cn-shanghai.aliyuncs.com/ai/vqs/00 2.txt",
    "SourceType": "Video",
    "UserId": USER_ID,
}
PRODUCTION = {"FunctionName": "VideoH2V", "Input": "oss://b.oss/1.mp4", "Output": "oss://b.oss/2.mp4"}
GOOD = QualityOutcome("Success", summary='{"Border":[]}', file=b'{"border": []}')
BAD = QualityOutcome("Fail", message="The resource has no video stream.")


def reviews(oss: Path, **options: Any) -> MtsVideoQuality:
    return MtsVideoQuality(clock=ManualClock(START), pace=PACE, oss=oss, **options)


def productions(**options: Any) -> MtsProduction:
    return MtsProduction(clock=ManualClock(START), pace=PACE, **options)


def submitted(desk: Caller, action: str, params: Mapping[str, str]) -> str:
    return str(desk.ask(mts_request(action, **params))["JobId"])


def ended(service: JobService[Any]) -> None:
    service.clock.sleep(PACE.waiting_ms + PACE.processing_ms)


def review_of(desk: Caller, job_id: str) -> dict[str, Any]:
    answer = desk.ask(mts_request("QueryVideoQualityJob", JobId=job_id, UserId=USER_ID))
    assert answer["Code"] == "Success"
    job: dict[str, Any] = answer["Job"]
    return job


def production_of(desk: Caller, job_id: str) -> dict[str, Any]:
    return desk.ask(mts_request("QueryIProductionJob", JobId=job_id))


def test_a_review_waits_is_processed_and_ends_as_the_clock_moves(tmp_path: Path) -> None:
    service = reviews(tmp_path, outcomes={REVIEW["Input"]: GOOD})
    desk = caller(service)
    job_id = submitted(desk, "SubmitVideoQualityJob", REVIEW)

    seen = []
    for _ in range(3):
        seen.append(review_of(desk, job_id))
        service.clock.sleep(1_000)

    assert [job["Status"] for job in seen] == ["Submitted", "Processing", "Success"]
    assert seen[0] == {"JobId": job_id, "UserId": int(USER_ID), "Status": "Submitted"}
    assert seen[2] == {
        "JobId": job_id,
        "UserId": int(USER_ID),
        "Status": "Success",
        "Message": "The job is completed successfully",
        "Output": "ai/vqs/00 2.txt",
        "VideoQualityResults": '{"Border":[]}',
    }


def test_a_failed_review_has_a_message_and_no_result(tmp_path: Path) -> None:
    service = reviews(tmp_path, outcomes={REVIEW["Input"]: BAD})
    desk = caller(service)
    job_id = submitted(desk, "SubmitVideoQualityJob", REVIEW)
    ended(service)

    job = review_of(desk, job_id)

    assert (job["Status"], job["Message"]) == ("Fail", "The resource has no video stream.")
    assert not {"Output", "VideoQualityResults"} & set(job)
    assert list(tmp_path.iterdir()) == []


def test_the_file_is_written_when_the_result_is_first_seen_and_never_again(tmp_path: Path) -> None:
    service = reviews(tmp_path, outcomes={REVIEW["Input"]: GOOD})
    desk, file = caller(service), tmp_path / "out" / "ai" / "vqs" / "00 2.txt"
    job_id = submitted(desk, "SubmitVideoQualityJob", REVIEW)
    review_of(desk, job_id)
    running = file.exists()
    ended(service)

    review_of(desk, job_id)
    written = file.read_bytes()
    file.unlink()
    review_of(desk, job_id)

    assert not running
    assert written == GOOD.file
    assert not file.exists()


def test_success_may_come_before_summary_and_file(tmp_path: Path) -> None:
    service = reviews(tmp_path, outcomes={REVIEW["Input"]: GOOD})
    desk = caller(service)
    job_id = submitted(desk, "SubmitVideoQualityJob", REVIEW)
    service.hold_back(job_id, 1)
    ended(service)

    early, files = review_of(desk, job_id), list(tmp_path.iterdir())
    late = review_of(desk, job_id)

    assert (early["Status"], "VideoQualityResults" in early, files) == ("Success", False, [])
    assert "VideoQualityResults" in late
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_answer_about_a_review_can_be_broken_and_mended(tmp_path: Path) -> None:
    service = reviews(tmp_path)
    desk = caller(service)
    job_id = submitted(desk, "SubmitVideoQualityJob", REVIEW)

    service.answer_raw(job_id, b'{"RequestId":"1","Broken":true}')
    broken = desk.ask(mts_request("QueryVideoQualityJob", JobId=job_id, UserId=USER_ID))
    service.answer_raw(job_id, None)

    assert broken == {"Broken": True}
    assert review_of(desk, job_id)["JobId"] == job_id


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"JobId": "0" * 32}, "InvalidParameter.JobNotFound", "The job is not found."),
        ({"UserId": "1"}, "InvalidParameter.JobNotFound", "The job is not found."),
        ({"JobId": "short"}, "InvalidParameter.UUIDFormatInvalid", "2)be 32 characters long."),
        ({"JobId": "0" * 33}, "InvalidParameter.UUIDFormatInvalid", "2)be 32 characters long."),
        ({"UserId": "one"}, "InvalidParameter.NumberFormatInvalid", '"UserId"'),
        ({"UserId": "-1"}, "InvalidParameter.NumberFormatInvalid", '"UserId"'),
        ({"UserId": "9" * 5_000}, "InvalidParameter.NumberFormatInvalid", '"UserId"'),
        ({"UserId": "²"}, "InvalidParameter.NumberFormatInvalid", '"UserId"'),
        ({"JobId": ""}, "MissingJobId", "JobId is mandatory"),
        ({"UserId": ""}, "MissingUserId", "UserId is mandatory"),
    ],
)
def test_a_query_of_a_review_is_refused_in_the_vendors_words(
    tmp_path: Path, changes: dict[str, str], code: str, message: str
) -> None:
    desk = caller(reviews(tmp_path))
    job_id = submitted(desk, "SubmitVideoQualityJob", REVIEW)

    refused = desk.refused(
        mts_request("QueryVideoQualityJob", **{"JobId": job_id, "UserId": USER_ID, **changes})
    )

    assert refused[:2] == (400, code)
    assert message in refused[2]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Input": ""}, "MissingInput"),
        ({"Output": ""}, "MissingOutput"),
        ({"SourceType": ""}, "MissingSourceType"),
        ({"UserId": ""}, "MissingUserId"),
        ({"UserId": "one"}, "InvalidParameter.NumberFormatInvalid"),
        ({"Output": "blockness.txt"}, "InvalidParameter"),
        ({"Output": "oss://out.oss-cn-shanghai.aliyuncs.com/"}, "InvalidParameter"),
        ({"Output": "oss://out.oss-cn-shanghai.aliyuncs.com/../up.txt"}, "InvalidParameter"),
        ({"Output": "oss://../up.txt"}, "InvalidParameter"),
        ({"Output": "file:///etc/passwd"}, "InvalidParameter"),
    ],
)
def test_a_review_that_cannot_be_kept_is_refused(tmp_path: Path, changes: dict[str, str], code: str) -> None:
    desk = caller(reviews(tmp_path))

    refused = desk.refused(mts_request("SubmitVideoQualityJob", **{**REVIEW, **changes}))

    assert refused[:2] == (400, code)


def test_drawn_reviews_use_every_check_and_result(tmp_path: Path) -> None:
    service = reviews(tmp_path)
    desk = caller(service)
    outputs = [f"oss://out.oss/{number}.txt" for number in range(60)]
    jobs = [
        submitted(desk, "SubmitVideoQualityJob", {**REVIEW, "Input": output, "Output": output})
        for output in outputs
    ]
    ended(service)

    statuses = {review_of(desk, job_id)["Status"] for job_id in jobs}
    files = [list(strict_json.parse_stream(path.read_bytes())) for path in (tmp_path / "out").iterdir()]

    found: dict[str, list[Any]] = {}
    for document in (document for file in files for document in file):
        assert isinstance(document, dict)
        for check, entries in document.items():
            assert isinstance(entries, list)
            found.setdefault(check, []).extend(entries)
    assert statuses == {"Success", "Fail"}
    assert set(found) == set(CHECKS)
    for check, results in JUDGING.items():
        assert {entry["result"] for entry in found[check]} == {"normal", *results}
    for check, ratio in MEASURING.items():
        assert all(0 <= float(entry[ratio]) <= 1 for entry in found[check])


def test_summary_and_file_of_a_drawn_review_tell_of_the_same_frames(tmp_path: Path) -> None:
    service = reviews(tmp_path)
    desk = caller(service)
    job_id = submitted(desk, "SubmitVideoQualityJob", REVIEW)
    ended(service)

    summary = json.loads(review_of(desk, job_id)["VideoQualityResults"])
    documents = list(strict_json.parse_stream((tmp_path / "out/ai/vqs/00 2.txt").read_bytes()))

    in_summary = {
        (check.lower(), clock_ms(entry["TimeStamp"])) for check, found in summary.items() for entry in found
    }
    in_file = {
        (check.replace("_", ""), float(entry["timestamp"]))
        for document in documents
        for check, entries in json.loads(json.dumps(document)).items()
        for entry in entries
        if entry.get("result") != "normal"
    }
    assert in_summary
    assert in_summary == in_file


def clock_ms(text: str) -> float:
    hours, minutes, seconds = text.split(":")
    return float(round((int(hours) * 60 + int(minutes)) * 60_000 + float(seconds) * 1_000))


def test_the_file_is_no_single_document(tmp_path: Path) -> None:
    service = reviews(tmp_path)
    desk = caller(service)
    job_id = submitted(desk, "SubmitVideoQualityJob", REVIEW)
    ended(service)
    review_of(desk, job_id)

    with pytest.raises(ParseError):
        strict_json.parse((tmp_path / "out/ai/vqs/00 2.txt").read_bytes())


def test_a_production_waits_is_worked_on_and_ends_as_the_clock_moves() -> None:
    service = productions()
    desk = caller(service)
    job_id = submitted(desk, "SubmitIProductionJob", {**PRODUCTION, "JobParams": '{mode:"gif"}'})

    seen = []
    for _ in range(3):
        seen.append(production_of(desk, job_id))
        service.clock.sleep(1_000)

    assert [job["State"] for job in seen] == ["Queuing", "Analysing", "Success"]
    assert "Result" not in seen[1]
    assert seen[2] == {
        "JobId": job_id,
        **PRODUCTION,
        "JobParams": '{mode:"gif"}',
        "UserData": "null",
        "State": "Success",
        "Result": MTS_NOTHING_MORE,
    }


@pytest.mark.parametrize(
    ("function", "case"),
    [
        ("CaptionExtraction", "caption-extraction"),
        ("Cover", "cover"),
        ("ImageDelogo", "image-delogo"),
        ("ImageH2V", "image-h2v"),
        ("ImageMatting", "image-matting"),
        ("MusicSegmentDetect", "music-segment-detect"),
        ("VideoClip", "video-clip"),
        ("VideoDelogo", "video-delogo"),
        ("VideoDetext", "video-detext"),
        ("VideoGreenScreenMatting", "video-green-screen-matting"),
        ("VideoH2V", "video-h2v"),
    ],
)
def test_a_function_has_the_result_that_its_page_prints(function: str, case: str) -> None:
    page = json.loads((ANSWERS / "mts.production" / case / "answer.json").read_bytes())

    assert page["FunctionName"] == function
    assert MTS_RESULTS[function] == page["Result"]


@pytest.mark.parametrize(
    ("outcome", "state", "result"),
    [
        (ProductionOutcome("Fail"), "Fail", MTS_FAILURE),
        (ProductionOutcome("Fail", result="{}"), "Fail", "{}"),
        (ProductionOutcome(result=""), "Success", ""),
    ],
)
def test_the_caller_decides_how_a_production_ends(
    outcome: ProductionOutcome, state: str, result: str
) -> None:
    service = productions(outcomes={PRODUCTION["Input"]: outcome})
    desk = caller(service)
    job_id = submitted(desk, "SubmitIProductionJob", PRODUCTION)
    ended(service)

    job = production_of(desk, job_id)

    assert (job["State"], job["Result"]) == (state, result)


def test_a_new_function_ends_with_nothing_more_to_say() -> None:
    service = productions()
    desk = caller(service)
    job_id = submitted(desk, "SubmitIProductionJob", {**PRODUCTION, "FunctionName": "ImageCartoonize"})
    ended(service)

    assert production_of(desk, job_id)["Result"] == MTS_NOTHING_MORE


def test_a_production_of_nobody_has_no_state() -> None:
    assert production_of(caller(productions()), "0" * 32) == {"JobId": "0" * 32}


def test_success_may_come_before_the_result_of_a_production() -> None:
    service = productions()
    desk = caller(service)
    job_id = submitted(desk, "SubmitIProductionJob", PRODUCTION)
    service.hold_back(job_id, 1)
    ended(service)

    early, late = production_of(desk, job_id), production_of(desk, job_id)

    assert (early["State"], "Result" in early) == ("Success", False)
    assert "Result" in late


@pytest.mark.parametrize("missing", ["FunctionName", "Input", "Output"])
def test_a_production_needs_function_input_and_output(missing: str) -> None:
    refused = caller(productions()).refused(
        mts_request("SubmitIProductionJob", **{**PRODUCTION, missing: ""})
    )

    assert refused[:2] == (400, f"Missing{missing}")


def test_jobs_of_two_kinds_have_different_ids(tmp_path: Path) -> None:
    review = submitted(caller(reviews(tmp_path)), "SubmitVideoQualityJob", REVIEW)
    production = submitted(caller(productions()), "SubmitIProductionJob", PRODUCTION)

    assert {len(review), len(production)} == {32}
    assert review != production


def test_the_first_jobs_take_the_ids_of_the_caller() -> None:
    desk = caller(productions(job_ids=iter(["88c6ca184c0e432bbf5b665e2a15****"])))

    ids = [submitted(desk, "SubmitIProductionJob", PRODUCTION) for _ in range(2)]

    assert ids[0] == "88c6ca184c0e432bbf5b665e2a15****"
    assert len(ids[1]) == 32
