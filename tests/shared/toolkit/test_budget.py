from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.toolkit.budget import NoBudgetLeftError, TokenBucket, share

FAR = 10**15
RATES = st.one_of(
    st.integers(1, 3_000).map(float),
    st.floats(0.01, 3_000, allow_nan=False),
)


class Clock:
    def __init__(self, now: int = 1_000_000) -> None:
        self.now = now
        self.slept: list[int] = []

    def __call__(self) -> int:
        return self.now

    def sleep(self, ms: int) -> None:
        self.slept.append(ms)
        self.now += ms


class Switching(int):
    """A deadline that lets another thread go on whenever it is compared with."""

    def __lt__(self, other: int) -> bool:
        time.sleep(0)
        return int(self) < other


def drain(bucket: TokenBucket, now: int) -> int:
    """Take what is allowed at this moment."""
    for taken in range(1_000):
        try:
            bucket.reserve(until_ms=now)
        except NoBudgetLeftError:
            return taken
    raise AssertionError("a bucket without a bottom")


def test_a_bucket_starts_empty() -> None:
    clock = Clock()
    bucket = TokenBucket(10, clock=clock, burst=5)

    with pytest.raises(NoBudgetLeftError) as caught:
        bucket.reserve(until_ms=clock.now + 99)
    assert caught.value.retry_after_ms == 100


def test_a_refused_call_takes_nothing() -> None:
    clock = Clock()
    bucket = TokenBucket(10, clock=clock)
    assert drain(bucket, clock.now + 50) == 0

    clock.now += 100

    assert bucket.reserve(until_ms=clock.now) == 0


def test_calls_are_spread_evenly_over_time() -> None:
    clock = Clock()
    bucket = TokenBucket(4, clock=clock)

    for _ in range(3):
        bucket.take(until_ms=FAR, sleep=clock.sleep)

    assert clock.slept == [250, 250, 250]


def test_a_token_that_is_there_is_used_without_waiting() -> None:
    clock = Clock()
    bucket = TokenBucket(4, clock=clock)
    clock.now += 1_000

    bucket.take(until_ms=clock.now, sleep=clock.sleep)

    assert clock.slept == []


def test_nobody_waits_for_a_token_that_comes_after_the_deadline() -> None:
    clock = Clock()
    bucket = TokenBucket(1, clock=clock)

    with pytest.raises(NoBudgetLeftError):
        bucket.take(until_ms=clock.now + 999, sleep=clock.sleep)
    assert clock.slept == []


@pytest.mark.parametrize("burst", [1, 2, 7])
def test_after_a_rest_a_burst_is_allowed_and_no_more(burst: int) -> None:
    clock = Clock()
    bucket = TokenBucket(10, clock=clock, burst=burst)
    clock.now += 3_600_000

    assert drain(bucket, clock.now) == burst


def test_a_clock_that_jumps_back_gives_no_token_and_keeps_nobody_waiting() -> None:
    clock = Clock()
    bucket = TokenBucket(10, clock=clock)
    clock.now += 1_000
    assert drain(bucket, clock.now) == 1

    clock.now -= 3_600_000

    assert drain(bucket, clock.now) == 0
    assert bucket.reserve(until_ms=FAR) == 100


def test_a_clock_that_jumps_ahead_gives_a_burst_at_most() -> None:
    clock = Clock()
    bucket = TokenBucket(10, clock=clock, burst=3)

    clock.now += 10**12

    assert drain(bucket, clock.now) == 3


def test_threads_get_different_moments() -> None:
    clock = Clock()
    bucket = TokenBucket(100, clock=clock)
    together = threading.Barrier(8)

    def reserve_some() -> list[int]:
        together.wait(5)
        return [bucket.reserve(until_ms=Switching(FAR)) for _ in range(50)]

    with ThreadPoolExecutor(8) as pool:
        waits = [wait for future in [pool.submit(reserve_some) for _ in range(8)] for wait in future.result()]

    assert sorted(waits) == [10 * n for n in range(1, 401)]


@given(
    rate=RATES,
    burst=st.integers(1, 20),
    steps=st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 2_000)), max_size=60),
)
@example(rate=999.9999999, burst=1, steps=[(1, 0)])  # one ten-millionth of a call too early
def test_no_window_ever_has_more_than_burst_and_rate(
    rate: float, burst: int, steps: list[tuple[int, int]]
) -> None:
    clock = Clock(0)
    bucket = TokenBucket(rate, clock=clock, burst=burst)
    used: list[int] = []
    for pause, patience in steps:
        clock.now += pause
        try:
            used.append(clock.now + bucket.reserve(until_ms=clock.now + patience))
        except NoBudgetLeftError:
            continue

    assert used == sorted(used)
    for first, begin in enumerate(used):
        for last in range(first, len(used)):
            seconds = Fraction(used[last] - begin, 1_000)
            assert last - first + 1 <= burst + Fraction(rate) * seconds
    assert all(count <= Fraction(rate) * at / 1_000 for count, at in enumerate(used, 1))


@given(
    rate=RATES,
    burst=st.integers(1, 5),
    steps=st.lists(st.integers(-5_000, 5_000), max_size=60),
)
def test_a_wild_clock_never_gives_more_than_the_time_that_it_ran_forward(
    rate: float, burst: int, steps: list[int]
) -> None:
    clock = Clock()
    bucket = TokenBucket(rate, clock=clock, burst=burst)
    taken = forward = 0
    for step in steps:
        clock.now += step
        forward += max(0, step)
        taken += drain(bucket, clock.now)

    assert taken <= Fraction(rate) * forward / 1_000
    longest = Fraction(1_000) / Fraction(rate) + 2
    assert bucket.reserve(until_ms=FAR) <= longest


@given(rate=RATES, instances=st.integers(1, 500), shards=st.integers(1, 500))
def test_all_shares_together_never_exceed_the_account(rate: float, instances: int, shards: int) -> None:
    callback, reconcile = share(rate, part=0.6, among=instances), share(rate, part=0.4, among=shards)

    assert instances * Fraction(callback) + shards * Fraction(reconcile) <= Fraction(rate)
    assert instances * callback == pytest.approx(0.6 * rate)
    assert shards * reconcile == pytest.approx(0.4 * rate)


@pytest.mark.parametrize("rate", [0, -1, float("inf"), float("nan")])
def test_a_rate_that_is_none_is_refused_by_name(rate: float) -> None:
    with pytest.raises(ValueError, match="per_second"):
        TokenBucket(rate, clock=Clock())
    with pytest.raises(ValueError, match="per_second"):
        share(rate, among=1)


def test_a_burst_of_nothing_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="burst"):
        TokenBucket(1, clock=Clock(), burst=0)


@pytest.mark.parametrize(
    ("part", "among", "named"),
    [(0, 1, "part"), (1.01, 1, "part"), (float("nan"), 1, "part"), (0.5, 0, "among")],
)
def test_a_share_of_nothing_is_refused_by_name(part: float, among: int, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        share(1, part=part, among=among)
