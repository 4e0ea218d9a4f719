"""What goes wrong in a run, and how often. Each run has a weather of its own."""

from __future__ import annotations

import random
from dataclasses import dataclass

from shared.policy import HOUR, MINUTE, SECOND

STORM = 2 * HOUR
Window = tuple[int, int]


@dataclass(frozen=True)
class Weather:
    """Chances per call, per message or per tick, until `ends_at`; windows in which nothing answers at all.

    `index_lag` is the longest that an index is behind its table, in milliseconds.
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
    store_outage: Window = (0, 0)
    vendor_outage: Window = (0, 0)
    key_rotated: Window = (0, 0)

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
    )


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
    )
