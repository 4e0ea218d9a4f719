"""Production jobs of MTS and ICE before their judges: the vendor's present clients."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from localcloud.media import ice, mts, production_results
from localcloud.media.ice import IceProduction
from localcloud.media.mts import MtsProduction
from shared.adapters.clocks import ManualClock
from tests.localcloud.media.judging import (
    ANSWERS,
    judged_gateway,
    present,
    verdict_of,
    without_empty_lists,
)
from tests.localcloud.media.reviews import ANSWER, JOB_ID, USER_ID, sample_review
from tests.localcloud.media.worlds import PACE, caller, ice_request

ICE_PAGE = ANSWERS / "ice.production" / "page" / "answer.json"


@pytest.fixture(scope="module")
def of_ice() -> dict[str, Any]:
    """What the client for ICE made of our answers."""
    page = json.loads(ICE_PAGE.read_bytes())
    clock = ManualClock(present())
    service = IceProduction(clock=clock, pace=PACE, job_ids=iter([page["JobId"]]))
    submission = ice_request(
        "SubmitIProductionJob",
        FunctionName=page["FunctionName"],
        Input=json.dumps(page["Input"]),
        Output=json.dumps(page["Output"]),
    )
    caller(service).ask(submission)
    # With this end before its begin, and with this request id, a service says nothing of itself.
    service.answer_raw(page["JobId"], ICE_PAGE.read_bytes())
    gateway = judged_gateway(service.actions(), clock=clock, version=ice.VERSION)
    functions = production_results.ICE_RESULTS
    return verdict_of("judge_ice", page["JobId"], *functions, environment="vendor", gateway=gateway)


@pytest.fixture(scope="module")
def of_mts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the present client for MTS made of our answers."""
    clock = ManualClock(present())
    review = sample_review(clock, tmp_path_factory.mktemp("oss"))
    actions = [*MtsProduction(clock=clock, pace=PACE).actions(), *review.actions()]
    gateway = judged_gateway(actions, clock=clock, version=mts.VERSION)
    functions = production_results.MTS_RESULTS
    return verdict_of("judge_mts", JOB_ID, USER_ID, *functions, environment="vendor", gateway=gateway)


@pytest.fixture(params=["acs3", "rpc1"])
def ice_saw(request: pytest.FixtureRequest, of_ice: Mapping[str, Any]) -> dict[str, Any]:
    """One scheme's part of the verdict on ICE."""
    part: dict[str, Any] = of_ice[request.param]
    return part


@pytest.fixture(params=["acs3", "rpc1"])
def mts_saw(request: pytest.FixtureRequest, of_mts: Mapping[str, Any]) -> dict[str, Any]:
    """One scheme's part of the verdict on MTS."""
    part: dict[str, Any] = of_mts[request.param]
    return part


def test_the_model_of_ice_reads_every_field_of_the_page(ice_saw: dict[str, Any]) -> None:
    assert ice_saw["sample"] == json.loads(ICE_PAGE.read_bytes())


def test_the_model_of_ice_reads_every_field_of_a_job_that_it_submitted(ice_saw: dict[str, Any]) -> None:
    last = ice_saw["life"][-1]

    assert without_empty_lists(last) | {"RequestId": ""} == ice_saw["generic"] | {"RequestId": ""}
    assert last["Input"] == {"Type": "OSS", "Media": "oss://bucket/in put.mp4"}
    assert last["Output"] == {
        "Type": "OSS",
        "Biz": "IMS",
        "Media": "oss://bucket/out/object.mp4",
        "OutputUrl": "http://bucket.oss/o ",
    }
    assert last["ScheduleConfig"] == {"PipelineId": "a-pipeline", "Priority": 3}
    assert (last["Name"], last["TemplateId"]) == ("测试任务", "****96e8864746a0b6f3****")
    assert (last["JobParams"], last["UserData"]) == ('{"Model":"gif"}', '{"test":1}')
    assert last["OutputFiles"] == ["out/object.mp4"]
    assert last["OutputUrls"] == ["http://bucket.oss-cn-shanghai.aliyuncs.com/out/object.mp4"]
    assert last["OutputMediaIds"] == [""]


