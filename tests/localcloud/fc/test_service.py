"""What no client of ours does: synchronous calls, wrong paths, tasks without an id."""

from __future__ import annotations

import json
import threading

import pytest

from localcloud.fc.service import FcService, fc_server
from localcloud.fc.tasks import Function
from localcloud.loopback import HttpReply, HttpRequest
from localcloud.runner import InvocationError
from shared.adapters.clocks import SystemClock
from shared.adapters.signing import Content, Envelope, sign_acs3
from shared.vendor import ApiRequest
from tests.localcloud.fc.worlds import OWN, fc3, new_service

INVOKE = "/2023-03-30/functions/{}/invocations"


def echo(event: bytes) -> bytes:
    return event


def fail(event: bytes) -> object:
    raise ValueError("no such thing")


def fail_as_the_runner_does(event: bytes) -> object:
    raise InvocationError("late", "KeyError", "'job'", stack=[])


@pytest.fixture
def service() -> FcService:
    functions: dict[str, Function] = {
        "echo": echo,
        "fail": fail,
        "late": fail_as_the_runner_does,
        "answer": json.loads,
    }
    return new_service(functions.__getitem__)


def post(
    service: FcService, path: str, body: bytes = b"", *, method: str = "POST", **headers: str
) -> HttpReply:
    """Give the answer to a signed request."""
    content = Content(path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    envelope = Envelope("127.0.0.1", SystemClock().now(), "nonce", method=method)
    signed = sign_acs3(ApiRequest("fc", "2023-03-30", "InvokeFunction"), OWN, envelope, content)
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


def test_a_task_that_fails_for_good_is_told() -> None:
    service = new_service({"fail": fail}.__getitem__)
    service.tasks.accept("fail", b"lost", task_id="a")

    service.tasks.execute()

    assert [(task.task_id, task.reason) for task in service.tasks.failed] == [
        ("a", "ValueError: no such thing")
    ]
