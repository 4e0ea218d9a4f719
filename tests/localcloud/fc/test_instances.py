"""When instances start, how many there are, and how they end."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from localcloud.fc.functions import LocalFunctions
from localcloud.fc.instance import Instance
from localcloud.fc.process import InstancePlan
from localcloud.runner import InstanceLostError, InvocationError, TooManyInstancesError
from localcloud.template import HookSpec
from shared.adapters.clocks import ManualClock
from tests.localcloud.fc.handlers_in_a_folder import Lines, running, spec

STARTED = "FC Invoke Start"
EXITED = r"Process exited unexpectedly before completing request \(duration: \d+ms, maxMemoryUsage: \d+MB\)"

SOURCE = """\
import logging, os, pathlib, signal, subprocess, sys, threading, time

did = []

def initialize(context):
    did.append("initialized by " + context.request_id)

def forget(context):
    logging.getLogger().info("forgetting")

def fail_at_first(context):
    first = pathlib.Path("first")
    if not first.exists():
        first.touch()
        raise LookupError("not yet")

def fail_with_company(context):
    while not pathlib.Path("company").exists():
        time.sleep(0.005)
    raise LookupError("never")

def tell(event, context):
    did.append("called")
    return did

def pid(event, context):
    return os.getpid()

def exit_system(event, context):
    sys.exit(0)

def exit_at_once(event, context):
    os._exit(0)

def crash(event, context):
    os.kill(os.getpid(), signal.SIGSEGV)

def exit_from_a_fork(event, context):
    if os.fork():
        os._exit(0)
    time.sleep(60)

def sleep(event, context):
    time.sleep(60)

def sleep_on(event, context):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(60)

def fill(event, context):
    held = bytearray(400_000_000)
    time.sleep(60)

def meet(event, context):
    # Wait for the other request, wherever it runs.
    pathlib.Path(event.decode()).touch()
    while not all(pathlib.Path(name).exists() for name in ("a", "b")):
        time.sleep(0.005)
    return [os.getpid(), threading.current_thread() is threading.main_thread()]
