"""What keeps failing, or hangs, is left alone for a while, and then tried again."""

from __future__ import annotations

import pytest

from shared.delivery.target_health import TargetHealth
from shared.policy import HOUR, MINUTE, SECOND

NOW = 1_763_640_000_000


def after(tries: int, *, each_ms: int, now: int = NOW) -> TargetHealth:
    """Give what is known after so many tries that failed."""
    health = TargetHealth()
    for _ in range(tries):
        health.failed("a", after_ms=each_ms, now=now)
    return health


@pytest.mark.parametrize(
    ("tries", "each_ms", "pause"),
    [
        (0, 0, 0),
        (100, 5, 0),
        (1, 10 * SECOND, 0),
        (2, 10 * SECOND, 5 * MINUTE),
        (1, 60 * SECOND, 10 * MINUTE),
        (1, 300 * SECOND, 50 * MINUTE),
        (1, 2 * HOUR, HOUR),
    ],
)
def test_a_target_is_left_alone_by_how_much_time_it_has_cost(tries: int, each_ms: int, pause: int) -> None:
    health = after(tries, each_ms=each_ms)

    assert health.pause_left("a", NOW) == pause
    assert health.pause_left("a", NOW + pause) == 0
    assert health.pause_left("b", NOW) == 0


def test_a_target_that_takes_nothing_is_left_alone_and_that_does_not_feed_on_itself() -> None:
    health = TargetHealth()
    for later in (0, MINUTE):
        health.took_nothing("a", now=NOW + later)

    assert health.pause_left("a", NOW) == 5 * MINUTE
    assert health.pause_left("a", NOW + 5 * MINUTE) == 0


def test_after_the_pause_one_failure_is_enough_for_another() -> None:
    health = after(2, each_ms=10 * SECOND)
    health.failed("a", after_ms=10 * SECOND, now=NOW + 6 * MINUTE)

    assert health.pause_left("a", NOW + 6 * MINUTE) == 5 * MINUTE


def test_a_target_that_takes_something_begins_anew() -> None:
    health = after(8, each_ms=10 * SECOND)
    health.took("a")
    assert health.pause_left("a", NOW) == 0

    health.failed("a", after_ms=5, now=NOW)
    assert health.pause_left("a", NOW) == 0


def test_a_clock_that_is_set_back_lengthens_no_pause_beyond_an_hour() -> None:
    assert after(2, each_ms=10 * SECOND, now=NOW + 24 * HOUR).pause_left("a", NOW) == HOUR
