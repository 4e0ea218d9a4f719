"""Batches out of a queue: how they are made, repeated, and given up."""

from __future__ import annotations

import base64
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.fc.queue_trigger import QueueConsumer, QueueTrigger
from localcloud.fc.retry_waits import retry_wait_ms
from shared.adapters.clocks import ManualClock
from shared.dead_letters import read
from shared.errors import PermanentError, StoreUnavailableError
from shared.queues import QueueMessage
from tests.memory_queues import MemoryQueues

SAMPLES = Path(__file__).parents[3] / "events" / "callback"
START = 1_763_640_000_000
TRIGGER = QueueTrigger(
    "callback",
    "queue",
    queue="callbacks",
    decodes_base64=False,
    is_raw=False,
    is_one_by_one=False,
    is_asynchronous=False,
    largest_batch=3,
    window_ms=1_000,
    strategy="BACKOFF_RETRY",
    tolerates_errors=True,
    dead_letters="dead",
)


class Limited(MemoryQueues):
    """Queues that refuse long messages in the words of the port."""

    def send(self, queue: str, body: str, *, deadline: int) -> None:
        if len(body.encode()) > 65_536:
            raise PermanentError("too long")
        super().send(queue, body, deadline=deadline)


class Fed:
    """A queue, a function that fails so often, and what it was invoked with."""

    def __init__(self, *, fails: int = 0, visibility_timeout: int = 360, **changes: Any) -> None:
        self.fails = fails
        self.batches: list[Any] = []
        self.took: list[str] = []
        self.clock = ManualClock(START)
        self.queues = Limited(self.clock, "callbacks", "dead", visibility_timeout=visibility_timeout)
        self.consumer = QueueConsumer(
            replace(TRIGGER, **changes),
            queues=self.queues,
            invoke=self._invoke,
            clock=self.clock,
            random=random.Random(1),
            region="cn-shanghai",
            account="1000000000000001",
        )

    def send(self, *bodies: str) -> None:
        """Put messages into the queue."""
        for body in bodies:
            self.queues.send("callbacks", body, deadline=START)

    def live(self, *, seconds: int) -> None:
        """Let time pass."""
        for _ in range(seconds):
            self.consumer.run_due()
            self.clock.advance(1_000)
        self.consumer.run_due()

    def left(self, queue: str = "callbacks") -> int:
        """Count what is in a queue, hidden or not."""
        return sum(self.queues.account.queue(queue).counts(now=self.clock.now()).values())

    def _invoke(self, event: bytes) -> bool:
        batch = json.loads(event)
        self.batches.append(batch)
        if len(self.batches) <= self.fails:
            return False
        self.took += [one["data"]["messageBody"] for one in batch] if isinstance(batch, list) else [batch]
        return True


def bodies(batch: list[dict[str, Any]]) -> list[str]:
    return [one["data"]["messageBody"] for one in batch]


def test_a_message_becomes_the_documented_event() -> None:
    fed = Fed()
    fed.send("TEST")

    fed.live(seconds=1)

    ((event,),) = fed.batches
    (sample, _) = json.loads((SAMPLES / "queue-array.json").read_text())
    assert event.keys() == sample.keys()
    assert event["data"].keys() == sample["data"].keys()
    assert (event["data"]["messageBody"], event["id"]) == ("TEST", event["data"]["messageId"])
    assert event["subject"] == "acs:mns:cn-shanghai:1000000000000001:queues/callbacks"
    assert event["time"] == "2025-11-20T12:00:00.000Z"


def test_a_full_batch_goes_at_once_and_the_rest_when_the_window_is_over() -> None:
    fed = Fed()
    fed.send("1", "2", "3", "4")

    fed.consumer.run_due()
    assert [bodies(batch) for batch in fed.batches] == [["1", "2", "3"]]

    fed.live(seconds=1)
    assert [bodies(batch) for batch in fed.batches[1:]] == [["4"]]
    assert (fed.left(), fed.consumer.is_idle) == (0, True)


def test_a_large_batch_is_made_of_several_receives() -> None:
    fed = Fed(largest_batch=40)
    fed.send(*map(str, range(40)))

    fed.consumer.run_due()

    assert [len(batch) for batch in fed.batches] == [40]


def test_one_by_one_is_an_object_and_no_list() -> None:
    fed = Fed(is_one_by_one=True, largest_batch=1, window_ms=0)
    fed.send("1", "2")

    fed.consumer.run_due()

    assert [one["data"]["messageBody"] for one in fed.batches] == ["1", "2"]


def test_raw_data_is_the_data_alone() -> None:
    fed = Fed(is_raw=True, window_ms=0)
    fed.send("1")
    fed.fails = 1  # it looks for a CloudEvent

    fed.consumer.run_due()

    assert [one.keys() for one in fed.batches[0]] == [{"requestId", "messageId", "messageBody"}]


@pytest.mark.parametrize(
    ("body", "decoded"), [(base64.b64encode("中文".encode()).decode(), "中文"), ('{"a": 1}', '{"a": 1}')]
)
def test_base64_is_decoded_and_what_is_none_stays(body: str, decoded: str) -> None:
    fed = Fed(decodes_base64=True, window_ms=0)
    fed.send(body)

    fed.consumer.run_due()

    assert fed.took == [decoded]