def test_the_client_for_ice_sees_a_job_through(ice_saw: dict[str, Any]) -> None:
    life = ice_saw["life"]

    assert [job["Status"] for job in life] == ["Queuing", "Analysing", "Success"]
    assert ["Result" in job for job in life] == [False, False, True]
    assert ["FinishTime" in job for job in life] == [False, False, True]


def test_the_client_for_ice_gets_the_result_of_every_function(ice_saw: dict[str, Any]) -> None:
    assert ice_saw["results"] == dict(production_results.ICE_RESULTS)


@pytest.mark.parametrize(
    ("attempt", "status", "code"),
    [
        ("unknown_job", 404, "JobNotFound"),
        ("missing_job", 400, "MissingJobId"),
        ("token_reused", 400, "IdempotentParameterMismatch"),
    ],
)
def test_the_client_for_ice_understands_every_refusal(
    ice_saw: dict[str, Any], attempt: str, status: int, code: str
) -> None:
    refusal = ice_saw[attempt]

    assert (refusal["type"], refusal["status"], refusal["code"]) == ("ClientException", status, code)


def test_a_client_token_may_come_again_with_the_same_query(ice_saw: dict[str, Any]) -> None:
    assert ice_saw["token_again"]["JobId"] == ice_saw["life"][0]["JobId"]


def test_the_model_of_mts_reads_every_field_of_a_job_that_it_submitted(mts_saw: dict[str, Any]) -> None:
    last = mts_saw["life"][-1]

    assert last.pop("RequestId")
    assert last.pop("JobId")
    assert last == {
        "FunctionName": next(iter(production_results.MTS_RESULTS)),
        "Input": "oss://bucket.oss-cn-shanghai.aliyuncs.com/in put.mp4",
        "Output": "oss://bucket.oss-cn-shanghai.aliyuncs.com/{source}-{timestamp}-{sequenceId}.mp4",
        "JobParams": '{mode:"gif"}',
        "PipelineId": "a-pipeline",
        "UserData": "用户 &",
        "State": "Success",
        "Result": next(iter(production_results.MTS_RESULTS.values())),
    }


def test_the_client_for_mts_sees_a_job_through(mts_saw: dict[str, Any]) -> None:
    life = mts_saw["life"]

    assert [job["State"] for job in life] == ["Queuing", "Analysing", "Success"]
    assert ["Result" in job for job in life] == [False, False, True]


def test_the_client_for_mts_gets_the_result_of_every_function(mts_saw: dict[str, Any]) -> None:
    assert mts_saw["results"] == dict(production_results.MTS_RESULTS)


def test_the_client_for_mts_gets_speech_at_once(mts_saw: dict[str, Any]) -> None:
    spoken = json.loads(mts_saw["spoken"]["Result"])

    assert list(spoken["Data"]["result"][0]) == ["file"]


def test_the_client_for_mts_gets_no_state_of_a_foreign_job(mts_saw: dict[str, Any]) -> None:
    assert sorted(mts_saw["foreign"]) == ["JobId", "RequestId"]


def test_the_client_for_mts_is_told_which_parameter_it_forgot(mts_saw: dict[str, Any]) -> None:
    refusal = mts_saw["missing_job"]

    assert (refusal["type"], refusal["status"], refusal["code"]) == ("ClientException", 400, "MissingJobId")


def test_the_generic_call_gets_the_quality_review_that_the_client_has_dropped(
    mts_saw: dict[str, Any],
) -> None:
    assert mts_saw["has_model_of_quality"] is False
    for name in ("quality", "quality_form", "quality_get"):
        assert mts_saw[name] == ANSWER | {"RequestId": mts_saw[name]["RequestId"]}
