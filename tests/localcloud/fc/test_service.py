"""What no client of ours does: synchronous calls, wrong paths, tasks without an id."""

from __future__ import annotations

import json
import random
import threading
from typing import Any

import pytest

from localcloud.fc.invocation import Function
from localcloud.fc.log_tails import LogTails
from localcloud.fc.service import FcService, fc_server
from localcloud.loopback import HttpReply, HttpRequest
from localcloud.runner import InvocationError, TooManyInstancesError
from shared.adapters.clocks import SystemClock
from shared.adapters.signing import Content, Envelope, sign_acs3
from shared.vendor import ApiRequest
from tests.localcloud.fc.worlds import OWN, fc3, new_service

INVOKE = "/2023-03-30/functions/{}/invocations"
TASKS = "/2023-03-30/functions/{}/async-tasks"


def echo(event: bytes) -> bytes:
    return event


def fail(event: bytes) -> object:
    raise ValueError("no such thing")


def busy(event: bytes) -> object:
    raise TooManyInstancesError("all 1 instances are busy")


def fail_as_the_runner_does(event: bytes) -> object:
    raise InvocationError("late", "KeyError", "'job'", stack=[])


@pytest.fixture
def service() -> FcService:
    functions: dict[str, Function] = {
        "echo": echo,
        "fail": fail,
        "late": fail_as_the_runner_does,
        "answer": json.loads,
        "busy": busy,
    }
    return new_service(functions.__getitem__)


def post(
    service: FcService, path: str, body: bytes = b"", *, method: str = "POST", **headers: str
) -> HttpReply:
    """Give the answer to a signed request."""
    bare, _, query = path.partition("?")
    content = Content(bare, body, {name.replace("_", "-"): value for name, value in headers.items()})
    envelope = Envelope("127.0.0.1", SystemClock().now(), "nonce", method=method)
    params = dict(pair.split("=") for pair in query.split("&") if pair)
    signed = sign_acs3(ApiRequest("fc", "2023-03-30", "InvokeFunction", params), OWN, envelope, content)
    reply = service.answer(HttpRequest(method, path, signed.headers, body))
    assert reply is not None
    return reply


def test_a_synchronous_call_is_answered_with_the_result(service: FcService) -> None:
    assert post(service, INVOKE.format("echo"), b"\x00event").body == b"\x00event"
    assert json.loads(post(service, INVOKE.format("answer"), b'{"a": 1}').body) == {"a": 1}


@pytest.mark.parametrize(("function", "kind"), [("fail", "ValueError"), ("late", "KeyError")])
def test_a_failing_function_is_a_success_with_a_header(service: FcService, function: str, kind: str) -> None:
    reply = post(service, INVOKE.format(function))

    assert (reply.status, reply.headers["x-fc-error-type"]) == (200, "UnhandledInvocationError")
    assert json.loads(reply.body)["errorType"] == kind


@pytest.mark.parametrize(
    ("path", "method", "status", "code"),
    [
        ("/2023-03-30/functions", "POST", 400, "PathNotSupported"),
        (INVOKE.format("echo"), "GET", 400, "PathNotSupported"),
        (INVOKE.format("nobody"), "POST", 404, "FunctionNotFound"),
    ],
)
def test_what_is_not_imitated_is_refused(
    service: FcService, path: str, method: str, status: int, code: str
) -> None:
    reply = post(service, path, method=method)

    assert (reply.status, json.loads(reply.body)["Code"]) == (status, code)


def test_a_task_without_an_id_gets_one(service: FcService) -> None:
    replies = [post(service, INVOKE.format("echo"), x_fc_invocation_type="Async") for _ in range(2)]

    assert [reply.status for reply in replies] == [202, 202]
    assert len({reply.headers["x-fc-async-task-id"] for reply in replies}) == 2


def test_a_payload_above_the_limit_is_refused(service: FcService) -> None:
    reply = post(service, INVOKE.format("echo"), bytes(128 * 1024 + 1), x_fc_invocation_type="Async")

    assert (reply.status, json.loads(reply.body)["Code"]) == (413, "EntityTooLarge")


