from __future__ import annotations

import builtins
import contextlib
import io
import json
import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any

import pytest

from shared.toolkit import (
    Credentials,
    FunctionError,
    InvocationContext,
    MisconfiguredError,
    PermanentError,
    TemporaryError,
    bind,
    count,
    fake_context,
    function_handler,
    tracing,
)
from shared.toolkit.handler import Entry, Handle
from shared.toolkit.parser import json_value
from tests.shared.toolkit.conftest import LogLines

GROUPS: list[Any] = [vars(builtins)["ExceptionGroup"]] if sys.version_info >= (3, 11) else []
URL = "https://host/a.jpg?Signature=hR9xQ2vLm4Tz"


def ticking(*, step: int = 7) -> Iterator[int]:
    now = 1_000
    while True:
        yield now
        now += step


def decorated(handle: Handle) -> Entry:
    return function_handler(clock=ticking().__next__, environ={})(handle)


def failing(error: Exception) -> Entry:
    def handle(event: bytes, context: InvocationContext) -> object:
        raise error

    return decorated(handle)


def noted(error: Exception, note: str) -> Exception:
    vars(error)["__notes__"] = [note]
    return error


def test_the_answer_is_passed_on_and_not_logged(log: LogLines) -> None:
    entry = decorated(lambda event, context: {"echo": event.decode()})

    answer = entry(b"canary", fake_context())

    assert answer == {"echo": "canary"}
    assert "canary" not in log.text


@pytest.mark.parametrize("shape", ["3.10", "3.12"])
def test_the_function_gets_a_typed_context(log: LogLines, shape: str) -> None:
    entry = decorated(lambda event, context: context.remaining_ms(1_500))

    assert entry(b"", fake_context(shape=shape, timeout_s=2)) == 1_500  # type: ignore[arg-type]


def test_an_invocation_ends_with_one_line(log: LogLines) -> None:
    decorated(lambda event, context: None)(b"12345", fake_context(request_id="r1", function_name="f"))

    [line] = log.named("invocation finished")
    assert log.all() == [line]
    assert line.items() >= {"outcome": "ok", "duration_ms": 7, "event_bytes": 5, "metrics": []}.items()
    assert line.items() >= {"request_id": "r1", "function": "f", "cold_start": True}.items()


def test_only_the_first_call_is_a_cold_start(log: LogLines) -> None:
    entry = decorated(lambda event, context: None)

    entry(b"", fake_context())
    entry(b"", fake_context())

    assert [line["cold_start"] for line in log.named("invocation finished")] == [True, False]


def test_of_overlapping_calls_one_is_the_cold_start_and_keys_stay_apart(log: LogLines) -> None:
    together = threading.Barrier(4)

    def handle(event: bytes, context: InvocationContext) -> object:
        with bind(job=context.request_id):
            together.wait(5)
            logging.getLogger("work").info("working")
        return None

    entry = function_handler(clock=lambda: 0, environ={})(handle)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: entry(b"", fake_context(request_id=f"r{i}")), range(4)))

    assert sum(line["cold_start"] for line in log.named("working")) == 1
    assert all(line["job"] == line["request_id"] for line in log.named("working"))
    assert all("job" not in line for line in log.named("invocation finished"))


def test_keys_bound_outside_do_not_enter_an_invocation(log: LogLines) -> None:
    with bind(job="of somebody else"):
        decorated(lambda event, context: None)(b"", fake_context())

    assert all("job" not in line for line in log.all())


def test_what_an_invocation_sets_ends_with_it(log: LogLines) -> None:
    tenant = ContextVar("tenant", default="nobody")

    decorated(lambda event, context: tenant.set("of one invocation"))(b"", fake_context())

    assert tenant.get() == "nobody"


def test_a_permanent_error_is_logged_and_answered(log: LogLines) -> None:
    answer = failing(PermanentError("no such event", url=URL))(b"", fake_context())

    assert answer == {
        "error": {"type": "PermanentError", "message": "no such event (url=https://host/a.jpg?***"}
    }
    [line] = log.named("invocation failed")
    assert (line["level"], line["exception"]["type"]) == ("WARNING", "PermanentError")
    assert [line["outcome"] for line in log.named("invocation finished")] == ["refused"]


@pytest.mark.parametrize(
    ("error", "message", "level"),
    [
        (TemporaryError("later"), "invocation failed", "ERROR"),
        (ZeroDivisionError("a defect"), "invocation failed", "ERROR"),
        (MisconfiguredError("no key"), "misconfigured: invocation failed", "CRITICAL"),
    ],
)
def test_every_other_error_is_logged_once_and_let_out(
    log: LogLines, error: Exception, message: str, level: str
) -> None:
    with pytest.raises(type(error)) as caught:
        failing(error)(b"", fake_context())

    assert caught.value is error
    [line] = log.named(message)
    assert (line["level"], line["exception"]["type"]) == (level, type(error).__name__)
    assert len(log.all()) == 2


@pytest.mark.parametrize(
    ("error", "family"),
    [
        (OSError(f"GET {URL} failed"), TemporaryError),
        (MisconfiguredError("refused", url=URL), MisconfiguredError),
        (noted(ValueError("refused"), URL), TemporaryError),
        *[(group("several", [OSError(f"GET {URL} failed")]), TemporaryError) for group in GROUPS],
    ],
)
def test_no_error_leaves_with_a_secret_in_its_text(
    log: LogLines, error: Exception, family: type[FunctionError]
) -> None:
    with pytest.raises(family) as caught:
        failing(error)(b"", fake_context())

    assert "hR9xQ2vLm4Tz" not in str(caught.value)
    assert caught.value.details["type"] == type(error).__name__
    assert "hR9xQ2vLm4Tz" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("place", ["__cause__", "__context__"])
