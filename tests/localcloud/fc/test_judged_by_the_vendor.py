"""Function Compute before its judges: the vendor's own clients, each in a process of its own."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from localcloud.fc.http_gateway import HttpGateway, http_server
from localcloud.fc.http_trigger import HttpTrigger
from localcloud.fc.invocation import Function
from localcloud.fc.service import FcService, fc_server
from localcloud.runner import TooManyInstancesError
from shared.adapters.clocks import SystemClock
from tests.judges import python_of, report_of
from tests.localcloud.fc.worlds import OWN, TEMPORARY


def fail(event: bytes) -> object:
    raise ValueError("no such thing")


def busy(event: bytes) -> object:
    raise TooManyInstancesError("all 1 instances are busy")


FUNCTIONS: dict[str, Function] = {"echo": bytes, "fail": fail, "busy": busy, "size": len}


@pytest.fixture(scope="module")
def endpoints() -> Iterator[tuple[str, str]]:
    """Serve the API, and an HTTP trigger that wants signatures."""
    clock, draw, resolve = SystemClock(), random.Random(1), FUNCTIONS.__getitem__
    service = FcService(
        resolve,
        keys=[OWN, TEMPORARY],
        clock=clock,
        random=draw,
        log_tail=lambda function: f"the log of {function}".encode(),
    )
    gateway = HttpGateway(
        HttpTrigger("echo", "http", "function", ("POST",)),
        lambda name: lambda event: json.loads(event)["queryParameters"],
        keys={OWN.access_key_id: OWN},
        clock=clock,
        random=draw,
        region="cn-shanghai",
        account="1000000000000001",
    )
    with ExitStack() as serving:
        serving.enter_context(service.tasks)
        api, trigger = (serving.enter_context(one) for one in (fc_server(service), http_server(gateway)))
        yield api.endpoint, trigger.endpoint


@pytest.fixture(scope="module")
def fc3(endpoints: tuple[str, str]) -> dict[str, Any]:
    """What the client of FC 3.0 made of our answers."""
    api, trigger = endpoints
    where = api.removeprefix("http://")
    return report_of([python_of("vendor"), "-m", "tests.localcloud.fc.judge_fc3", where, trigger])


@pytest.fixture(scope="module")
def fc2(endpoints: tuple[str, str]) -> dict[str, Any]:
    """What the client of FC 2.0 made of our answers."""
    return report_of([sys.executable, "-m", "tests.localcloud.fc.judge_fc2", endpoints[0]])


def test_fc3_results_are_the_bytes_of_the_function(fc3: dict[str, Any]) -> None:
    assert (fc3["echo"]["status"], fc3["echo"]["body"]) == (200, "\x00\xff event")
    assert fc3["qualified"]["body"] == fc3["temporary"]["body"] == "event"
    assert "x-fc-error-type" not in fc3["echo"]["headers"]
    assert fc3["log"] == "the log of echo"
    assert fc3["large"]


def test_fc3_a_failing_function_is_a_success_with_a_header(fc3: dict[str, Any]) -> None:
    failed = fc3["failed"]

    assert (failed["status"], failed["headers"]["x-fc-error-type"]) == (200, "UnhandledInvocationError")
    assert json.loads(failed["body"])["errorMessage"] == "no such thing"


def test_fc3_a_task_is_accepted_once_and_can_be_asked_for(fc3: dict[str, Any]) -> None:
    task = fc3["task"]

    assert task["accepted"] == [202, "job-1"]
    assert task["again"] == [409, "StatefulAsyncInvocationAlreadyExists", True]
    assert task["found"] == ["job-1", "Succeeded", "a task", "a task"]
    assert task["times"]
    assert task["listed"] == [["job-1", "Succeeded"]]


def test_fc3_refusals_have_the_status_and_code_that_the_client_reads(fc3: dict[str, Any]) -> None:
    assert fc3["refused"] == {
        "unknown": [404, "FunctionNotFound", True],
        "qualifier": [404, "QualifierNotFound", True],
        "busy": [429, "ResourceThrottled", True],
        "secret": [400, "SignatureDoesNotMatch", True],
        "sync": [413, "EntityTooLarge", True],
        "async": [413, "EntityTooLarge", True],
        "id": [400, "InvalidArgument", True],
        "no_task": [404, "AsyncTaskNotFound", True],
    }


def test_an_http_trigger_lets_in_what_the_vendor_signs(fc3: dict[str, Any]) -> None:
    assert fc3["trigger"]["own"] == [200, '{"foo": "bar", "b": "\\u4e2d"}']
    assert fc3["trigger"]["stranger"] == [403, "SignatureNotMatch"]


def test_fc2_results_are_the_bytes_of_the_function(fc2: dict[str, Any]) -> None:
    assert (fc2["echo"], fc2["qualified"]) == ("\x00\xff event", "event")
    assert fc2["log"] == "the log of echo"
    assert fc2["request_id"]
    assert fc2["accepted"] == "fc2-1"


def test_fc2_refusals_have_the_status_and_code_that_the_client_reads(fc2: dict[str, Any]) -> None:
    assert fc2["refused"] == {
        "failed": [200, ""],
        "unknown": [404, "FunctionNotFound"],
        "busy": [429, "ResourceThrottled"],
        "secret": [403, "SignatureNotMatch"],
        "again": [409, "StatefulAsyncInvocationAlreadyExists"],
        "sync": [413, "EntityTooLarge"],
        "async": [413, "EntityTooLarge"],
    }
