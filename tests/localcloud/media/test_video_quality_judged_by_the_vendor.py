"""Video quality reviews before their judges: the vendor's last clients that knew them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from localcloud.media.mts import VERSION
from shared.adapters.clocks import ManualClock
from tests.localcloud.media.judging import judged_gateway, present, verdict_of
from tests.localcloud.media.reviews import ANSWER, DRAWN, FILE, JOB_ID, USER_ID, sample_review


@pytest.fixture(scope="module")
def oss(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the reviews write their files."""
    return tmp_path_factory.mktemp("oss")


@pytest.fixture(scope="module")
def verdict(oss: Path) -> dict[str, Any]:
    """What the last client with a model made of our answers."""
    clock = ManualClock(present())
    gateway = judged_gateway(sample_review(clock, oss).actions(), clock=clock, version=VERSION)
    return verdict_of("judge_mts_3", JOB_ID, USER_ID, environment="vendor-mts-3", gateway=gateway)


@pytest.fixture(params=["acs3", "rpc1"])
def seen(request: pytest.FixtureRequest, verdict: Mapping[str, Any]) -> dict[str, Any]:
    """One scheme's part of the verdict."""
    part: dict[str, Any] = verdict[request.param]
    return part


@pytest.fixture(scope="module")
def legacy(oss: Path) -> dict[str, Any]:
    """What the first generation of clients, which signs with RPC 1.0 alone, got from us."""
    clock = ManualClock(present())
    gateway = judged_gateway(sample_review(clock, oss).actions(), clock=clock, version=VERSION)
    return verdict_of("judge_mts_legacy", JOB_ID, USER_ID, environment="vendor-legacy", gateway=gateway)


def test_the_model_reads_every_field_of_the_page(seen: dict[str, Any]) -> None:
    sample = seen["sample"]

    assert sample == ANSWER | {"RequestId": sample["RequestId"]}


def test_the_last_client_sees_a_review_through(seen: dict[str, Any]) -> None:
    jobs = [answer["Job"] for answer in seen["life"]]

    assert {job["JobId"] for job in jobs} == {seen["submitted"]["JobId"]}
    assert [job["Status"] for job in jobs] == ["Submitted", "Processing", "Success"]
    assert ["VideoQualityResults" in job for job in jobs] == [False, False, True]
    assert seen["submitted"]["Code"] == "Success"


def test_the_file_of_a_review_lies_where_its_submission_said(seen: dict[str, Any], oss: Path) -> None:
    named = seen["life"][-1]["Job"]["Output"]

    assert (oss / "out" / named).read_bytes() == DRAWN.file
    assert (oss / "mts-sh-out" / ANSWER["Job"]["Output"]).read_bytes() == FILE


@pytest.mark.parametrize(
    ("attempt", "code"),
    [
        ("unknown_job", "InvalidParameter.JobNotFound"),
        ("another_user", "InvalidParameter.JobNotFound"),
        ("short_id", "InvalidParameter.UUIDFormatInvalid"),
        ("missing_user", "MissingUserId"),
        ("missing_job", "MissingJobId"),
    ],
)
def test_the_last_client_understands_every_refusal(seen: dict[str, Any], attempt: str, code: str) -> None:
    refusal = seen[attempt]

    assert (refusal["type"], refusal["status"], refusal["code"]) == ("ClientException", 400, code)


def test_the_legacy_client_gets_the_page(legacy: dict[str, Any]) -> None:
    sample = legacy["sample"]

    assert sample == ANSWER | {"RequestId": sample["RequestId"]}


def test_the_legacy_client_submits_a_review(legacy: dict[str, Any]) -> None:
    job_id = legacy["submitted"]["JobId"]

    assert legacy["first"]["Job"] == {"JobId": job_id, "UserId": int(USER_ID), "Status": "Submitted"}


def test_the_legacy_client_understands_the_refusal(legacy: dict[str, Any]) -> None:
    refusal = legacy["unknown_job"]

    assert (refusal["status"], refusal["code"]) == (400, "InvalidParameter.JobNotFound")
    assert refusal["message"] == "The job is not found."
    assert refusal["request_id"]