def test_the_body_is_signed(service: FcService) -> None:
    path = INVOKE.format("echo")
    envelope = Envelope("127.0.0.1", SystemClock().now(), "nonce")
    signed = sign_acs3(
        ApiRequest("fc", "2023-03-30", "InvokeFunction"), OWN, envelope, Content(path, b"mine")
    )
    reply = service.answer(HttpRequest("POST", path, signed.headers, b"another"))

    assert reply is not None
    assert json.loads(reply.body)["Code"] == "SignatureDoesNotMatch"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "MissingRequiredHeader"),
        ({"authorization": "FC own-key:c2ln"}, "MissingRequiredHeader"),
        ({"authorization": "FC nobody:c2ln", "date": ""}, "InvalidAccessKeyID"),
        ({"authorization": "FC own-key:c2ln", "date": ""}, "SignatureNotMatch"),
    ],
)
def test_a_request_of_fc_2_without_a_right_signature_is_refused_in_its_words(
    service: FcService, headers: dict[str, str], code: str
) -> None:
    path = "/2016-08-15/services/media-ledger/functions/echo/invocations"
    reply = service.answer(HttpRequest("POST", path, headers))

    assert reply is not None
    assert json.loads(reply.body)["ErrorCode"] == code


def test_tasks_are_executed_by_a_thread_of_their_own() -> None:
    executed = threading.Event()
    service = new_service({"deliver": lambda payload: executed.set()}.__getitem__)

    with service.tasks, fc_server(service) as server:
        invoker = fc3(server.endpoint)
        invoker.invoke("deliver", b"", task_id="a")
        invoker.close()

        assert executed.wait(30)


def test_a_function_that_takes_no_more_calls_is_throttled(service: FcService) -> None:
    reply = post(service, INVOKE.format("busy"))

    assert (reply.status, json.loads(reply.body)["Code"]) == (429, "ResourceThrottled")


@pytest.mark.parametrize(("log_type", "log"), [("Tail", b"Y2FsbGVkIGVjaG8="), ("None", None)])
def test_the_end_of_the_log_comes_when_it_is_asked_for(log_type: str, log: bytes | None) -> None:
    service = FcService(
        {"echo": echo}.__getitem__,
        keys=[OWN],
        clock=SystemClock(),
        random=random.Random(1),
        log_tail=lambda function: f"called {function}".encode(),
    )
    reply = post(service, INVOKE.format("echo"), x_fc_log_type=log_type)

    assert reply.headers.get("x-fc-log-result") == (log and log.decode())


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        (INVOKE.format("echo"), {"x_fc_invocation_type": "Later"}, 400, "InvalidArgument"),
        (INVOKE.format("echo") + "?qualifier=prod", {}, 404, "QualifierNotFound"),
    ],
)
def test_what_is_asked_for_wrongly_is_refused(
    service: FcService, path: str, headers: dict[str, Any], status: int, code: str
) -> None:
    reply = post(service, path, **headers)

    assert (reply.status, json.loads(reply.body)["Code"]) == (status, code)


@pytest.mark.parametrize(
    ("query", "ids", "marker"),
    [
        ("", ["a", "b", "c"], None),
        ("?prefix=b", ["b"], None),
        ("?status=Succeeded", ["a", "b", "c"], None),
        ("?status=Failed", [], None),
        ("?limit=2", ["a", "b"], "2"),
        ("?limit=2&nextToken=2", ["c"], None),
    ],
)
def test_tasks_are_listed_in_pages(
    service: FcService, query: str, ids: list[str], marker: str | None
) -> None:
    for task_id in "abc":
        service.tasks.accept("echo", b"", task_id=task_id)
    service.tasks.accept("answer", b"1", task_id="other")
    service.tasks.execute()

    listed = json.loads(post(service, TASKS.format("echo") + query, method="GET").body)

    assert ([task["taskId"] for task in listed["tasks"]], listed.get("nextToken")) == (ids, marker)


@pytest.mark.parametrize(("path", "status"), [("/nobody", 404), ("?limit=1000", 400), ("?limit=x", 400)])
def test_tasks_that_are_not_there_cannot_be_asked_for(service: FcService, path: str, status: int) -> None:
    assert post(service, TASKS.format("echo") + path, method="GET").status == status


def test_a_log_remembers_its_end_and_hands_every_line_on() -> None:
    lines: list[str] = []
    tails = LogTails(lambda function, line: lines.append(line))

    for number in range(1_000):
        tails("echo", f"line {number}")

    assert (len(lines), len(tails.of("echo")), tails.of("other")) == (1_000, 4_096, b"")
    assert tails.of("echo").endswith(b"line 998\nline 999\n")
