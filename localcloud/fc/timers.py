"""Timer triggers: due times become asynchronous invocations, on whatever clock they are given."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from localcloud.fc.cron import Schedule

if TYPE_CHECKING:
    from shared.ports import Clock

MOST_AT_ONCE = 100


@dataclass(frozen=True)
class TimerTrigger:
    """Due times become asynchronous invocations."""

    function: str
    name: str
    schedule: Schedule
    payload: str


class Timers:
    """Fires timers from now on.

    A clock that jumps past several due times of a timer fires it once for each, at most `MOST_AT_ONCE` times;
    the rest of such a jump is left out.
    """

    def __init__(
        self, triggers: Sequence[TimerTrigger], *, accept: Callable[[str, bytes], object], clock: Clock
    ) -> None:
        self._accept = accept
        self._clock = clock
        now = clock.now()
        self._next = {trigger: trigger.schedule.after(now) for trigger in triggers}

    def fire_due(self) -> int:
        """Fire what is due; tell how often."""
        now = self._clock.now()
        return sum(self._fire(trigger, now) for trigger in self._next)

    def _fire(self, trigger: TimerTrigger, now: int) -> int:
        fired, due = 0, self._next[trigger]
        while due is not None and due <= now and fired < MOST_AT_ONCE:
            self._accept(trigger.function, timer_event(trigger, due))
            due, fired = trigger.schedule.after(due), fired + 1
        if due is not None and due <= now:
            due = trigger.schedule.after(now)
        self._next[trigger] = due
        return fired


def timer_event(trigger: TimerTrigger, due: int) -> bytes:
    """Write the event of a due time (function-compute.md 2)."""
    moment = datetime.fromtimestamp(due // 1_000, timezone.utc)
    event = {
        "triggerTime": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        "triggerName": trigger.name,
        "payload": trigger.payload,
    }
    return json.dumps(event, ensure_ascii=False).encode()