def test_a_failed_batch_comes_back_whole_and_others_go_on_beside_it() -> None:
    fed = Fed(fails=1)
    fed.send("1", "2", "3")
    fed.consumer.run_due()
    fed.send("4", "5", "6")

    fed.live(seconds=25)

    assert [bodies(batch) for batch in fed.batches] == [["1", "2", "3"], ["4", "5", "6"], ["1", "2", "3"]]
    assert fed.left() == 0


def test_without_tolerance_others_wait_and_the_trigger_stands_still_in_the_end() -> None:
    fed = Fed(fails=99, tolerates_errors=False)
    fed.send("1", "2", "3", "4", "5", "6")

    fed.live(seconds=120)

    assert [bodies(batch) for batch in fed.batches] == [["1", "2", "3"]] * 4
    assert fed.consumer.is_stopped
    assert (fed.left(), fed.left("dead")) == (6, 0)


def test_what_no_retry_brings_in_ends_as_dead_letters_that_can_be_redriven() -> None:
    sample = json.loads((SAMPLES / "queue-array.json").read_text())
    fed = Fed(fails=99)
    fed.send(*bodies(sample))

    fed.live(seconds=120)

    found = fed.queues.receive("dead", limit=16, deadline=START)
    letters = [read("dead", message, functions=("callback",)) for message in found]
    assert [letter.function for letter in letters] == ["callback"] * 2
    assert all(letter.jobs for letter in letters)
    assert fed.left() == 0


def test_a_dead_letter_that_is_too_long_with_its_wrapping_goes_without() -> None:
    fed = Fed(fails=99)
    fed.send("x" * 65_536)

    fed.live(seconds=120)

    (found,) = fed.queues.receive("dead", limit=16, deadline=START)
    assert found.body == "x" * 65_536


def test_without_a_dead_letter_queue_it_is_dropped() -> None:
    fed = Fed(fails=99, dead_letters=None)
    fed.send("1")

    fed.live(seconds=120)

    assert (fed.left(), fed.left("dead"), len(fed.batches)) == (0, 0, 4)


def test_a_message_that_comes_in_sight_again_is_not_taken_twice() -> None:
    fed = Fed(fails=2, visibility_timeout=5)
    fed.send("1")

    fed.live(seconds=60)

    assert (fed.took, fed.left(), fed.consumer.is_idle) == (["1"], 0, True)


def test_a_queue_that_is_away_is_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    fed = Fed(window_ms=0)
    fed.send("1")
    receive = fed.queues.receive

    def away(*_: object, **__: object) -> list[QueueMessage]:
        raise StoreUnavailableError("away")

    fed.queues.receive = away  # type: ignore[method-assign]  # as long as it is away
    fed.consumer.run_due()
    fed.consumer.run_due()
    fed.queues.receive = receive  # type: ignore[method-assign]
    fed.consumer.run_due()

    assert fed.took == ["1"]
    assert caplog.text.count("trigger queue receives nothing") == 1


def test_a_message_that_cannot_be_deleted_is_not_invoked_with_again() -> None:
    fed = Fed(window_ms=0, visibility_timeout=5)
    fed.send("1")
    delete = fed.queues.delete

    def away(*_: object, **__: object) -> bool:
        raise StoreUnavailableError("away")

    fed.queues.delete = away  # type: ignore[method-assign]  # as long as it is away
    fed.consumer.run_due()
    fed.queues.delete = delete  # type: ignore[method-assign]
    fed.live(seconds=10)

    assert (fed.took, fed.left()) == (["1"], 0)


def test_a_dead_letter_that_no_queue_takes_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    fed = Fed(fails=99)
    fed.send("1")

    def away(*_: object, **__: object) -> None:
        raise StoreUnavailableError("away")

    fed.queues.send = away  # type: ignore[method-assign]
    fed.live(seconds=120)

    assert "trigger queue lost a dead letter" in caplog.text


@given(
    messages=st.integers(0, 30),
    largest=st.integers(1, 20),
    fails=st.integers(0, 6),
    tolerates=st.booleans(),
    visibility=st.integers(3, 60),
)
def test_every_message_ends_in_exactly_one_place(
    messages: int, largest: int, fails: int, tolerates: bool, visibility: int
) -> None:
    fed = Fed(fails=fails, visibility_timeout=visibility, largest_batch=largest, tolerates_errors=tolerates)
    sent = [f"m{number}" for number in range(messages)]
    fed.send(*sent)

    fed.live(seconds=90)

    dead: list[str] = []
    while found := fed.queues.receive("dead", limit=16, deadline=START):
        dead += [json.loads(one.body)["data"]["messageBody"] for one in found]
    assert len(fed.took) == len(set(fed.took))
    assert len(fed.took) + len(dead) + fed.left() == messages
    assert {*fed.took, *dead} <= set(sent)
    assert fed.left() == 0 or fed.consumer.is_stopped


@pytest.mark.parametrize(
    ("strategy", "tries", "seconds"),
    [("BACKOFF_RETRY", 3, (30, 60)), ("EXPONENTIAL_DECAY_RETRY", 176, (86_000, 87_000))],
)
def test_a_strategy_says_how_often_and_for_how_long(
    strategy: Any, tries: int, seconds: tuple[int, int]
) -> None:
    waits = [retry_wait_ms(strategy, failures, random.Random(1)) for failures in range(1, tries + 2)]

    assert waits[-1] is None
    assert seconds[0] * 1_000 <= sum(wait or 0 for wait in waits) <= seconds[1] * 1_000
