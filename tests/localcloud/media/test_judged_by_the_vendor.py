"""The local media API before its judge: the vendor's own client, in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from localcloud.media.server import MediaApiServer
from localcloud.media.vod import VERSION
from localcloud.media.wire import Action, Answer
from shared.adapters.endpoints import endpoint
from tests.localcloud.media.worlds import World, new_world

ROOT = Path(__file__).parents[3]
JUDGE = Path(__file__).with_name("judge_vod.py")
PATIENCE_S = 120


def vendor_python() -> Path:
    named = os.environ.get("VENDOR_VOD_PYTHON")
    python = Path(named) if named else ROOT / ".venv-vendor-vod" / "bin" / "python"
    if not python.exists():
        pytest.fail(
            f"no Python with the vendor's client at {python}: run `make test`, which makes it, or set"
            " VENDOR_VOD_PYTHON to one with requirements/vendor-vod.in installed",
            pytrace=False,
        )
    return python


def controls(world: list[World]) -> list[Action]:
    """Let the judge turn the world that it judges, through the same door."""

    def advance_clock(params: Mapping[str, str]) -> Answer:
        world[0].clock.advance(int(params["Milliseconds"]))
        return {}

    def make_trouble(params: Mapping[str, str]) -> Answer:
        wait = params.get("Wait")
        world[0].gateway.throttle(int(params.get("Throttle", "0")), retry_after=int(wait) if wait else None)
        world[0].gateway.break_down(int(params.get("BreakDown", "0")))
        return {}

    def echo(params: Mapping[str, str]) -> Answer:
        scheme = "rpc1" if "Signature" in params else "acs3"
        return {"Text": params["Text"], "Empty": params["Empty"], "Scheme": scheme}

    handlers = {"AdvanceClock": advance_clock, "MakeTrouble": make_trouble, "Echo": echo}
    return [Action("test", VERSION, name, handle) for name, handle in handlers.items()]


@pytest.fixture(scope="module")
def verdict() -> dict[str, Any]:
    """What the vendor's client made of our answers."""
    worlds: list[World] = []
    # The vendor's client takes its timestamps from the machine.
    worlds.append(new_world(start=time.time_ns() // 1_000_000, more=controls(worlds)))
    # The client goes to a proxy of the environment whatever no_proxy says (query-apis.md 7.1).
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    with MediaApiServer(worlds[0].gateway) as server:
        ran = subprocess.run(
            [vendor_python(), JUDGE, server.endpoint.removeprefix("http://")],
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr
    report: dict[str, Any] = json.loads(ran.stdout)
    return report


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


def without_empty_lists(value: Any) -> Any:
    """Undo what the model adds: a list where the answer has none (query-apis.md 7.2)."""
    if isinstance(value, dict):
        return {name: without_empty_lists(member) for name, member in value.items() if member != []}
    if isinstance(value, list):
        return [without_empty_lists(item) for item in value]
    return value


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