def test_an_error_leaves_without_causes_that_hold_a_secret(log: LogLines, place: str) -> None:
    error = KeyError("lost")
    inner = ValueError("could not be read")
    inner.__context__ = OSError(f"GET {URL} failed")
    setattr(error, place, inner)

    with pytest.raises(KeyError) as caught:
        failing(error)(b"", fake_context())

    assert "could not be read" not in "".join(traceback.format_exception(caught.value))
    assert log.named("invocation failed")[0]["exception"]["cause"]["type"] == "ValueError"


def test_an_error_keeps_a_cause_that_holds_no_secret(log: LogLines) -> None:
    error = KeyError("lost")
    error.__cause__ = ValueError("could not be read")

    with pytest.raises(KeyError) as caught:
        failing(error)(b"", fake_context())

    assert isinstance(caught.value.__cause__, ValueError)


def test_the_keys_of_the_role_are_masked_by_value(log: LogLines) -> None:
    keys = Credentials("an-id", "the-secret-of-the-role", "the-token-of-the-role")
    entry = decorated(lambda event, context: logging.getLogger("x").info("the-secret-of-the-role"))

    entry(b"", fake_context(credentials=keys))

    assert "the-secret-of-the-role" not in log.text


def test_a_context_that_nobody_can_read_is_a_logged_misconfiguration(log: LogLines) -> None:
    with pytest.raises(MisconfiguredError, match="timeout"):
        decorated(lambda event, context: None)(b"", object())

    assert [line["level"] for line in log.all()] == ["CRITICAL", "INFO"]


def test_logging_is_configured_by_the_first_call_alone(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger().handlers[:] = [logging.StreamHandler(io.StringIO())]
    entry = decorated(lambda event, context: None)

    entry(b"", fake_context())
    [handler] = logging.getLogger().handlers
    entry(b"", fake_context())

    assert logging.getLogger().handlers == [handler]
    assert all(json.loads(line) for line in capsys.readouterr().out.splitlines())


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (PermanentError("never"), "refused"),
        (TemporaryError("later"), "failed"),
        (ZeroDivisionError("a defect"), "failed"),
        (MisconfiguredError("no key"), "misconfigured"),
        (SystemExit(143), "aborted"),
        (KeyboardInterrupt(), "aborted"),
    ],
)
def test_the_last_line_is_written_on_every_way_out(log: LogLines, error: BaseException, outcome: str) -> None:
    def handle(event: bytes, context: InvocationContext) -> object:
        count("orders", 2)
        raise error

    with contextlib.suppress(BaseException):
        decorated(handle)(b"", fake_context())

    [line] = log.named("invocation finished")
    assert line.items() >= {"outcome": outcome, "error_type": type(error).__name__}.items()
    assert line["metrics"] == [{"metric": "orders", "type": "counter", "value": 2}]


def test_a_clock_that_is_set_back_gives_no_negative_duration(log: LogLines) -> None:
    times = iter([5_000, 1_000])

    function_handler(clock=times.__next__, environ={})(lambda event, context: None)(b"", fake_context())

    assert log.all()[0]["duration_ms"] == 0


def test_what_parse_makes_of_the_event_is_handed_over(log: LogLines) -> None:
    entry = function_handler(parse=json.loads, environ={})(lambda order, context: order["id"])

    assert entry(b'{"id": 3}', fake_context()) == 3


def test_an_event_that_cannot_be_parsed_is_answered_as_a_permanent_error(log: LogLines) -> None:
    entry = function_handler(parse=json_value, environ={})(lambda order, context: order)

    answer = entry(b"{", fake_context())

    assert isinstance(answer, dict)
    assert answer["error"]["type"] == "ParseError"
    assert log.named("invocation finished")[0]["outcome"] == "refused"


def test_the_trace_of_the_caller_is_on_every_line(log: LogLines) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    event = json.dumps({"headers": {"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"}})

    decorated(lambda event, context: logging.getLogger("x").info("here"))(event.encode(), fake_context())

    assert [line["trace_id"] for line in log.all()] == [trace_id, trace_id]


def test_a_trace_that_began_on_the_way_is_on_the_last_line(log: LogLines) -> None:
    sent: list[str] = []

    decorated(lambda event, context: sent.append(tracing.headers()["traceparent"]))(b"", fake_context())
    decorated(lambda event, context: None)(b"", fake_context())

    begun, none = log.named("invocation finished")
    assert begun["trace_id"] == sent[0].split("-")[1]
    assert "trace_id" not in none


def test_the_function_keeps_its_name_and_text() -> None:
    def handler(event: bytes, context: InvocationContext) -> object:
        """Say what it does."""
        return None

    entry = decorated(handler)

    assert (entry.__name__, entry.__doc__) == ("handler", "Say what it does.")


@pytest.mark.parametrize("event", [None, "text", 7])
def test_an_event_that_is_no_bytes_is_logged_as_any_failure(event: object, log: LogLines) -> None:
    entry = function_handler()(lambda event, context: event.decode())

    with pytest.raises(AttributeError):
        entry(event, fake_context())  # type: ignore[arg-type]  # what it is not made for

    assert [line["outcome"] for line in log.named("invocation finished")] == ["failed"]
