"""What is due is read once, from both ends, and in an order that no failing end can spoil."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.due import DueJobs, Hint
from shared.ports import Page
from shared.tables import JOBS, Index, Row, Table
from tests.faults import Faults, FaultyLedger
from tests.memory_stores import MemoryLedger

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


def jobs(count: int, *, buckets: str = "0123456789abcdef") -> list[tuple[str, int]]:
    """Name jobs, the first of them due the longest."""
    return [(f"{buckets[n % len(buckets)]}.{n:06}", n) for n in range(count)]


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
    found, taken = DueJobs(CountedRows(*keys), now=25, page=3), []
    while hints := found.take(step):
        taken += hints
        found.charge_failure(hints[0])

    assert sorted(hint.key for hint in taken) == sorted(key for key, at in keys if at <= 25)


def test_the_two_ends_take_turns() -> None:
    hints = drain(DueJobs(CountedRows(*jobs(6)), now=NOW))

    assert [(hint.due_at, hint.end) for hint in hints[:4]] == [
        (0, "oldest"),
        (5, "newest"),
        (1, "oldest"),
        (4, "newest"),
    ]


@pytest.mark.parametrize("bad_end", ["oldest", "newest"])
def test_an_end_that_fails_gets_a_probing_share_and_the_other_the_rest(bad_end: str) -> None:
    found = DueJobs(CountedRows(*jobs(2_000)), now=NOW)
    taken = drain(found, lambda hint: hint.end != bad_end, most=800)
    bad = sum(hint.end == bad_end for hint in taken)

    assert 0.03 < bad / len(taken) < 0.1


def test_two_ends_that_fail_alike_are_served_alike() -> None:
    taken = drain(DueJobs(CountedRows(*jobs(2_000)), now=NOW), lambda hint: False, most=800)

    assert abs(sum(hint.end == "oldest" for hint in taken) - 400) <= 32


@pytest.mark.parametrize("count", [0, 1, 3, 48, 100])
def test_rows_are_read_once_but_where_the_ends_meet(count: int) -> None:
    ledger = CountedRows(*jobs(count))
    taken = drain(DueJobs(ledger, now=NOW, page=3))

    assert len(taken) == count
    assert ledger.rows_read <= count + 16 * 3


def test_what_fits_on_a_page_is_read_exactly_once() -> None:
    ledger = CountedRows(*jobs(1_000))
    found = DueJobs(ledger, now=NOW)

    assert found.are_at_least(1_000)
    assert not found.are_at_least(1_001)
    assert (len(drain(found)), ledger.rows_read) == (1_000, 1_000)


def test_counting_stops_where_it_is_sure() -> None:
    ledger = CountedRows(*jobs(1_000))

    assert DueJobs(ledger, now=NOW, page=3).are_at_least(10)
    assert ledger.rows_read <= 10 + 3


def test_a_shard_sees_its_own_buckets_alone() -> None:
    taken = drain(DueJobs(CountedRows(*jobs(64)), now=NOW, buckets="3b"))

    assert {hint.key[0] for hint in taken} == {"3", "b"}
    assert len(taken) == 8


def test_what_is_due_later_is_not_given() -> None:
    found = DueJobs(CountedRows(("0.now", NOW), ("0.later", NOW + 1)), now=NOW)

    assert found.oldest_due_at() == NOW
    assert [hint.key for hint in drain(found)] == ["0.now"]
    assert found.oldest_due_at() is None
