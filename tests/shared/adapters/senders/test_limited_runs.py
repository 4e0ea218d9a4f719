"""Nobody waits for work longer than it may take."""

from __future__ import annotations

import asyncio
import sys
import threading
from contextvars import ContextVar

import pytest

from shared.adapters.senders.limited_runs import MOST_LATE, LimitedRuns
from shared.errors import TargetUnavailableError

LONG = 60_000
SHORT = 20


def test_work_gives_what_it_gives() -> None:
    assert LimitedRuns().run("target", lambda: 7, limit_ms=LONG) == 7


def test_what_work_raises_is_raised() -> None:
    error = TimeoutError("its own")

    def fail() -> None:
        raise error

    with pytest.raises(TimeoutError) as raised:
        LimitedRuns().run("target", fail, limit_ms=LONG)

    assert raised.value is error


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt(), asyncio.CancelledError()])
def test_what_would_end_more_than_the_work_is_a_failure_of_the_target(error: BaseException) -> None:
    def end() -> None:
        raise error

    with pytest.raises(TargetUnavailableError, match=f"ended with {type(error).__name__}") as raised:
        LimitedRuns().run("target", end, limit_ms=LONG)

    assert raised.value.__cause__ is error


@pytest.mark.parametrize("limit_ms", [0, -1])
def test_without_time_no_work_begins(limit_ms: int) -> None:
    with pytest.raises(TargetUnavailableError, match="no time left"):
        LimitedRuns().run("target", lambda: pytest.fail("it began"), limit_ms=limit_ms)


def test_work_runs_in_the_context_of_its_caller() -> None:
    job: ContextVar[str] = ContextVar("job")
    job.set("a job")

    assert LimitedRuns().run("target", job.get, limit_ms=LONG) == "a job"


def test_of_one_target_only_so_much_late_work_is_left_behind() -> None:
    runs, end = LimitedRuns(), threading.Event()
    before = threading.active_count()
    for _ in range(MOST_LATE):
        with pytest.raises(TargetUnavailableError, match=f"not done within {SHORT} ms"):
            runs.run("stuck", lambda: end.wait(60), limit_ms=SHORT)

    with pytest.raises(TargetUnavailableError, match="have not ended"):
        runs.run("stuck", lambda: pytest.fail("it began"), limit_ms=LONG)

    assert runs.run("another", lambda: 7, limit_ms=LONG) == 7
    assert threading.active_count() == before + MOST_LATE
    end.set()
    _join("stuck")
    assert runs.run("stuck", lambda: 7, limit_ms=LONG) == 7


def _join(name: str) -> None:
    for thread in threading.enumerate():
        if thread.name == name:
            thread.join(60)


def test_late_work_keeps_no_process_alive() -> None:
    import subprocess

    program = (
        "import threading\n"
        "from shared.adapters.senders.limited_runs import LimitedRuns\n"
        "try:\n"
        "    LimitedRuns().run('stuck', threading.Event().wait, limit_ms=1)\n"
        "except Exception as error:\n"
        "    print(error)\n"
    )

    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )

    assert ran.stdout == "not done within 1 ms (target=stuck)\n"
