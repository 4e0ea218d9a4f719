"""Timers on a clock that is moved."""

from __future__ import annotations

import json

import pytest

from localcloud.fc.cron import Schedule
from localcloud.fc.timers import MOST_AT_ONCE, Timers, TimerTrigger
from shared.adapters.clocks import ManualClock

START = 1_763_640_000_000  # 2025-11-20T12:00:00Z
MINUTE = 60_000


class Fired:
    """Timers of one trigger, and the events that they made."""

    def __init__(self, schedule: str) -> None:
        self.events: list[dict[str, str]] = []
        self.clock = ManualClock(START)
        trigger = TimerTrigger("reconcile", "every-minute", Schedule.parse(schedule), '{"a": 1}')
        self.timers = Timers([trigger], accept=self._accept, clock=self.clock)

    def after(self, ms: int) -> list[str]:
        """Let time pass and give the due times of what fires."""
        before = len(self.events)
        self.clock.advance(ms)
        self.timers.fire_due()
        return [event["triggerTime"] for event in self.events[before:]]

    def _accept(self, function: str, event: bytes) -> None:
        assert function == "reconcile"
        self.events.append(json.loads(event))


def test_a_timer_does_not_fire_before_it_is_due() -> None:
    assert Fired("@every 1m").after(MINUTE - 1) == []


def test_a_due_time_fires_once() -> None:
    fired = Fired("0 1 12 * * *")

    assert fired.after(MINUTE) == ["2025-11-20T12:01:00Z"]
    assert fired.after(0) == []
    assert fired.events[0] == {
        "triggerTime": "2025-11-20T12:01:00Z",
        "triggerName": "every-minute",
        "payload": '{"a": 1}',
    }


def test_a_jump_fires_every_due_time_that_it_passes() -> None:
    fired = Fired("@every 1m")

    assert fired.after(3 * MINUTE) == [f"2025-11-20T12:0{minute}:00Z" for minute in (1, 2, 3)]
    assert fired.after(MINUTE) == ["2025-11-20T12:04:00Z"]


@pytest.mark.parametrize("schedule", ["@every 1m", "0 * * * * *"])
def test_a_long_jump_fires_so_many_and_goes_on_from_there(schedule: str) -> None:
    fired = Fired(schedule)

    assert len(fired.after(10_000 * MINUTE)) == MOST_AT_ONCE
    assert fired.after(0) == []
    assert len(fired.after(MINUTE)) == 1


def test_a_timer_that_is_never_due_again_is_silent() -> None:
    assert Fired("0 0 0 30 2 *").after(10_000 * MINUTE) == []
