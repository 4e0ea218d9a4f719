from __future__ import annotations

import contextlib
import io
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shared.toolkit import (
    DebugLines,
    InvocationContext,
    PermanentError,
    bind,
    configure_logging,
    fake_context,
    function_handler,
)
from shared.toolkit.handler import Handle

ALWAYS, NEVER = 0, 2**32 - 1
orders = logging.getLogger("orders")


class Lines:
    def __init__(self, debug: DebugLines, level: str = "INFO") -> None:
        self._stream = io.StringIO()
        configure_logging(stream=self._stream, debug=debug, level=level)

    def call(self, handle: Handle, *, drawn: int = NEVER) -> None:
        entry = function_handler(environ={}, draw=lambda bits: drawn if bits == 32 else 1)(handle)
        with contextlib.suppress(BaseException):
            entry(b"", fake_context())

    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._stream.getvalue().splitlines()]

    @property
    def messages(self) -> list[str]:
        return [line["message"] for line in self.all()]


@pytest.fixture
def lines() -> Lines:
    return Lines(DebugLines(("orders",), sample_rate=0.25))


@pytest.fixture(autouse=True)
def _levels() -> Any:
    yield
    configure_logging(stream=io.StringIO())


def test_a_success_drops_what_it_kept(lines: Lines) -> None:
    lines.call(lambda event, context: orders.debug("quiet"))

    assert lines.messages == ["invocation finished"]


@pytest.mark.parametrize("error", [ValueError(), PermanentError("no"), SystemExit(143)])
def test_a_failure_writes_what_was_kept_before_itself(lines: Lines, error: BaseException) -> None:
    def handle(event: bytes, context: InvocationContext) -> object:
        orders.debug("one %d", 1)
        orders.info("two")
        raise error

    lines.call(handle)

    failed = ["invocation failed"] if isinstance(error, Exception) else []
    assert lines.messages == ["two", "one 1", *failed, "invocation finished"]


def test_an_error_line_writes_what_was_kept_in_order_and_once(lines: Lines) -> None:
    def handle(event: bytes, context: InvocationContext) -> object:
        with bind(job="a"):
            orders.debug("one")
        orders.debug("two")
        orders.error("bad")
        orders.debug("three")
        return None

    lines.call(handle)

    assert lines.messages == ["one", "two", "bad", "invocation finished"]
    assert [line.get("job") for line in lines.all()] == ["a", None, None, None]


def test_a_kept_line_shows_what_it_was_given_then(lines: Lines) -> None:
    basket = ["apple"]

    def handle(event: bytes, context: InvocationContext) -> object:
        with bind(bound=basket):
            orders.debug("bound")
        orders.debug("argument %s", basket)
        orders.debug("extra", extra={"basket": basket})
        basket.append("worm")
        orders.error("bad")
        return None

    lines.call(handle)

    bound, argument, extra, *_ = lines.all()
    assert (bound["bound"], argument["message"]) == (["apple"], "argument ['apple']")
    assert extra["basket"] == ["apple"]


def test_the_oldest_give_way_and_are_counted() -> None:
    lines = Lines(DebugLines(("orders",), buffer_bytes=3_000))

    def handle(event: bytes, context: InvocationContext) -> object:
        for i in range(100):
            orders.debug("line %d", i)
        orders.debug("far too long: %s", ["x" * 5_000])
        orders.debug("last")
        orders.error("bad")
        return None

    lines.call(handle)

    first, *kept, _, _ = lines.all()
    assert first["message"] == "older lines were dropped"
    assert first["dropped_lines"] + len(kept) == 102
    assert kept[-1]["message"] == "last"


def test_a_sampled_invocation_writes_all_and_says_so(lines: Lines) -> None:
    lines.call(lambda event, context: orders.debug("now"), drawn=ALWAYS)

    assert lines.messages == ["now", "invocation finished"]
    assert all(line["sampled"] for line in lines.all())


def test_the_share_of_sampled_invocations_is_the_rate() -> None:
    debug = DebugLines(("orders",), sample_rate=0.25)
    drawn = [i << 24 for i in range(256)]

    assert sum(debug.of_invocation(lambda bits, d=d: d).sampled for d in drawn) == 64  # type: ignore[misc]


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_a_rate_that_is_no_share_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="sample_rate"):
        DebugLines(("orders",), sample_rate=rate)


def test_overlapping_invocations_decide_and_keep_apart(lines: Lines) -> None:
    together = threading.Barrier(3)

    def call(name: str, drawn: int) -> None:
        def handle(event: bytes, context: InvocationContext) -> object:
            orders.debug(name)
            together.wait(5)
            if name == "fails":
                orders.error("bad")
            together.wait(5)
            return None

        lines.call(handle, drawn=drawn)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(call, ["succeeds", "fails", "sampled"], [NEVER, NEVER, ALWAYS]))

    told = {line["message"]: line.get("sampled", False) for line in lines.all()}
    assert {name: told[name] for name in ("fails", "sampled")} == {"fails": False, "sampled": True}
    assert "succeeds" not in told


def test_of_nested_invocations_each_keeps_its_own(lines: Lines) -> None:
    def outer(event: bytes, context: InvocationContext) -> object:
        orders.debug("outer")
        lines.call(lambda event, context: orders.error("inner is bad"))
        return None

    lines.call(outer)

    assert "outer" not in lines.messages


def test_loggers_that_are_not_named_pay_nothing(lines: Lines) -> None:
    assert not logging.getLogger("urllib3").isEnabledFor(logging.DEBUG)
    assert orders.isEnabledFor(logging.DEBUG)


def test_configuring_again_gives_the_loggers_their_levels_back(lines: Lines) -> None:
    configure_logging(stream=io.StringIO())

    assert orders.level == logging.NOTSET


def test_below_the_level_is_below_it_whatever_the_level() -> None:
    lines = Lines(DebugLines(("orders",)), level="WARNING")

    lines.call(lambda event, context: orders.info("quiet"))

    assert lines.messages == ["invocation finished"]


def test_outside_an_invocation_lines_below_the_level_are_dropped(lines: Lines) -> None:
    orders.debug("nobody's")

    assert lines.messages == []
