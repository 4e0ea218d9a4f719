"""What goes wrong in a run, and how often. Each run has a weather of its own."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.policy import DAY, HOUR, MINUTE, SECOND
from tests.simulation.audiences import AUDIENCES

STORM = 2 * HOUR
Window = tuple[int, int]
CLOCK_ERRORS = (2 * SECOND, 2 * MINUTE)


@dataclass(frozen=True)
class Temper:
    """What a target does: chances per event while the storm lasts, and how long it takes at most.

    `late` takes an event and says so after the time limit. While it is `away` nobody answers at all, and
    whoever asks waits for that if it `hangs`; while it is `gone` it wants no events any more. Both may
    last for longer than the storm.
    """

    slow: int = 0
    fails: float = 0
    throttles: float = 0
    redirects: float = 0
    late: float = 0
    away: Window = (0, 0)
    gone: Window = (0, 0)
    hangs: bool = False


GOOD = Temper()


@dataclass(frozen=True)
class Weather:
    """Chances per call, per message or per tick, until `ends_at`; windows in which nothing answers at all.

    `index_lag` is the longest that an index is behind its table, `clock_error` the most that the clock of
    an instance is wrong by, `sluggish` how long MPS takes for an answer, all in milliseconds. `workers` is
    how many tasks an instance does beside each other; None leaves it to chance.
    """

    ends_at: int
    crash: float = 0
    slow: float = 0
    stall: float = 0
    slow_put: float = 0
    store_away: float = 0
    answer_lost: float = 0
    row_refused: float = 0
    vendor_away: float = 0
    vendor_silent: float = 0
    throttled: float = 0
    behind: float = 0
    lost: float = 0
    repeated: float = 0
    late: float = 0
    executed_twice: float = 0
    impatient: float = 0
    timer_twice: float = 0
    timer_skipped: float = 0
    index_lag: int = 0
    clock_error: int = 0
    sluggish: int = 0
    workers: int | None = None
    is_undivided: bool = False
    store_outage: Window = (0, 0)
    vendor_outage: Window = (0, 0)
    key_rotated: Window = (0, 0)
    timer_stopped: Window = (0, 0)
    hidden: Window = (0, 0)
    invocation_lost: float = 0
    invocation_late: float = 0
    tempers: Mapping[str, Temper] = field(default_factory=dict)
    is_but_for_one: bool = False

    def names(self) -> list[str]:
        """Say what can happen in it."""
        return [f"{name}={value}" for name, value in vars(self).items() if value and value != (0, 0)]


def calm(drawn: random.Random, start: int) -> Weather:
    """Give a weather in which nothing goes wrong."""
    return Weather(start)


def rough(drawn: random.Random, start: int) -> Weather:
    """Give a weather in which much goes wrong, most of it by being slow: what is half done meets others."""
    return Weather(
        ends_at=start + STORM,
        crash=0.003,
        slow=0.15,
        stall=0.03,
        slow_put=0.5,
        store_away=0.005,
        answer_lost=0.01,
        vendor_away=0.1,
        throttled=0.3,
        behind=0.2,
        lost=0.2,
        repeated=0.5,
        impatient=0.6,
        timer_twice=0.5,
        index_lag=20 * SECOND,
        key_rotated=(start + HOUR, start + HOUR + 5 * MINUTE),
        vendor_outage=(start + HOUR + 20 * MINUTE, start + HOUR + 40 * MINUTE),
        invocation_late=0.1,
        tempers={
            one.name: Temper(
                slow=12 * SECOND,
                fails=0.2,
                throttles=0.1,
                late=0.1,
                # For more than a day, where it is few jobs that are tried all the time.
                away=(start + 10 * MINUTE, start + (30 * HOUR if one.name == "failures" else HOUR)),
            )
            for one in AUDIENCES
        },
    )


def overlapping(drawn: random.Random, start: int) -> Weather:
    """Give a weather in which the timer stands still for an hour, and then goes off twice each time."""
    return Weather(
        ends_at=start + STORM,
        lost=1,
        executed_twice=1,
        timer_twice=1,
        timer_stopped=(start, start + 75 * MINUTE),
    )


def sluggish(drawn: random.Random, start: int) -> Weather:
    """Give a weather in which one product is slow, and much of it is due when the timer is back."""
    return Weather(
        ends_at=start + 2 * STORM,
        lost=1,
        sluggish=9 * SECOND,
        workers=1,
        is_undivided=True,
        timer_stopped=(start, start + 90 * MINUTE),
    )


def misplaced(drawn: random.Random, start: int) -> Weather:
    """Give a weather in which our key does not see most jobs of a product, for longer than the grace period.

    The timer stands still until just before that is mended, so that one run meets all that are missing.
    """
    return Weather(
        ends_at=start + 150 * MINUTE,
        lost=1,
        is_undivided=True,
        timer_stopped=(start + 69 * MINUTE, start + 140 * MINUTE),
        hidden=(start, start + 142 * MINUTE),
    )


def but_for_one(drawn: random.Random, start: int) -> Weather:
    """Give a weather in which nothing goes wrong but that one target lets everybody wait who sends to it."""
    silent = Temper(away=(start, start + 2 * STORM), hangs=True)
    return Weather(ends_at=start + STORM, tempers={"archive": silent}, workers=8, is_but_for_one=True)


def deadly(drawn: random.Random, start: int) -> Weather:
    """Give a weather in which nobody ends but who asks about certain jobs, and much is due at one time."""
    return Weather(
        ends_at=start + STORM,
        lost=1,
        workers=4,
        is_undivided=True,
        timer_stopped=(start, start + 75 * MINUTE),
    )


def astray(drawn: random.Random, start: int) -> Weather:
    """Give a weather in which clocks are wrong by days."""
    return Weather(ends_at=start + STORM, lost=0.2, crash=0.005, clock_error=10 * DAY)


def draw_weather(drawn: random.Random, start: int) -> Weather:
    """Draw a weather. What never happens in a run matters as much: some bugs hide behind other troubles."""

    def chance(*rates: float) -> float:
        return drawn.choice((0.0, *rates))

    def window(longest: int) -> Window:
        begins = start + drawn.randrange(STORM - longest)
        return (begins, begins + drawn.randrange(longest)) if drawn.randrange(2) else (0, 0)

    return Weather(
        ends_at=start + STORM,
        crash=chance(0.002, 0.01, 0.02),
        slow=chance(0.02, 0.1),
        stall=chance(0.002, 0.01),
        slow_put=chance(0.1, 0.3),
        store_away=chance(0.005, 0.03),
        answer_lost=chance(0.005, 0.03),
        row_refused=chance(0.05),
        vendor_away=chance(0.02, 0.2),
        vendor_silent=chance(0.02, 0.1),
        throttled=chance(0.05, 0.3),
        behind=chance(0.1, 0.3),
        lost=chance(0.1, 0.4),
        repeated=chance(0.1, 0.5),
        late=chance(0.1, 0.4),
        executed_twice=chance(0.05),
        impatient=chance(0.2, 0.6),
        timer_twice=chance(0.2),
        timer_skipped=chance(0.2),
        index_lag=drawn.choice((0, 2 * SECOND, 20 * SECOND)),
        store_outage=window(3 * MINUTE),
        vendor_outage=window(20 * MINUTE),
        key_rotated=window(20 * MINUTE),
        timer_stopped=window(30 * MINUTE),
        clock_error=drawn.choice((0, *CLOCK_ERRORS)),
        invocation_lost=chance(0.05, 0.3),
        invocation_late=chance(0.05, 0.3),
        tempers={one.name: _draw_temper(drawn, start) for one in AUDIENCES},
    )


def _draw_temper(drawn: random.Random, start: int) -> Temper:
    def chance(*rates: float) -> float:
        return drawn.choice((0.0, 0.0, *rates))

    def window(one_in: int, *lengths: int) -> Window:
        begins = start + drawn.randrange(STORM)
        return (begins, begins + drawn.choice(lengths)) if drawn.randrange(one_in) == 0 else (0, 0)

    return Temper(
        slow=drawn.choice((0, 5 * SECOND, 20 * SECOND)),
        fails=chance(0.1, 0.5),
        throttles=chance(0.1, 0.5),
        redirects=chance(0.1),
        late=chance(0.05, 0.3),
        away=window(3, HOUR, HOUR, 6 * HOUR, 6 * HOUR, 30 * HOUR),
        gone=window(8, HOUR, 100 * DAY),
        hangs=drawn.random() < 0.5,
    )
