"""What lies between an instance and everything that it calls: time that passes, and trouble."""

from __future__ import annotations

import random
from functools import partial

from shared.errors import OutcomeUnknownError, StoreUnavailableError
from shared.policy import SECOND
from tests.faults import Call, Fault, Faults
from tests.simulation.scheduler import Scheduler
from tests.simulation.trace import Trace
from tests.simulation.weather import Weather

LEASE = 15 * SECOND
"""How long a claim holds in a run: shorter than an invocation, so that a holder can come back too late."""

_WRITES = ("insert", "insert_many", "update", "put", "put_new", "put_file")
_QUERY = "query"
# No store has a part in them: what becomes of them is for whoever is called.
_OUTSIDE = (_QUERY, "send", "download")
_ROWS = 8


class Hazards:
    """Draws what happens to each call, by the weather of the moment, and writes it into the trace."""

    def __init__(self, weather: Weather, scheduler: Scheduler, trace: Trace, drawn: random.Random) -> None:
        self.weather = weather
        self._scheduler = scheduler
        self._trace = trace
        self._random = drawn
        self._start = scheduler.now()
        self.caller: str | None = None
        """Whose call has got through to a store and is done there now; None for a person's."""

    @property
    def is_over(self) -> bool:
        """Tell whether nothing goes wrong any more."""
        return self._scheduler.now() >= self.weather.ends_at

    def happens(self, name: str) -> bool:
        """Draw whether something happens now."""
        chance: float = getattr(self.weather, name)
        return chance > 0 and not self.is_over and self._random.random() < chance

    def is_in(self, name: str) -> bool:
        """Tell whether it is the time of an outage."""
        begins, ends = getattr(self.weather, name)
        return bool(begins <= self._scheduler.now() < ends)

    def kill(self, why: str) -> None:
        """End the process that is running."""
        self.note("killed", why)
        self._scheduler.kill_running()

    def note(self, who: str, what: str) -> None:
        """Write a line into the trace."""
        self._trace.note(self._scheduler.now() - self._start, who, what)

    def around(self, who: str) -> Faults:
        """Give what every port call of an instance goes through."""

        def plan(call: Call) -> Fault:
            return Fault(
                before=partial(self._before, who, call),
                after=partial(self._after, who, call),
                rows=self._rows(call),
            )

        return Faults(plan)

    def _before(self, who: str, call: Call) -> None:
        self._scheduler.delay(self._latency(call))
        self.note(who, f"{call.method} {call.target}")
        if self.happens("crash"):
            self.kill(f"{who} before it")
        if call.method not in _OUTSIDE and (self.is_in("store_outage") or self.happens("store_away")):
            raise StoreUnavailableError("the store is away")
        if call.method in _WRITES and self.happens("answer_lost"):
            raise OutcomeUnknownError("no answer, and nothing was written")
        self.caller = who

    def _after(self, who: str, call: Call) -> None:
        self.caller = None
        if self.happens("crash"):
            self.kill(f"{who} after it")
        self._scheduler.delay(self._latency(call))
        if call.method in _WRITES and self.happens("answer_lost"):
            raise OutcomeUnknownError("no answer, and it was written")

    def _latency(self, call: Call) -> int:
        """Draw how long one way takes: now and then longer than a lease, or than the next timer."""
        if self.happens("stall"):
            return LEASE + self._random.randrange(30 * SECOND)
        if call.method == "put" and self.happens("slow_put"):
            return LEASE + self._random.randrange(90 * SECOND)
        if self.happens("slow"):
            return self._random.randrange(LEASE)
        if call.method == _QUERY:
            return 20 + self._random.randrange(100)
        return 1 + self._random.randrange(8)

    def _rows(self, call: Call) -> dict[int, Exception]:
        if call.method != "insert_many" or not self.happens("row_refused"):
            return {}
        return {self._random.randrange(_ROWS): StoreUnavailableError("this row was not written")}
