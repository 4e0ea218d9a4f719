"""Dead letters are put back, told of, and only then taken away."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from shared import redrive
from shared.adapters.local.inline_invoker import InlineInvoker
from shared.dead_letters import DeadLetter
from shared.errors import OutcomeUnknownError, StoreUnavailableError
from shared.handing_over import HandOver
from shared.queues import QueueMessage, Queues
from shared.redrive import PutBack
from tests.faults import ANSWER_LOST, UNAVAILABLE, Fault, Faults, FaultyInvoker, FaultyObjectStore, at, first
from tests.memory_queues import MemoryQueues
from tests.memory_stores import MemoryObjectStore
from tests.shared.test_dead_letters import FUNCTIONS, VOD, envelope
from tests.world import START, Crash, World

SECOND = 1_000
HANDED_OVER = envelope("media-ledger-deliver", HandOver(("00.a.b",)).payload.decode())
UNKNOWN = "nobody knows this"


class FaultyQueues:
    """Queues whose changes go through `faults`."""

    def __init__(self, inner: Queues, faults: Faults) -> None:
        self._inner = inner
        self._faults = faults
        self.send, self.publish, self.hide = inner.send, inner.publish, inner.hide

    def receive(self, queue: str, *, limit: int, deadline: int, wait_seconds: int = 0) -> list[QueueMessage]:
        """See `Queues.receive`."""
        with self._faults.around("receive", queue):
            return self._inner.receive(queue, limit=limit, deadline=deadline, wait_seconds=wait_seconds)

    def delete(self, queue: str, receipt: str, *, deadline: int) -> bool:
        """See `Queues.delete`."""
        with self._faults.around("delete", queue):
            return self._inner.delete(queue, receipt, deadline=deadline)


@dataclass
class Office:
    """A queue of dead letters, functions that keep what they get, and somebody who puts letters back."""

    bodies: tuple[str, ...]
    world: World = field(default_factory=lambda: World(None))
    got: list[tuple[str, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.queues = MemoryQueues(self.world.clock, "dead", visibility_timeout=30)
        self.objects = MemoryObjectStore()
        self.invoker = InlineInvoker(self._resolve)
        for body in self.bodies:
            self.queues.send("dead", body, deadline=0)

    def _resolve(self, function: str) -> Callable[[bytes], object]:
        return lambda payload: self.got.append((function, payload))

    def put_back(
        self,
        faults: Faults | None = None,
        *,
        wanted: Callable[[DeadLetter], bool] = lambda _: True,
        limit: int | None = None,
    ) -> list[PutBack]:
        """Put back what lies there, then let the functions run."""
        faults = faults or Faults(lambda _: None)
        services = replace(
            self.world.services,
            objects=FaultyObjectStore(self.objects, faults),
            invoker=FaultyInvoker(self.invoker, faults),
            queues=FaultyQueues(self.queues, faults),
        )
        try:
            return list(
                redrive.put_back(
                    services, "dead", functions=FUNCTIONS, wanted=wanted, by="somebody", limit=limit
                )
            )
        finally:
            self.invoker.run_accepted()

    def look(self, limit: int | None = None) -> list[DeadLetter]:
        """Give what lies there."""
        services = replace(self.world.services, queues=self.queues)
        return list(redrive.look(services, "dead", functions=FUNCTIONS, limit=limit))

    def audits(self) -> list[dict[str, Any]]:
        """Give what was told of in the archive."""
        return [json.loads(body) for key, body in self.objects.objects.items() if key.startswith("audit/")]


def test_letters_go_back_to_their_functions_and_are_taken_away() -> None:
    office = Office((HANDED_OVER, VOD))

    done = office.put_back()
    assert [one.outcome for one in done] == ["put back", "put back"]
    assert [function for function, _ in office.got] == ["deliver", "callback"]
    assert office.queues.count("dead") == 0
    assert office.put_back() == []


def test_each_letter_that_is_put_back_is_told_of_in_the_archive() -> None:
    office = Office((HANDED_OVER,))
    office.put_back()

    ((key, _),) = office.objects.objects.items()
    assert key.startswith(f"audit/redrive/2025-11-20/{START}-")
    (audit,) = office.audits()
    assert {name: audit[name] for name in ("by", "at", "queue", "function", "jobs", "accepted_before")} == {
        "by": "somebody",
        "at": START,
        "queue": "dead",
        "function": "deliver",
        "jobs": ["00.a.b"],
        "accepted_before": False,
    }


def test_to_look_changes_nothing_and_hides_nothing_for_long() -> None:
    office = Office((HANDED_OVER, VOD, UNKNOWN))

    assert [letter.function for letter in office.look()] == ["deliver", "callback", None]
    office.world.clock.advance(1 * SECOND)
    assert len(office.look()) == 3
    assert (office.got, office.audits()) == ([], [])


def test_what_nobody_can_tell_is_left_and_holds_up_no_other() -> None:
    office = Office((UNKNOWN, HANDED_OVER))

    assert [one.outcome for one in office.put_back()] == ["left", "put back"]
    assert office.queues.count("dead") == 1
    office.world.clock.advance(1 * SECOND)
    assert [letter.payload for letter in office.look()] != []


def test_only_what_is_wanted_goes_back() -> None:
    office = Office((VOD, HANDED_OVER, VOD))

    done = office.put_back(wanted=lambda letter: letter.function == "deliver")
    assert [one.letter.function for one in done] == ["deliver"]
    assert office.queues.count("dead") == 2


def test_a_limit_is_kept_and_more_than_one_batch_is_received() -> None:
    office = Office((HANDED_OVER,) * 40)

    assert len(office.look(limit=20)) == 20
    office.world.clock.advance(1 * SECOND)
    assert len(office.put_back(limit=17)) == 17
    assert len(office.put_back()) == 23
    assert office.queues.count("dead") == 0


@pytest.mark.parametrize(
    ("method", "fault", "error", "runs"),
    [
        ("invoke", UNAVAILABLE, StoreUnavailableError, 1),
        ("invoke", ANSWER_LOST, OutcomeUnknownError, 1),
        ("put_new", UNAVAILABLE, StoreUnavailableError, 1),
        ("delete", UNAVAILABLE, StoreUnavailableError, 1),
    ],
)
def test_what_failed_lies_there_still_and_the_next_run_ends_it(
    method: str, fault: Fault, error: type[Exception], runs: int
) -> None:
    office = Office((HANDED_OVER,))

    (done,) = office.put_back(Faults(first(method, fault)))
    assert (done.outcome, type(done.error)) == ("failed", error)
    assert office.queues.count("dead") == 1
    office.world.clock.advance(1 * SECOND)
    (again,) = office.put_back()
    assert again.outcome == "put back"
    assert office.queues.count("dead") == 0
    assert len(office.got) == runs  # the same letter is the same task


def test_wherever_a_run_ends_no_letter_is_lost_and_none_is_put_back_untold() -> None:
    def end() -> None:
        raise Crash

    calls = 0
    for number in range(1, 20):
        for fault in (Fault(before=end), Fault(after=end)):
            office = Office((HANDED_OVER, VOD))
            faults = Faults(at(number, fault))
            try:
                office.put_back(faults)
            except Crash:
                office.world.clock.advance(30 * SECOND)
                office.put_back()
            assert office.queues.count("dead") == 0, faults.calls
            assert sorted(function for function, _ in office.got) == ["callback", "deliver"], faults.calls
            told = {audit["function"] for audit in office.audits()}
            assert told == {"callback", "deliver"}, faults.calls
            calls = max(calls, len(faults.calls))
    assert calls < 19  # so each call was once the last


def test_a_letter_that_comes_into_sight_meanwhile_is_put_back_once() -> None:
    office = Office((HANDED_OVER,) * 3)

    def overtake() -> None:
        office.world.clock.advance(31 * SECOND)

    office.put_back(Faults(first("put_new", Fault(after=overtake))))
    office.world.clock.advance(31 * SECOND)
    office.put_back()
    assert office.queues.count("dead") == 0
    assert len(office.got) == 3
