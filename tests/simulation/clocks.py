"""Clocks of instances: each is wrong for a while, and jumps when that begins and when it ends."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tests.simulation.scheduler import Scheduler
from tests.simulation.weather import Weather, Window


@dataclass
class InstanceClock:
    """The clock of one instance, which is wrong by `error` within a window; see `Clock`."""

    scheduler: Scheduler
    error: int = 0
    wrong: Window = (0, 0)
    latest: int = 0
    """The latest time that it has shown."""

    def now(self) -> int:
        """See `Clock.now`."""
        now = self.scheduler.now()
        begins, ends = self.wrong
        shown = now + (self.error if begins <= now < ends else 0)
        self.latest = max(self.latest, shown)
        return shown

    def sleep(self, ms: int) -> None:
        """See `Clock.sleep`: how long a wait takes does not follow the time of day."""
        self.scheduler.sleep(ms)


class Clocks:
    """The clocks of all instances; what they show is wrong by at most `weather.clock_error`."""

    def __init__(self, scheduler: Scheduler, weather: Weather, drawn: random.Random) -> None:
        self._scheduler = scheduler
        self._weather = weather
        self._random = drawn
        self._of: dict[str, InstanceClock] = {}
        self._start = scheduler.now()

    def of(self, who: str) -> InstanceClock:
        """Give the clock of an instance: one of three is right all the time."""
        if who not in self._of:
            self._of[who] = self._drawn()
        return self._of[who]

    @property
    def latest(self) -> int:
        """Tell the latest time that any of them has shown, or that it is."""
        return max(self._scheduler.now(), *(clock.latest for clock in self._of.values()))

    def _drawn(self) -> InstanceClock:
        most = self._weather.clock_error
        if not most or not self._random.randrange(3):
            return InstanceClock(self._scheduler)
        begins, ends = sorted(self._random.randrange(self._start, self._weather.ends_at) for _ in range(2))
        return InstanceClock(self._scheduler, self._random.randrange(-most, most + 1), (begins, ends))