"""


def both_meet(functions: LocalFunctions) -> list[list[object]]:
    """Have two requests answered at the same time."""
    with ThreadPoolExecutor(2) as pool:
        return [json.loads(told) for told in pool.map(partial(functions.invoke, "meet"), (b"a", b"b"))]


def test_a_function_has_no_process_until_it_is_invoked(tmp_path: Path) -> None:
    with running(tmp_path, SOURCE, spec("index.tell")) as functions:
        figures = functions.figures()["tell"]

    assert (figures.instances, figures.cold_starts, figures.invocations) == (0, 0, 0)


def test_an_initializer_runs_once_before_the_first_request(tmp_path: Path) -> None:
    log = Lines()
    one = spec("index.tell", initializer=HookSpec("index.initialize", 5))
    with running(tmp_path, SOURCE, one, log=log) as functions:
        told = [json.loads(functions.invoke("tell", b"")) for _ in range(2)]

    assert told[1] == ["initialized by 1-local-1", "called", "called"]
    assert [line.partition(" RequestId")[0] for line in log.written[1:5]] == [
        "FC Initialize Start",
        "FC Initialize End",
        "FC Invoke Start",
        "FC Invoke End",
    ]


def test_after_a_failed_initializer_the_next_request_has_a_new_instance(tmp_path: Path) -> None:
    one = spec("index.tell", initializer=HookSpec("index.fail_at_first", 5))
    with running(tmp_path, SOURCE, one) as functions:
        with pytest.raises(InvocationError, match="tell: LookupError: not yet"):
            functions.invoke("tell", b"")
        left = functions.figures()["tell"].instances
        told = functions.invoke("tell", b"")
        cold_starts = functions.figures()["tell"].cold_starts

    assert (left, cold_starts, json.loads(told)) == (0, 2, ["called"])


def test_who_waits_for_an_initializer_that_fails_is_told_so_too(tmp_path: Path) -> None:
    one = spec("index.tell", concurrency=2, initializer=HookSpec("index.fail_with_company", 30))
    with running(tmp_path, SOURCE, one) as functions, ThreadPoolExecutor(2) as pool:
        both = [pool.submit(functions.invoke, "tell", b"") for _ in range(2)]
        while functions.figures()["tell"].invocations < 2:
            time.sleep(0.005)
        (tmp_path / "company").touch()
        told = [str(one.exception(30)) for one in both]
        cold_starts = functions.figures()["tell"].cold_starts

    assert (told, cold_starts) == (["tell: LookupError: never"] * 2, 1)


def test_an_instance_that_is_ended_before_it_has_started_answers_nothing(tmp_path: Path) -> None:
    log = Lines()
    plan = InstancePlan(spec("index.tell"), {"FC_FUNC_CODE_PATH": str(tmp_path)}, "cn-shanghai", "42")
    instance = Instance(plan, log=log, clock=ManualClock(0).now)
    instance.end()

    with pytest.raises(InstanceLostError, match=EXITED):
        instance.invoke("a", b"")

    assert not log.with_text("FC Invoke")


@pytest.mark.parametrize("ends", [lambda functions: None, LocalFunctions.stop_idle], ids=["close", "idle"])
def test_a_last_hook_runs_before_an_instance_ends(
    tmp_path: Path, ends: Callable[[LocalFunctions], None]
) -> None:
    log = Lines()
    one = spec("index.tell", pre_stop=HookSpec("index.forget", 5))
    with running(tmp_path, SOURCE, one, log=log, idle_ms=0) as functions:
        functions.invoke("tell", b"")
        ends(functions)

    assert log.written[-3] == "FC PreStop Start RequestId: 1-local-2"
    assert log.written[-2].endswith("1-local-2 [INFO] forgetting")
    assert log.written[-1] == "FC PreStop End RequestId: 1-local-2"


def test_an_instance_is_stopped_once_it_was_idle_for_long_enough(tmp_path: Path) -> None:
    clock = ManualClock(0)
    with running(tmp_path, SOURCE, spec("index.pid"), idle_ms=1_000, clock=clock.now) as functions:
        first = functions.invoke("pid", b"")
        seen = []
        for wait in (999, 1):
            clock.advance(wait)
            functions.stop_idle()
            seen.append(functions.figures()["pid"].instances)
        second = functions.invoke("pid", b"")

    assert seen == [1, 0]
    assert first != second


@pytest.mark.parametrize("handler", ["exit_system", "exit_at_once", "crash", "exit_from_a_fork"])
def test_a_process_that_exits_is_answered_for_and_replaced(tmp_path: Path, handler: str) -> None:
    with running(tmp_path, SOURCE, spec(f"index.{handler}")) as functions:
        for _ in range(2):
            with pytest.raises(InstanceLostError) as caught:
                functions.invoke(handler, b"")
            assert re.fullmatch(EXITED, json.loads(caught.value.body)["errorMessage"])
        figures = functions.figures()[handler]

    assert (figures.instances, figures.cold_starts) == (0, 2)


def test_a_request_that_takes_too_long_is_ended_with_the_stacks_of_all_threads(tmp_path: Path) -> None:
    clock, log = ManualClock(0), Lines()
    log.on[STARTED] = partial(clock.advance, 3_000)
    with running(tmp_path, SOURCE, spec("index.sleep", timeout=3), log=log, clock=clock.now) as functions:
        with pytest.raises(InstanceLostError) as caught:
            functions.invoke("sleep", b"")
        instances = functions.figures()["sleep"].instances

    assert json.loads(caught.value.body) == {"errorMessage": "Function timed out after 3 seconds"}
    assert log.with_text("Dumping stack trace after function timeout")
    assert log.with_text("time.sleep(60)")
    assert instances == 0


def test_a_time_limit_holds_on_the_clock_of_the_machine_and_for_who_ignores_it(tmp_path: Path) -> None:
    with (
        running(tmp_path, SOURCE, spec("index.sleep_on", timeout=1)) as functions,
        pytest.raises(InstanceLostError, match="timed out after 1 seconds"),
    ):
        functions.invoke("sleep_on", b"")


def test_a_process_above_its_memory_is_ended(tmp_path: Path) -> None:
    with (
        running(tmp_path, SOURCE, spec("index.fill", memory=128)) as functions,
        pytest.raises(InstanceLostError, match=EXITED) as caught,
    ):
        functions.invoke("fill", b"")

    used = re.search(r"maxMemoryUsage: (\d+)MB", str(caught.value))
    assert used
    assert int(used[1]) > 128


def test_requests_at_the_same_time_have_instances_of_their_own(tmp_path: Path) -> None:
    with running(tmp_path, SOURCE, spec("index.meet")) as functions:
        first, second = both_meet(functions)
        figures = functions.figures()["meet"]

    assert first[0] != second[0]
    assert first[1] == second[1] is True
    assert (figures.instances, figures.cold_starts) == (2, 2)


def test_an_instance_for_several_requests_has_a_thread_for_each(tmp_path: Path) -> None:
    with running(tmp_path, SOURCE, spec("index.meet", concurrency=2)) as functions:
        first, second = both_meet(functions)
        cold_starts = functions.figures()["meet"].cold_starts

    assert first == second == [first[0], False]
    assert cold_starts == 1


def test_what_exits_in_a_thread_ends_the_process_too(tmp_path: Path) -> None:
    with (
        running(tmp_path, SOURCE, spec("index.exit_system", concurrency=2)) as functions,
        pytest.raises(InstanceLostError, match=EXITED),
    ):
        functions.invoke("exit_system", b"")


def test_beyond_the_reserved_instances_requests_are_refused(tmp_path: Path) -> None:
    log = Lines()
    has_started = log.when(STARTED)
    with running(tmp_path, SOURCE, spec("index.meet", reserved=1), log=log) as functions:
        with ThreadPoolExecutor(1) as pool:
            busy = pool.submit(functions.invoke, "meet", b"a")
            assert has_started.wait(30)
            with pytest.raises(TooManyInstancesError, match="all 1 instances are busy"):
                functions.invoke("meet", b"b")
            (tmp_path / "b").touch()
            assert busy.result(30)
        again = functions.invoke("meet", b"b")

    assert again


def test_requests_that_are_being_answered_fail_when_the_functions_are_stopped(tmp_path: Path) -> None:
    log = Lines()
    has_started = log.when(STARTED)
    one = spec("index.sleep", concurrency=2, pre_stop=HookSpec("index.forget", 5))
    with ThreadPoolExecutor(1) as pool:
        with running(tmp_path, SOURCE, one, log=log) as functions:
            busy = pool.submit(functions.invoke, "sleep", b"")
            assert has_started.wait(30)
        with pytest.raises(InstanceLostError, match=EXITED):
            busy.result(30)
        with pytest.raises(RuntimeError, match="have been stopped"):
            functions.invoke("sleep", b"")
    assert not log.with_text("PreStop")
