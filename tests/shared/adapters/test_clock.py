"""The contract of `Clock`, over every adapter; at the end what only a manual clock has."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.adapters.clocks import ManualClock
from shared.ports import Clock

YEAR_2025 = 1_735_689_600_000
YEAR_2100 = 4_102_444_800_000


def test_now_is_in_epoch_milliseconds(clock: Clock) -> None:
    assert YEAR_2025 < clock.now() < YEAR_2100


def test_sleeping_takes_as_long_as_it_says(clock: Clock) -> None:
    before = clock.now()

    clock.sleep(20)

    # A system clock that is being slewed may lack a fraction of a millisecond.
    assert clock.now() - before >= 19


def test_sleeping_for_nothing_is_allowed_and_for_less_is_not(clock: Clock) -> None:
    clock.sleep(0)

    with pytest.raises(ValueError, match=r"negative|back"):
        clock.sleep(-1)


def test_a_manual_clock_stands_still_until_it_is_told_to_move() -> None:
    clock = ManualClock(1_000)
    read = [clock.now(), clock.now()]

    clock.advance(500)
    read.append(clock.now())
    clock.sleep(3_600_000)
    read.append(clock.now())

    assert read == [1_000, 1_000, 1_500, 3_601_500]


def test_a_manual_clock_loses_no_step_of_any_thread() -> None:
    clock = ManualClock(0)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(clock.advance, [1] * 5_000))

    assert clock.now() == 5_000
