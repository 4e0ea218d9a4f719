"""What is due is read once, from both ends, and in an order that no failing end and no product can spoil."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.clocks import ManualClock
from shared.due import DueJobs, Hint
from shared.jobs import JobRef
from shared.ports import Page
from shared.tables import JOBS, Index, Row, Table
from tests.faults import Faults, FaultyLedger
from tests.memory_stores import MemoryLedger
from tests.world import World

NOW = 1_000_000


class CountedRows(FaultyLedger):
    """A ledger that counts the index rows it gives."""

    def __init__(self, *places: tuple[str, int]) -> None:
        ledger = MemoryLedger()
        for key, at in places:
            ledger.insert(JOBS, (key,), {"due_bucket": key[0], "due_at": at})
        super().__init__(ledger, Faults(lambda call: None))
        self.rows_read = 0

    def scan(
        self,
        table: Table,
        index: Index,
        partition: str,
        *,
        upto: int,
        limit: int,
        after: Row | None = None,
        newest_first: bool = False,
    ) -> Page:
        """See `Ledger.scan`."""
        page = super().scan(
            table, index, partition, upto=upto, limit=limit, after=after, newest_first=newest_first
        )
        self.rows_read += len(page.rows)
        return page


def due(ledger: CountedRows, *, now: int = NOW, **options: Any) -> DueJobs:
    """Ask a ledger what is due."""
    return DueJobs(replace(World(None).services, ledger=ledger, clock=ManualClock(now)), **options)


def jobs(count: int, *, buckets: str = "0123456789abcdef") -> list[tuple[str, int]]:
    """Name jobs of no product, the first of them due the longest."""
    return [(f"{buckets[n % len(buckets)]}.{n:06}", n) for n in range(count)]


def backlog(kind: str, count: int, *, since: int = 0) -> list[tuple[str, int]]:
    """Name jobs of a kind, the first of them due since then."""
    return [(JobRef(kind, f"job-{n}").key, since + n) for n in range(count)]


def drain(
    found: DueJobs, judge: Callable[[Hint], bool] = lambda hint: True, *, most: int = 10**6
) -> list[Hint]:
    """Take all that is due, and charge for what does not go well."""
    taken: list[Hint] = []
    while len(taken) < most and (hints := found.take(32)):
        taken += hints
        for hint in hints:
            if not judge(hint):
                found.charge_failure(hint)
    return taken


@given(
    places=st.sets(st.tuples(st.sampled_from("01"), st.integers(0, 30)), max_size=40), step=st.integers(1, 7)
)
def test_every_due_job_is_given_once_wherever_the_ends_meet(places: set[tuple[str, int]], step: int) -> None:
    keys = [(f"{bucket}.{at}", at) for bucket, at in places]
    found, taken = due(CountedRows(*keys), now=25, page=3), []
    while hints := found.take(step):
        taken += hints
        found.charge_failure(hints[0])

    assert sorted(hint.key for hint in taken) == sorted(key for key, at in keys if at <= 25)


def test_the_two_ends_take_turns() -> None:
    hints = drain(due(CountedRows(*jobs(6))))

    assert [(hint.due_at, hint.end) for hint in hints[:4]] == [
        (0, "oldest"),
        (5, "newest"),
        (1, "oldest"),
        (4, "newest"),
    ]


@pytest.mark.parametrize("bad_end", ["oldest", "newest"])
def test_an_end_that_fails_gets_a_probing_share_and_the_other_the_rest(bad_end: str) -> None:
    found = due(CountedRows(*jobs(2_000)))
    taken = drain(found, lambda hint: hint.end != bad_end, most=800)
    bad = sum(hint.end == bad_end for hint in taken)

    assert 0.03 < bad / len(taken) < 0.1


def test_two_ends_that_fail_alike_are_served_alike() -> None:
    taken = drain(due(CountedRows(*jobs(2_000))), lambda hint: False, most=800)

    assert abs(sum(hint.end == "oldest" for hint in taken) - 400) <= 32


@pytest.mark.parametrize("count", [0, 1, 3, 48, 100])
def test_rows_are_read_once_but_where_the_ends_meet(count: int) -> None:
    ledger = CountedRows(*jobs(count))
    taken = drain(due(ledger, page=3))

    assert len(taken) == count
    assert ledger.rows_read <= count + 16 * 3


def test_what_fits_on_a_page_is_read_exactly_once() -> None:
    ledger = CountedRows(*jobs(1_000))
    found = due(ledger)

    assert found.are_at_least(1_000)
    assert not found.are_at_least(1_001)
    assert (len(drain(found)), ledger.rows_read) == (1_000, 1_000)


def test_counting_stops_where_it_is_sure() -> None:
    ledger = CountedRows(*jobs(1_000))

    assert due(ledger, page=3).are_at_least(10)
    assert ledger.rows_read == 16 * 3  # a page of every bucket: the longest due must be among them


def test_a_shard_sees_its_own_buckets_alone() -> None:
    taken = drain(due(CountedRows(*jobs(64)), buckets="3b"))

    assert {hint.key[0] for hint in taken} == {"3", "b"}
    assert len(taken) == 8


def test_what_is_due_later_is_not_given() -> None:
    found = due(CountedRows(("0.now", NOW), ("0.later", NOW + 1)))

    assert found.oldest_due_at() == NOW
    assert [hint.key for hint in drain(found)] == ["0.now"]
    assert found.oldest_due_at() is None


VOD, MTS, ICE = "vod.media_audit", "mts.production", "ice.production"


def test_a_backlog_delays_no_job_of_another_product_wherever_it_stands() -> None:
    behind = backlog(MTS, 100, since=1_500)
    ledger = CountedRows(*backlog(VOD, 1_500), *behind, *backlog(VOD, 3_000, since=1_600)[1_500:])
    first = drain(due(ledger), most=8 * 32)

    assert {key for key, _ in behind} <= {hint.key for hint in first}


def test_products_take_turns_by_the_calls_that_the_account_may_make() -> None:
    ledger = CountedRows(*backlog(VOD, 400), *backlog(MTS, 400), *backlog(ICE, 400))
    found = due(ledger)

    for _ in range(10):  # 15, 50 and 15 a second, in every stretch
        assert Counter(hint.product for hint in found.take(16)) == {"vod": 3, "mts": 10, "ice": 3}


def test_who_takes_jobs_one_by_one_serves_the_products_alike() -> None:
    found = due(CountedRows(*backlog(VOD, 40), *backlog(ICE, 40)))
    taken = [found.take(1)[0].product for _ in range(20)]

    assert {frozenset(pair) for pair in zip(taken[::2], taken[1::2], strict=True)} == {
        frozenset({"vod", "ice"})
    }


@pytest.mark.parametrize("stranger", ["new.kind", "not a key"])
def test_a_product_without_a_rate_has_the_lowest_of_them(stranger: str) -> None:
    strange = [(f"0.{n}", n) for n in range(40)] if stranger == "not a key" else backlog(stranger, 40)
    taken = due(CountedRows(*strange, *backlog(VOD, 40))).take(40)

    assert sum(hint.product == "vod" for hint in taken) == 20


def test_what_fails_of_one_product_is_charged_to_no_other() -> None:
    found = due(CountedRows(*backlog(VOD, 2_000), *backlog(ICE, 2_000)))
    taken = drain(found, lambda hint: (hint.product, hint.end) != ("vod", "oldest"), most=800)
    served = Counter((hint.product, hint.end) for hint in taken)

    assert served["vod", "oldest"] < 0.1 * 400
    assert served["vod", "oldest"] + served["vod", "newest"] == 400
    assert served["ice", "oldest"] == served["ice", "newest"] == 200


def test_no_more_is_read_ahead_than_is_bounded_and_in_the_end_all_is_given() -> None:
    ledger = CountedRows(*jobs(1_000))
    found = due(ledger, page=3, ahead=100)
    known = [ledger.rows_read - given for given in range(32, 1_000, 32) if found.take(32)]

    assert max(known) <= 100 + 16 * 3
    assert len(drain(found)) == 1_000 - 32 * len(known)


def test_a_bad_end_of_more_than_is_read_ahead_gets_no_more_than_its_probing_share() -> None:
    found = due(CountedRows(*jobs(2_000)), page=3, ahead=100)
    taken = drain(found, lambda hint: hint.due_at >= 1_000, most=800)

    assert sum(hint.due_at < 1_000 for hint in taken) < 0.1 * len(taken)


@given(
    places=st.sets(st.tuples(st.sampled_from([VOD, MTS, ICE]), st.integers(0, 60)), max_size=60),
    step=st.integers(1, 7),
)
def test_nobody_with_something_due_is_passed_over_for_long(places: set[tuple[str, int]], step: int) -> None:
    ledger = CountedRows(*[(JobRef(kind, f"job-{at}").key, at) for kind, at in places])
    products = [hint.product for hint in _steps(due(ledger, page=3, ahead=1_000), step)]

    for product in set(products):
        turns = [turn for turn, other in enumerate(products) if other == product]
        # All rates over the least of them are 6 turns; twice that, while others run out of jobs.
        assert all(after - before <= 12 for before, after in zip([-1, *turns], turns, strict=False))


def _steps(found: DueJobs, step: int) -> list[Hint]:
    taken: list[Hint] = []
    while hints := found.take(step):
        taken += hints
    return taken
