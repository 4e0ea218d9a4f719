"""Hooks that work, fail, hang, or are not there at all."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from shared.adapters.clocks import ManualClock
from shared.adapters.senders import hooks
from shared.adapters.senders.hooks import HookSender
from shared.adapters.senders.limited_runs import LimitedRuns
from shared.delivery.event import SettledVersion, event_id, make_event
from shared.delivery.targets import Dispatch, Target
from shared.errors import (
    FunctionError,
    NoTimeLeftError,
    SettingError,
    TargetRefusedError,
    TargetUnavailableError,
)
from shared.hooks.services import HookServices
from shared.jobs import JobRef
from shared.record import Job, JobRecord, Media, Times, Verdict, canonical_bytes
from tests.memory_stores import MemoryObjectStore

NOW = 1_763_640_000_000
LIMIT = 60_000
SHORT = 20
REF = JobRef("vod.media_audit", "job 1")
RECORD_KEY = f"versions/{REF.path}/digest.json"
RECORD = JobRecord(
    normalizer_version=1,
    job=Job(kind=REF.kind, job_id=REF.job_id),
    media=Media(),
    status="succeeded",
    vendor_status="success",
    incomplete=False,
    error=None,
    times=Times(),
    verdict=Verdict(),
    findings=(),
)
VERSION = SettledVersion(REF, 2, "digest", NOW, RECORD_KEY, ())
EVENT = make_event(
    VERSION, canonical_bytes(RECORD), Target("mine", "python:a:b", "hook"), source="media-ledger"
)
DISPATCH = Dispatch(EVENT, event_id(REF.key, "digest"), "d" * 32, 3, REF.key, 2)


class Stage:
    """A sender, what it touches, and a module `their_hooks` for hooks of somebody else."""

    def __init__(self, module: ModuleType) -> None:
        self.objects = MemoryObjectStore()
        self.objects.objects[RECORD_KEY] = canonical_bytes(RECORD)
        self.clock = ManualClock(NOW)
        self.sender = HookSender(LimitedRuns(), self.objects, clock=self.clock)
        self._module = module

    def send(self, hook: object, *, limit_ms: int = LIMIT, deadline: int = NOW + LIMIT) -> None:
        self._module.hook = hook  # type: ignore[attr-defined]  # as a module's own `def` would do
        self.send_to("their_hooks:hook", limit_ms=limit_ms, deadline=deadline)

    def send_to(self, address: str, *, limit_ms: int = LIMIT, deadline: int = NOW + LIMIT) -> None:
        target = Target("mine", f"python:{address}", "hook", timeout_ms=limit_ms)
        self.sender.send(target, DISPATCH, deadline=deadline)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    module = ModuleType("their_hooks")
    monkeypatch.setitem(sys.modules, "their_hooks", module)
    return Stage(module)


def raising(error: BaseException) -> Callable[[JobRecord, HookServices], None]:
    def hook(record: JobRecord, services: HookServices) -> None:
        raise error

    return hook


def test_a_hook_gets_the_record_and_what_it_may_know(stage: Stage) -> None:
    given: list[Any] = []

    stage.send(lambda record, services: given.extend([record, services]), limit_ms=5_000)

    record, services = given
    assert record == RECORD
    assert (services.target, services.job, services.version) == ("mine", REF, 2)
    assert (services.event_id, services.attempt) == (DISPATCH.event_id, 3)
    assert services.deadline == NOW + 5_000


def test_the_deadline_bounds_the_time_of_a_hook(stage: Stage) -> None:
    deadlines: list[int] = []

    stage.send(lambda _, services: deadlines.append(services.deadline), deadline=NOW + 1_000)

    assert deadlines == [NOW + 1_000]


def test_a_hook_has_a_folder_of_its_own(stage: Stage) -> None:
    read: list[bytes | None] = []

    def hook(record: JobRecord, services: HookServices) -> None:
        read.append(services.files.get("a/b.txt"))
        services.files.put("a/b.txt", b"written", content_type="text/plain")
        read.append(services.files.get("a/b.txt"))

    stage.send(hook)

    assert read == [None, b"written"]
    assert stage.objects.objects["hooks/mine/a/b.txt"] == b"written"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("no such album, token=abc"), "ValueError: no such album, token=***"),
        (KeyError("album"), "KeyError: 'album'"),
        (NoTimeLeftError("over"), "NoTimeLeftError: over"),
        (SystemExit(3), "it ended with SystemExit"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_hook_that_raises_is_run_again(stage: Stage, error: BaseException, reason: str) -> None:
    with pytest.raises(TargetUnavailableError) as refused:
        stage.send(raising(error))

    assert refused.value.message == reason


def test_the_traceback_of_a_hook_is_logged(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(TargetUnavailableError):
        stage.send(raising(ValueError("no such album")))

    assert "in hook" in caplog.text
    assert [line.levelno for line in caplog.records] == [logging.WARNING]


@pytest.mark.parametrize(
    "error",
    [TargetRefusedError("not a job of ours"), TargetUnavailableError("busy", retry_after_ms=5_000)],
    ids=["never", "later"],
)
def test_a_hook_may_say_itself_whether_to_try_again(stage: Stage, error: FunctionError) -> None:
    with pytest.raises(type(error)) as refused:
        stage.send(raising(error))

    assert refused.value is error


@pytest.mark.parametrize("wish", ["5000", 5000.5, float("nan")])
def test_a_wish_that_is_no_whole_number_is_none(stage: Stage, wish: Any) -> None:
    with pytest.raises(
        TargetUnavailableError, match=r"busy \(retry_after_ms is no whole number\)"
    ) as refused:
        stage.send(raising(TargetUnavailableError("busy", retry_after_ms=wish)))

    assert refused.value.retry_after_ms is None


def test_of_a_long_error_the_beginning_is_read(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    class Reader:
        def text(self, text: str) -> str:
            read.append(len(text))
            return text

    monkeypatch.setattr(hooks, "Masker", Reader)
    with pytest.raises(TargetUnavailableError):
        stage.send(raising(ValueError("x" * 1_000_000)))

    assert read == [4_000]


def test_a_hook_that_hangs_holds_nobody_and_is_left_without_its_folder(stage: Stage) -> None:
    ended, go_on = threading.Event(), threading.Event()
    late: list[BaseException] = []

    def hook(record: JobRecord, services: HookServices) -> None:
        go_on.wait(60)
        try:
            services.files.put("late.txt", b"", content_type="text/plain")
        except NoTimeLeftError as error:
            late.append(error)
        ended.set()

    with pytest.raises(TargetUnavailableError, match="not done within"):
        stage.send(hook, limit_ms=SHORT)
    stage.clock.advance(SHORT)
    go_on.set()

    assert ended.wait(60)
    assert [str(error) for error in late] == ["the time of this hook is over (target=mine)"]
    assert not any(key.startswith("hooks/") for key in stage.objects.objects)


def test_a_record_that_cannot_be_read_means_later(stage: Stage) -> None:
    stage.objects.objects.clear()

    with pytest.raises(TargetUnavailableError, match="ObjectNotFoundError: no object stands there"):
        stage.send(lambda record, services: pytest.fail("it ran"))


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("no_such_module:hook", "no_such_module cannot be imported: ModuleNotFoundError: No module named"),
        ("their_hooks:hoook", "their_hooks has no function hoook"),
        ("their_hooks:__name__", "their_hooks has no function __name__"),
    ],
)
def test_a_hook_that_is_not_there_is_our_fault(stage: Stage, address: str, reason: str) -> None:
    with pytest.raises(SettingError) as refused:
        stage.send_to(address)

    assert str(refused.value).startswith(f"LEDGER_DELIVERY: target 'mine': {reason}")


async def never_awaited(record: JobRecord, services: HookServices) -> None:
    raise AssertionError("it ran")


def never_stepped(record: JobRecord, services: HookServices) -> Iterator[None]:
    raise AssertionError("it ran")
    yield


WRONG = [lambda: None, lambda one: None, lambda a, b, c: None, never_awaited, never_stepped, max]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_function_that_cannot_be_called_as_a_hook_is_our_fault(stage: Stage, wrong: object) -> None:
    with pytest.raises(SettingError, match=r"their_hooks\.hook must be a plain function"):
        stage.send(wrong)


def test_a_module_that_fails_at_its_first_line_is_our_fault(
    stage: Stage, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_hooks.py").write_text("raise RuntimeError('no database, password=abc')\n")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(SettingError, match=r"cannot be imported: RuntimeError: no database, password=\*\*\*"):
        stage.send_to("broken_hooks:hook")
