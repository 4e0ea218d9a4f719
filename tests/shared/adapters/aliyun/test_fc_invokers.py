"""What both invokers make of what Function Compute says, or fails to say."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from localcloud.fc.service import ANSWER_LOST, AWAY, BROKEN, THROTTLED, FcService, Trouble, fc_server
from localcloud.loopback import LoopbackServer
from localcloud.media.wire import RefusedError
from shared.adapters.aliyun.fc_calls import FcTask, read_answer
from shared.adapters.clocks import ManualClock, SystemClock
from shared.errors import (
    FunctionError,
    OutcomeUnknownError,
    PermanentError,
    SettingError,
    ThrottledError,
    VendorRefusedError,
    VendorUnavailableError,
)
from shared.toolkit.context import Credentials
from tests.localcloud.fc.worlds import TEMPORARY, fc2, fc3, new_service

both = pytest.mark.parametrize("opens", [fc3, fc2])


@pytest.fixture
def service() -> FcService:
    """Give a service with one function, `media-ledger-deliver`."""
    return new_service({"media-ledger-deliver": bytes}.__getitem__)


@pytest.fixture
def server(service: FcService) -> Iterator[LoopbackServer]:
    """Serve it."""
    with fc_server(service) as server:
        yield server


def error_of(invoker: Any, function: str = "deliver") -> FunctionError:
    """Give the error of an invocation, which must have one."""
    try:
        with pytest.raises(FunctionError) as raised:
            invoker.invoke(function, b"{}", task_id="a")
    finally:
        invoker.close()
    return raised.value


@both
def test_a_function_is_named_with_its_prefix(opens: Any, server: LoopbackServer, service: FcService) -> None:
    invoker = opens(server.endpoint, prefix="media-ledger-")

    assert invoker.invoke("deliver", b"{}", task_id="a")
    assert service.tasks.execute() == 1
    invoker.close()


@both
@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (THROTTLED, ThrottledError),
        (AWAY, VendorUnavailableError),
        (BROKEN, OutcomeUnknownError),
        (ANSWER_LOST, OutcomeUnknownError),
        (Trouble(RefusedError(403, "AccessDenied", "no permission")), VendorRefusedError),
        (Trouble(RefusedError(400, "InvalidArgument", "no")), PermanentError),
        (Trouble(RefusedError(413, "EntityTooLarge", "no")), PermanentError),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_refusal_becomes_one_of_our_errors(
    opens: Any, server: LoopbackServer, service: FcService, trouble: Trouble, kind: type[FunctionError]
) -> None:
    service.plan(trouble)

    error = error_of(opens(server.endpoint, prefix="media-ledger-"))

    assert type(error) is kind
    assert error.details["task_id"] == "a"
    assert "media-ledger-deliver" in str(error.details["function"])


@both
def test_a_task_whose_answer_was_lost_counts_as_accepted_before(
    opens: Any, server: LoopbackServer, service: FcService
) -> None:
    service.plan(ANSWER_LOST)
    invoker = opens(server.endpoint, prefix="media-ledger-")
    with pytest.raises(OutcomeUnknownError):
        invoker.invoke("deliver", b"{}", task_id="a")

    assert not invoker.invoke("deliver", b"{}", task_id="a")
    assert service.tasks.execute() == 1
    invoker.close()


@both
def test_a_function_that_is_not_there_is_a_matter_of_settings(opens: Any, server: LoopbackServer) -> None:
    error = error_of(opens(server.endpoint), "deliver")

    assert isinstance(error, SettingError)
    assert "LEDGER_INVOKER" in error.message


@both
@pytest.mark.parametrize(
    "key",
    [
        Credentials("unknown", "own-secret"),
        Credentials("own-key", "canary-secret"),
        Credentials("STS.key", "temporary-secret"),
        Credentials("STS.key", "temporary-secret", "canary-token"),
    ],
    ids=["unknown key", "wrong secret", "no token", "wrong token"],
)
def test_wrong_keys_are_refused_and_not_shown(
    opens: Any, server: LoopbackServer, key: Credentials, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    error = error_of(opens(server.endpoint, key=key))

    assert isinstance(error, VendorRefusedError)
    assert "canary" not in f"{error} {caplog.text}"


@both
def test_a_clock_that_is_wrong_is_refused(opens: Any) -> None:
    ahead = new_service({"deliver": bytes}.__getitem__, ManualClock(SystemClock().now() + 3_600_000))

    with fc_server(ahead) as server:
        error = error_of(opens(server.endpoint))

    assert isinstance(error, VendorRefusedError)


@both
def test_nothing_of_temporary_keys_is_logged(
    opens: Any, server: LoopbackServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    invoker = opens(server.endpoint, prefix="media-ledger-")

    invoker.invoke("deliver", b"{}", task_id="a")
    invoker.close()
    error_of(opens(server.endpoint))  # a refused request

    assert TEMPORARY.security_token
    assert TEMPORARY.security_token not in caplog.text
    assert TEMPORARY.access_key_secret not in caplog.text


@both
def test_nobody_there_is_known_not_to_have_accepted(opens: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        error = error_of(opens(f"http://127.0.0.1:{taken.getsockname()[1]}"))

    assert type(error) is VendorUnavailableError


@both
def test_without_time_nothing_is_sent(opens: Any, server: LoopbackServer, service: FcService) -> None:
    error = error_of(opens(server.endpoint, prefix="media-ledger-", deadline=lambda: 0))

    assert isinstance(error, VendorUnavailableError)
    assert service.tasks.execute() == 0


def test_a_function_error_is_a_header_and_no_acceptance() -> None:
    headers = {"x-fc-error-type": "UnhandledInvocationError"}

    with pytest.raises(PermanentError, match="UnhandledInvocationError"):
        read_answer(200, headers, b'{"errorMessage": "..."}', task=FcTask("deliver", "a"))
