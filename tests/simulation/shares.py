"""Who may call the vendor how often, and who gets a turn when."""

from __future__ import annotations

from bisect import bisect
from collections import defaultdict
from collections.abc import Iterator

from shared.policy import SECOND
from tests.simulation.run import CALLS_PER_SECOND, RUNS, START, Run

_MOST_RUNS = 2
# As far as the lease of a run allows for.
_CLOCKS_APART = 2 * SECOND


def runs_and_account_keep_their_rates(run: Run) -> Iterator[str]:
    """In any stretch of time, of any length; each bucket may give one call at once after a rest.

    A clock that is ahead by more than the lease of a run allows for begins another run beside it.
    """
    policy = run.policy
    if run.weather.clock_error > _CLOCKS_APART:
        return
    of_all: defaultdict[str, list[int]] = defaultdict(list)
    for (product, function), times in run.instances.calls.items():
        of_all[product] += times
        too_many = _most_above(CALLS_PER_SECOND * policy.runs_part, times) - policy.shards
        if function == RUNS and too_many > 0:
            yield f"{product} was called {too_many:.1f} times more in some stretch than runs may"
    for product, times in of_all.items():
        too_many = _most_above(CALLS_PER_SECOND, times) - policy.callback_instances - policy.shards
        if too_many > 0:
            yield f"{product} was called {too_many:.1f} times more in some stretch than the account may"


def _most_above(per_second: float, times: list[int]) -> float:
    """Give the most calls in any stretch beyond what the rate allows in it.

    That is the highest rise of (calls so far - what the rate allows so far).
    """
    lowest = most = 0.0
    for number, at in enumerate(sorted(times)):
        allowed = per_second * (at - START) / SECOND
        lowest = min(lowest, number - allowed)
        most = max(most, number + 1 - allowed - lowest)
    return most


def nobody_waits_for_a_slow_product(run: Run) -> Iterator[str]:
    """While one product is slow, jobs of the others are come to in the next run or the one after."""
    ended = run.ledger.runs_ended
    for key, writes in run.ledger.writes.items() if run.weather.sluggish else ():
        for write in writes:
            was_asked_for = write.before is not None and write.before.number("query_at") is not None
            if key.partition(".")[2].startswith("mts.") or not (write.claims and was_asked_for):
                continue
            since = write.before.count("due_at") if write.before is not None else 0
            waited = bisect(ended, write.happened_at) - bisect(ended, since)
            if waited > _MOST_RUNS:
                yield f"{key} was due for {waited} runs before anybody came"
