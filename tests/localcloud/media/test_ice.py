"""The life of a production job of ICE, as its clock tells it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localcloud.media.ice import IceProduction
from localcloud.media.production import ProductionOutcome
from localcloud.media.production_results import ICE_RESULTS
from shared.adapters.clocks import ManualClock
from tests.localcloud.media.judging import ANSWERS
from tests.localcloud.media.worlds import PACE, START, Caller, caller, ice_request

INPUT = {"Type": "OSS", "Media": "oss://bucket/1.mp4"}


def productions(**options: Any) -> IceProduction:
    return IceProduction(clock=ManualClock(START), pace=PACE, **options)


def submitted(desk: Caller, **changes: str) -> str:
    params = {"FunctionName": "Cover", "Input": json.dumps(INPUT), **changes}
    return str(desk.ask(ice_request("SubmitIProductionJob", **params))["JobId"])


def described(desk: Caller, job_id: str) -> dict[str, Any]:
    return desk.ask(ice_request("QueryIProductionJob", JobId=job_id))


def ended(service: IceProduction) -> None:
    service.clock.sleep(PACE.waiting_ms + PACE.processing_ms)


def test_a_job_waits_is_worked_on_and_ends_as_the_clock_moves() -> None:
    service = productions()
    desk = caller(service)
    job_id = submitted(desk)

    seen = []
    for _ in range(3):
        seen.append(described(desk, job_id))
        service.clock.sleep(1_000)

    assert [job["Status"] for job in seen] == ["Queuing", "Analysing", "Success"]
    assert sorted(seen[1]) == [
        *("CreateTime", "FunctionName", "Input", "JobId", "ScheduleConfig", "Status"),
    ]
    assert (seen[2]["CreateTime"], seen[2]["FinishTime"]) == (
        "2027-01-15T08:00:00Z",
        "2027-01-15T08:00:02Z",
    )
    assert seen[2]["Result"] == ICE_RESULTS["Cover"]


def test_the_running_word_may_be_spelt_as_the_newer_pages_do() -> None:
    service = productions(working="Analyzing")
    desk = caller(service)
    job_id = submitted(desk)
    service.clock.sleep(PACE.waiting_ms)

    assert described(desk, job_id)["Status"] == "Analyzing"


@pytest.mark.parametrize(
    ("output", "files", "urls", "media_ids"),
    [
        (
            {"Type": "OSS", "Media": "oss://bucket/out/a b.mp4"},
            ["out/a b.mp4"],
            ["http://bucket.oss-cn-shanghai.aliyuncs.com/out/a b.mp4"],
            [""],
        ),
        (
            {"Type": "OSS", "Media": "https://bucket.oss-cn-beijing.aliyuncs.com/o.mp4"},
            ["o.mp4"],
            ["http://bucket.oss-cn-beijing.aliyuncs.com/o.mp4"],
            [""],
        ),
        (
            {"Type": "Media", "Media": "0f1e", "OutputUrl": "http://bucket.oss-cn-beijing.aliyuncs.com/o "},
            ["o"],
            ["http://bucket.oss-cn-beijing.aliyuncs.com/o"],
            ["0f1e"],
        ),
        ({"Type": "Media"}, [], [], [""]),
        ({"Type": "OSS", "Media": "elsewhere"}, [], [], [""]),
    ],
)
def test_what_was_written_is_named_as_the_output_was(
    output: dict[str, str], files: list[str], urls: list[str], media_ids: list[str]
) -> None:
    service = productions()
    desk = caller(service)
    job_id = submitted(desk, Output=json.dumps(output))
    ended(service)

    job = described(desk, job_id)

    assert job["Output"] == output
    assert (job["OutputFiles"], job["OutputUrls"], job["OutputMediaIds"]) == (files, urls, media_ids)


def test_what_was_submitted_comes_back() -> None:
    service = productions()
    desk = caller(service)
    job_id = submitted(
        desk,
        Name="测试任务",
        TemplateId="t",
        JobParams='{"Model":"gif"}',
        UserData='{"test":1}',
        ScheduleConfig='{"Priority":3}',
    )

    job = described(desk, job_id)

    assert (job["Name"], job["TemplateId"]) == ("测试任务", "t")
    assert (job["JobParams"], job["UserData"]) == ('{"Model":"gif"}', '{"test":1}')
    assert job["ScheduleConfig"] == {"PipelineId": "a54fdc9c9aab413caef0d1150f565e86", "Priority": 3}


def test_the_caller_decides_how_a_job_ends() -> None:
    service = productions(
        outcomes={
            INPUT["Media"]: ProductionOutcome("Fail"),
            "oss://bucket/2.mp4": ProductionOutcome(result="[]"),
        }
    )
    desk = caller(service)
    bad = submitted(desk)
    good = submitted(desk, Input='{"Type":"OSS","Media":"oss://bucket/2.mp4"}')
    ended(service)

    failed, succeeded = described(desk, bad), described(desk, good)

    assert (failed["Status"], failed["Result"], "OutputFiles" in failed) == ("Fail", "{}", False)
    assert (succeeded["Status"], succeeded["Result"]) == ("Success", "[]")


def test_success_may_come_before_its_result() -> None:
    service = productions()
    desk = caller(service)
    job_id = submitted(desk)
    service.hold_back(job_id, 1)
    ended(service)

    early, late = described(desk, job_id), described(desk, job_id)

    assert (early["Status"], "Result" in early, "OutputFiles" in early) == ("Success", False, False)
    assert {"Result", "OutputFiles"} <= set(late)


def test_an_answer_can_be_given_as_it_stands() -> None:
    service = productions()
    desk = caller(service)
    job_id = submitted(desk)

    service.answer_raw(job_id, b'{"RequestId":"1","Status":"Paused"}')

    assert described(desk, job_id) == {"Status": "Paused"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"FunctionName": ""}, "MissingFunctionName"),
        ({"Input": ""}, "MissingInput"),
        ({"Input": "oss://bucket/1.mp4"}, "InvalidInput"),
        ({"Input": "[]"}, "InvalidInput"),
        ({"Input": '{"Type":"OSS"}'}, "InvalidInput"),
        ({"Input": '{"Type":"OSS","Media":1}'}, "InvalidInput"),
        ({"Input": "[" * 100_000}, "InvalidInput"),
        ({"Output": "oss://bucket/2.mp4"}, "InvalidOutput"),
        ({"ScheduleConfig": "6"}, "InvalidScheduleConfig"),
    ],
    ids=str,
)
def test_a_job_that_cannot_be_read_is_refused(changes: dict[str, str], code: str) -> None:
    params = {"FunctionName": "Cover", "Input": json.dumps(INPUT), **changes}

    refused = caller(productions()).refused(ice_request("SubmitIProductionJob", **params))

    assert refused[:2] == (400, code)


def test_a_token_is_bound_to_its_first_query() -> None:
    desk = caller(productions())
    one, other = submitted(desk), submitted(desk)

    def query(job_id: str) -> Any:
        return ice_request("QueryIProductionJob", JobId=job_id, ClientToken="token")

    first, again = desk.ask(query(one)), desk.ask(query(one))

    assert first == again
    assert desk.refused(query(other)) == (
        400,
        "IdempotentParameterMismatch",
        "The request uses the same client token as a previous, but non-identical request. Do not reuse a"
        " client token with different requests, unless the requests are identical.",
    )


def test_an_unknown_job_is_refused_with_the_code_that_was_chosen() -> None:
    query = ice_request("QueryIProductionJob", JobId="nobody-knows-it")

    usual = caller(productions()).refused(query)
    chosen = caller(productions(not_found_code="InvalidJobId.NotFound")).refused(query)

    assert (usual[:2], chosen[:2]) == ((404, "JobNotFound"), (404, "InvalidJobId.NotFound"))


@pytest.mark.parametrize(
    ("function", "case"),
    [
        ("AudioBeatDetection", "audio-beat-detection"),
        ("AudioMixing", "audio-mixing"),
        ("AudioQualityAssessment", "audio-quality-assessment"),
        ("CaptionExtraction", "caption-extraction"),
        ("Cover", "cover"),
        ("FaceBeauty", "face-beauty"),
        ("MusicDemix", "music-demix"),
        ("MusicSegmentDetect", "music-segment-detect"),
        ("SpeechDenoise", "speech-denoise"),
        ("VideoClip", "video-clip"),
        ("VideoDelogo", "video-delogo"),
        ("VideoDetext", "video-detext"),
        ("VideoGreenScreenMatting", "video-green-screen-matting"),
        ("VideoH2V", "video-h2v"),
    ],
)
def test_a_function_has_the_result_that_its_page_prints(function: str, case: str) -> None:
    page = json.loads((ANSWERS / "ice.production" / case / "answer.json").read_bytes())

    assert page["FunctionName"] == function
    assert ICE_RESULTS[function] == page["Result"]
