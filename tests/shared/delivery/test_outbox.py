"""The outbox in the row: in order of versions for each target, and read back as it was written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.delivery.outbox import (
    Delivery,
    Undelivered,
    due,
    exchanged,
    heads,
    outbox_columns,
    read_outbox,
    read_undelivered,
    with_entries,
)
from shared.errors import CorruptRowError
from shared.job_row import JobRow
from shared.jobs import State
from tests.world import job_row

ENTRY = Delivery("next", 1, "d1", ("raw/a.json",), settled_at=5, since=5, next_at=5)
NEVER = Undelivered("next", 1, "d1", 5, 3, "away")

names = st.sampled_from(("a", "b", "c"))
times = st.integers(0, 50)
entries = st.builds(
    Delivery,
    names,
    st.integers(1, 5),
    st.text(max_size=4),
    st.tuples(st.text(max_size=4)),
    times,
    times,
    times,
    st.integers(0, 9),
    st.text(max_size=4),
)
outboxes = st.lists(entries, unique_by=lambda entry: (entry.target, entry.version), max_size=8)
never_taken = st.lists(
    st.builds(Undelivered, names, st.integers(1, 5), st.text(max_size=4), times, times, st.text(max_size=4)),
    unique_by=lambda one: (one.target, one.version),
    max_size=4,
)


def row_with(outbox: list[Delivery]) -> JobRow:
    """Give a row with this outbox."""
    return job_row(State.SUCCEEDED, **outbox_columns(outbox))


@given(outboxes)
def test_what_is_written_is_read_back(outbox: list[Delivery]) -> None:
    assert set(row_with(outbox).outbox) == set(outbox)


@given(outboxes, times)
def test_only_the_oldest_version_of_a_target_is_ever_due(outbox: list[Delivery], now: int) -> None:
    for entry in due(outbox, now):
        same_target = [other.version for other in outbox if other.target == entry.target]
        assert (entry.version, entry.next_at <= now) == (min(same_target), True)


@given(outboxes)
def test_a_row_is_due_when_something_of_it_can_be_sent(outbox: list[Delivery]) -> None:
    at = row_with(outbox).number("deliver_at")

    assert (at is None) == (not outbox)
    assert at is None or (due(outbox, at) and not due(outbox, at - 1))


@given(outboxes, never_taken, st.data())
def test_an_entry_is_exchanged_and_no_other(
    outbox: list[Delivery], undelivered: list[Undelivered], data: st.DataObject
) -> None:
    if not outbox:
        return
    old = data.draw(st.sampled_from(outbox))
    new = data.draw(st.sampled_from((None, old.begun(60, 70), old.put_off(80, "away"), old.given_up("no"))))
    columns = exchanged(outbox, undelivered, old, new)
    left = set(read_outbox(json.loads(str(columns["outbox"] or "[]"))))

    others = {entry for entry in outbox if entry != old}
    assert left == others | ({new} if isinstance(new, Delivery) else set())
    if not isinstance(new, Delivery):
        told = read_undelivered(json.loads(str(columns["undelivered"] or "[]")))
        assert {one for one in told if one.target != old.target} == {
            one for one in undelivered if one.target != old.target
        }
        assert (new in told) == (new is not None)


def test_whoever_takes_a_version_is_owed_no_older_one() -> None:
    taken = Delivery("next", 2, "d2", (), settled_at=6, since=6, next_at=6)
    other, newer = Undelivered("other", 1, "d1", 5, 3, "away"), Undelivered("next", 3, "d3", 5, 3, "away")
    columns = exchanged([taken], [NEVER, newer, other], taken, None)

    assert read_undelivered(json.loads(str(columns["undelivered"]))) == (newer, other)


def test_an_entry_of_the_same_version_and_target_is_replaced() -> None:
    again = Delivery("next", 1, "d1", (), settled_at=5, since=9, next_at=9)

    assert with_entries([ENTRY], [again]) == (again,)
    assert heads(with_entries([ENTRY], [again])) == (again,)


def test_each_attempt_has_the_same_delivery_id_and_a_redelivery_another() -> None:
    again = Delivery("next", 1, "d1", (), settled_at=5, since=9, next_at=9).begun(9, 10)
    first = ENTRY.begun(7, 8)
    attempts = (first, first.put_off(9, "away"), first.put_off(9, "away").begun(10, 11), first.begun(12, 13))
    ids = {entry.delivery_id("job") for entry in attempts}

    assert len(ids) == 1
    assert {again.delivery_id("job"), first.delivery_id("job-2")}.isdisjoint(ids)


def test_the_time_of_a_target_begins_when_somebody_first_comes_to_the_entry() -> None:
    met = ENTRY.met(7)

    assert met.since == 7
    assert met.put_off(8, "left alone").begun(9, 10).since == 7
    assert met.begun(7, 8).begun(9, 10).since == 7


def test_a_clock_that_was_ahead_gives_no_more_time() -> None:
    assert ENTRY.met(7).begun(7, 8).begun(3, 4).since == 3


@pytest.mark.parametrize("column", ["outbox", "undelivered"])
@pytest.mark.parametrize(
    "text", ["not json", "{}", "[1]", '[{"target": "next"}]', '[{"target": 1, "version": "1"}]']
)
def test_an_outbox_that_this_version_cannot_read_is_a_corrupt_row(column: str, text: str) -> None:
    with pytest.raises(CorruptRowError):
        job_row(State.SUCCEEDED).changed({column: text})
