"""Asynchronous invocations on a clock that stands still until it is moved."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.fc.destinations import AsyncConfig, Destination, wait_ms
from localcloud.fc.invocation import Function
from localcloud.fc.tasks import Tasks
from localcloud.runner import InvocationError, TooManyInstancesError
from shared.adapters.clocks import ManualClock
from shared.dead_letters import read
from shared.errors import PermanentError
from shared.queues import QueueMessage

START = 1_763_640_000_000
DAY = 86_400_000
QUEUE = Destination("queue", "dead")


class Desk:
    """Functions of one answer each, their tasks, and what destinations were told."""

    def __init__(self, config: AsyncConfig | None = None, **functions: Function) -> None:
        self.clock = ManualClock(START)
        self.ran: list[int] = []
        self.told: list[tuple[str, bytes]] = []
        self.tasks = Tasks(
            {"fail": self._fail, "busy": self._busy, "echo": bytes, **functions}.__getitem__,
            clock=self.clock,
            random=random.Random(1),
            configs=dict.fromkeys(("fail", "busy", "echo"), config or AsyncConfig()),
            send=lambda queue, record: self.told.append((queue, record)),
        )

    def live(self, *, ms: int, step: int = 500) -> None:
        """Let time pass."""
        for _ in range(ms // step):
            self.tasks.execute()
            self.clock.advance(step)
        self.tasks.execute()

    def record(self) -> dict[str, object]:
        """Give what the one destination was told."""
        ((_, record),) = self.told
        return dict(json.loads(record))

    def _fail(self, event: bytes) -> object:
        self.ran.append(self.clock.now() - START)
        raise InvocationError("fail", "KeyError", "'job'", stack=[])

    def _busy(self, event: bytes) -> object:
        self.ran.append(self.clock.now() - START)
        raise TooManyInstancesError("all 1 instances are busy")


def test_a_task_is_executed_once_however_often_it_is_handed_in() -> None:
    done: list[bytes] = []
    desk = Desk(note=done.append)

    ids = [desk.tasks.accept("note", b"event", task_id="a") for _ in range(2)]

    assert (ids, desk.tasks.execute(), desk.tasks.execute(), done) == (["a", None], 1, 0, [b"event"])


def test_an_id_counts_for_its_function_alone() -> None:
    desk = Desk(other=bytes)

    assert [desk.tasks.accept(name, b"", task_id="a") for name in ("echo", "other")] == ["a", "a"]


def test_of_those_that_have_ended_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("localcloud.fc.tasks.MOST_ENDED", 2)
    desk = Desk()
    for task_id in ("a", "b", "c"):
        desk.tasks.accept("echo", b"", task_id=task_id)
    desk.live(ms=500)

    assert [task.task_id for task in desk.tasks.of("echo")] == ["b", "c"]
    assert [desk.tasks.accept("echo", b"", task_id=task_id) for task_id in ("a", "b", "c")] == [
        "a",
        None,
        None,
    ]


def test_a_function_that_is_not_there_takes_no_task() -> None:
    with pytest.raises(LookupError):
        Desk().tasks.accept("nobody", b"")


@pytest.mark.parametrize(
    ("payload", "task_id"), [(bytes(128 * 1024 + 1), "a"), (b"", "1-starts-with-a-digit")]
)
def test_what_the_platform_refuses_is_no_task(payload: bytes, task_id: str) -> None:
    desk = Desk()

    with pytest.raises(PermanentError):
        desk.tasks.accept("echo", payload, task_id=task_id)
    assert desk.tasks.of("echo") == []


@pytest.mark.parametrize("retries", [0, 3])
def test_a_failure_is_tried_again_with_longer_and_longer_waits(retries: int) -> None:
    desk = Desk(AsyncConfig(retries=retries))
    desk.tasks.accept("fail", b"", task_id="a")

    desk.live(ms=60_000)

    assert desk.ran == [0, 500, 1_500, 3_500][: retries + 1]
    assert [(task.status, task.attempts) for task in desk.tasks.failed] == [("Failed", retries + 1)]


def test_throttling_costs_no_attempt() -> None:
    desk = Desk(AsyncConfig(retries=0))
    desk.tasks.accept("busy", b"", task_id="a")

    desk.live(ms=10_000)

    task = desk.tasks.find("busy", "a")
    assert task is not None
    assert desk.ran == [0, 500, 1_500, 3_500, 7_500]
    assert (task.status, task.attempts) == ("Retrying", 0)


def test_a_task_that_is_too_old_is_not_executed_any_more() -> None:
    desk = Desk(AsyncConfig(oldest_s=10, on_failure=QUEUE))
    desk.tasks.accept("busy", b"event", task_id="a")

    desk.live(ms=20_000)

    assert desk.ran == [0, 500, 1_500, 3_500, 7_500]
    assert [task.status for task in desk.tasks.failed] == ["Expired"]
    assert desk.record()["requestPayload"] == "event"


def test_a_failure_destination_gets_what_redriving_reads() -> None:
    desk = Desk(AsyncConfig(retries=1, on_failure=QUEUE))
    desk.tasks.accept("fail", b'{"jobs": []}', task_id="a")

    desk.live(ms=1_000)

    ((queue, record),) = desk.told
    letter = read("dead", QueueMessage("m", record.decode(), "r", START, 1), functions=("fail",))
    assert queue == "dead"
    assert (letter.function, letter.attempts, letter.failed_at) == ("fail", 2, START + 500)
    assert letter.reason == "UnhandledInvocationError; KeyError: 'job'"


def test_a_success_destination_gets_the_result() -> None:
    desk = Desk(AsyncConfig(on_success=QUEUE, on_failure=Destination("queue", "other")))
    desk.tasks.accept("echo", b"event", task_id="a")

    desk.tasks.execute()

    record = desk.record()
    assert (record["requestPayload"], record["responsePayload"]) == ("event", "event")
    assert record["responseContext"] == {"statusCode": 200, "functionError": ""}


def test_a_function_can_be_a_destination() -> None:
    told: list[bytes] = []
    desk = Desk(AsyncConfig(retries=0, on_failure=Destination("function", "note")), note=told.append)
    desk.tasks.accept("fail", b"event", task_id="a")

    assert desk.tasks.execute() == 2
    assert [json.loads(record)["requestPayload"] for record in told] == ["event"]


def test_a_destination_that_takes_nothing_is_logged_and_stops_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    desk = Desk(AsyncConfig(retries=0, on_failure=Destination("function", "nobody")))
    desk.tasks.accept("fail", b"", task_id="a")
    desk.tasks.accept("echo", b"", task_id="b")

    assert desk.tasks.execute() == 2
    assert [task.task_id for task in desk.tasks.failed] == ["a"]
    assert "the function nobody took no record" in caplog.text


def test_without_queues_nothing_is_sent_to_one(caplog: pytest.LogCaptureFixture) -> None:
    configs = {"echo": AsyncConfig(on_success=QUEUE)}
    tasks = Tasks(
        {"echo": bytes}.__getitem__, clock=ManualClock(START), random=random.Random(1), configs=configs
    )
    tasks.accept("echo", b"")

    tasks.execute()

    assert "the queue dead took no record: no queues are connected" in caplog.text


def test_workers_execute_by_themselves_and_again_when_the_clock_is_moved(
    until: Callable[[Callable[[], bool]], None],
) -> None:
    desk = Desk(AsyncConfig(retries=1))
    with desk.tasks:
        desk.tasks.accept("fail", b"", task_id="a")
        until(lambda: desk.ran == [0])
        desk.clock.advance(500)
        until(lambda: bool(desk.tasks.failed))

    assert desk.ran == [0, 500]


@given(st.integers(0, 100))
def test_waits_double_up_to_five_hours(tries: int) -> None:
    wait, next_wait = wait_ms(tries), wait_ms(tries + 1)

    assert 500 <= wait <= next_wait <= 5 * 3_600_000
    assert next_wait in (2 * wait, 5 * 3_600_000)


@pytest.mark.parametrize(
    ("arn", "found"),
    [
        ("acs:mns:cn-shanghai:1:/queues/dead/messages", Destination("queue", "dead")),
        ("acs:mns:cn-shanghai:1:/queues/dead", Destination("queue", "dead")),
        ("acs:mns:cn-shanghai:1:queues/dead", Destination("queue", "dead")),
        ("acs:fc:cn-shanghai:1:functions/f1", Destination("function", "f1")),
        ("acs:fc:cn-shanghai:1:functions/f1/LATEST", Destination("function", "f1")),
    ],
)
def test_destinations_are_known_by_their_arns(arn: str, found: Destination) -> None:
    assert Destination.of(arn) == found


def test_other_destinations_are_not_imitated() -> None:
    with pytest.raises(ValueError, match="only these"):
        Destination.of("acs:eventbridge:cn-shanghai:1:eventbus/default")
