"""A budget for each name holds in every stretch of time, and its memory has an end."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.admission import BudgetPerName
from shared.adapters.clocks import ManualClock
from shared.policy import SECOND
from tests.world import START


@given(
    steps=st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 700)), max_size=60),
    burst=st.integers(0, 4),
)
def test_in_every_stretch_of_time_a_name_has_its_burst_and_its_rate(
    steps: list[tuple[str, int]], burst: int
) -> None:
    clock = ManualClock(START)
    budget = BudgetPerName(lambda name: {"a": 2.0, "b": 5.0}[name], burst=burst, clock=clock)
    admitted: dict[str, list[int]] = defaultdict(list)
    for name, wait in steps:
        clock.advance(wait)
        if budget.admits(name):
            admitted[name].append(clock.now())

    for name, rate in (("a", 2), ("b", 5)):
        times = admitted[name]
        for first, start in enumerate(times):
            for last, end in enumerate(times[first:], start=1):
                assert last <= burst + rate * (end - start) / SECOND


def test_a_name_begins_with_its_whole_burst_and_gets_it_back() -> None:
    clock = ManualClock(START)
    budget = BudgetPerName(lambda _: 1, burst=2, clock=clock)

    assert [budget.admits("a") for _ in range(3)] == [True, True, False]
    clock.advance(2 * SECOND)
    assert [budget.admits("a") for _ in range(3)] == [True, True, False]


def test_names_beyond_the_most_that_are_remembered_are_forgotten_the_longest_unheard_first() -> None:
    budget = BudgetPerName(lambda _: 1, burst=1, clock=ManualClock(START), most=2)

    assert [budget.admits(name) for name in "aabbacca"] == [
        True,
        False,
        True,
        False,
        False,
        True,
        False,
        False,
    ]
    assert budget.admits("b")


def test_a_clock_that_was_ahead_refuses_nobody_for_long() -> None:
    class Clock(ManualClock):
        ahead = 0

        def now(self) -> int:
            """Tell the time, or a later one."""
            return super().now() + self.ahead

    clock = Clock(START)
    budget = BudgetPerName(lambda _: 1, burst=1, clock=clock)
    clock.ahead = 1_000_000
    assert budget.admits("a")
    clock.ahead = 0
    assert not budget.admits("a")
    clock.advance(SECOND)

    assert budget.admits("a")
