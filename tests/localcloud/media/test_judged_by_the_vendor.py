"""Gateway and VOD before their judge: the vendor's own client, in an environment of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from localcloud.media.vod import VERSION
from localcloud.media.wire import Action, Answer
from shared.adapters.endpoints import endpoint
from tests.localcloud.media.judging import judged_gateway, present, verdict_of, without_empty_lists
from tests.localcloud.media.worlds import new_world


@pytest.fixture(scope="module")
def verdict() -> dict[str, Any]:
    """What the vendor's client made of our answers."""
    world = new_world(start=present())

    def make_trouble(params: Mapping[str, str]) -> Answer:
        wait = params.get("Wait")
        gateway.throttle(int(params.get("Throttle", "0")), retry_after=int(wait) if wait else None)
        gateway.break_down(int(params.get("BreakDown", "0")))
        gateway.stumble(int(params.get("Stumble", "0")))
        return {}

    def echo(params: Mapping[str, str]) -> Answer:
        scheme = "rpc1" if "Signature" in params else "acs3"
        return {"Text": params["Text"], "Empty": params["Empty"], "Scheme": scheme}

    more = [Action("test", VERSION, "MakeTrouble", make_trouble), Action("test", VERSION, "Echo", echo)]
    gateway = judged_gateway([*world.vod.actions(), *more], clock=world.clock, version=VERSION)
    return verdict_of("judge_vod", environment="vendor", gateway=gateway)


@pytest.fixture(params=["acs3", "rpc1"])
def seen(request: pytest.FixtureRequest, verdict: dict[str, Any]) -> dict[str, Any]:
    """One scheme's part of the verdict."""
    part: dict[str, Any] = verdict[request.param]
    assert part["echo"]["Scheme"] == request.param
    return part


def test_it_submits_a_job_and_sees_it_through(seen: dict[str, Any]) -> None:
    job_id = seen["submitted"]["JobId"]

    assert seen["submitted"]["MediaId"] == "media-1"
    assert seen["submitted"]["RequestId"]
    assert [job["Status"] for job in seen["life"]] == ["init", "processing", "success"]
    assert {job["JobId"] for job in seen["life"]} == {job_id}


def test_its_model_reads_the_whole_result(seen: dict[str, Any]) -> None:
    through_the_model = seen["life"][-1]["Data"]
    as_answered = seen["generic"]["MediaAuditJob"]["Data"]

    assert without_empty_lists(through_the_model) == as_answered
    assert "GreenEnhancedResult" in as_answered["VideoResult"]


def test_get_form_body_and_temporary_key_give_the_same_answer(seen: dict[str, Any]) -> None:
    job = seen["generic"]["MediaAuditJob"]

    assert seen["generic_get"]["MediaAuditJob"] == job
    assert seen["generic_form"]["MediaAuditJob"] == job
    assert seen["temporary"]["JobId"] == job["JobId"]


def test_hostile_characters_and_empty_values_arrive_as_they_were(seen: dict[str, Any]) -> None:
    sent = "a b*c~d+e/中&=%\"'<?#\U0001f39e"

    for echo in (seen["echo"], seen["echo_form"]):
        assert (echo["Text"], echo["Empty"]) == (sent, "")


@pytest.mark.parametrize(
    ("attempt", "error", "status", "code"),
    [
        ("unknown_job", "ClientException", 404, "InvalidJobId.NotFound"),
        ("missing_job", "ClientException", 400, "MissingJobId"),
        ("wrong_secret", "ClientException", 400, "SignatureDoesNotMatch"),
        ("unknown_key", "ClientException", 404, "InvalidAccessKeyId.NotFound"),
        ("without_token", "ClientException", 400, "MissingSecurityToken"),
        ("wrong_token", "ClientException", 400, "InvalidSecurityToken.MismatchWithAccessKey"),
        ("unknown_action", "ClientException", 404, "InvalidAction.NotFound"),
        ("wrong_version", "ClientException", 400, "InvalidVersion"),
        ("throttled", "ClientException", 400, "Throttling.User"),
        ("throttled_with_wait", "ThrottlingException", 400, "Throttling.User"),
        ("unavailable", "ServerException", 503, "ServiceUnavailable"),
        ("internal", "ServerException", 500, "InternalError"),
    ],
)
def test_it_understands_every_refusal(
    seen: dict[str, Any], attempt: str, error: str, status: int, code: str
) -> None:
    refusal = seen[attempt]

    assert (refusal["type"], refusal["status"], refusal["code"]) == (error, status, code)
    assert set(refusal["body_keys"]) >= {"RequestId", "HostId", "Code", "Message", "Recommend"}


def test_it_is_told_how_long_to_wait_and_then_served_again(seen: dict[str, Any]) -> None:
    assert seen["throttled_with_wait"]["retry_after"] == 3
    assert seen["afterwards"] == "success"


def test_our_client_asks_where_the_vendors_does(verdict: dict[str, Any]) -> None:
    ours = {region: endpoint("vod", region) for region in verdict["endpoints"]}

    assert ours == {region: f"https://{host}" for region, host in verdict["endpoints"].items()}
