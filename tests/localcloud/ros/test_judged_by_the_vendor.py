"""ROS before its judge: the vendor's own client, in an environment of its own."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.media.server import MediaApiServer
from localcloud.ros.service import VERSION, Ros
from shared.adapters.clocks import ManualClock
from tests.judges import python_of, report_of
from tests.localcloud.media.judging import judged_gateway, present


@pytest.fixture(scope="module")
def verdict() -> dict[str, Any]:
    """What the vendor's client made of our answers."""
    clock = ManualClock(present())
    gateway = judged_gateway(Ros(clock=clock).actions(), clock=clock, version=VERSION)
    with MediaApiServer(gateway) as server:
        judge = [python_of("vendor"), "-m", "tests.localcloud.ros.judge_ros"]
        return report_of([*judge, server.endpoint.removeprefix("http://")])


@pytest.fixture(params=["acs3", "rpc1"])
def seen(request: pytest.FixtureRequest, verdict: dict[str, Any]) -> dict[str, Any]:
    """One scheme's part of the verdict."""
    part: dict[str, Any] = verdict[request.param]
    return part


def test_it_creates_updates_and_deletes_a_stack(seen: dict[str, Any]) -> None:
    states = [seen[name]["Status"] for name in ("begun", "made", "updated", "deleted")]

    assert states == ["CREATE_IN_PROGRESS", "CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"]
    assert [status for _, status in seen["listed"]] == ["UPDATE_COMPLETE"]


def test_its_models_read_outputs_and_parameters(seen: dict[str, Any]) -> None:
    code = {one["ParameterKey"]: one["ParameterValue"] for one in seen["updated"]["Parameters"]}["Code"]

    assert code == "2.zip"
    assert [one["OutputKey"] for one in seen["made"]["Outputs"]] == ["Queue", "Function"]


def test_it_reads_every_event_once(seen: dict[str, Any]) -> None:
    resources = [event for event in seen["events"] if event[0] in ("Queue", "Function")]

    assert resources[::-1] == [
        ["Queue", "CREATE_IN_PROGRESS"],
        ["Queue", "CREATE_COMPLETE"],
        ["Function", "CREATE_IN_PROGRESS"],
        ["Function", "CREATE_COMPLETE"],
        ["Function", "UPDATE_IN_PROGRESS"],
        ["Function", "UPDATE_COMPLETE"],
    ]


@pytest.mark.parametrize(
    ("attempt", "status", "code"),
    [
        ("busy", 409, "ActionInProgress"),
        ("same", 400, "NotSupported"),
        ("again", 409, "StackExists"),
        ("without_code", 400, "StackValidationFailed"),
        ("unknown_parameter", 400, "StackValidationFailed"),
        ("unknown_stack", 404, "StackNotFound"),
        ("wrong_secret", 400, "SignatureDoesNotMatch"),
    ],
)
def test_it_understands_refusals(seen: dict[str, Any], attempt: str, status: int, code: str) -> None:
    assert (seen[attempt]["status"], seen[attempt]["code"]) == (status, code)
