"""Look-up rows: the terms of a job, and the order of their entries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import lookups
from shared.errors import StoreUnavailableError
from shared.jobs import State
from shared.tables import LOOKUPS
from tests.faults import UNAVAILABLE, Faults, first
from tests.world import START, World, job_row, ref

KEY = ref("job-1").key
ROW = job_row(
    State.FAILED,
    suggestion="block",
    labels="porn,ad,porn",
    media_id="m-1",
    lost_callback=1,
    first_seen_at=START,
)


def found(world: World, term: str) -> list[str]:
    return [str(row["entry"]) for row in world.ledger.under(LOOKUPS, term, columns=(), limit=9).rows]


def test_a_job_stands_under_its_labels_verdict_media_and_what_went_wrong() -> None:
    names = ["label.porn", "label.ad", "verdict.block", "media.m-1", "state.failed", "callback.lost"]

    assert lookups.terms(ROW) == [f"{KEY[0]}.{name}" for name in names]
    assert lookups.terms(job_row(State.SUCCEEDED, lost_callback=2)) == []


@given(st.text(min_size=1, max_size=2_000), st.text(min_size=1, max_size=2_000))
def test_any_value_makes_a_key_of_its_own(value: str, other: str) -> None:
    term = lookups.term("3", "label", value)

    assert len(term.encode()) < 128
    assert (term == lookups.term("3", "label", other)) == (value == other)


moments = st.integers(0, 10**14 - 1)


@given(moments, moments)
def test_the_later_a_job_was_seen_the_earlier_its_entry_comes(one: int, other: int) -> None:
    assert lookups.place_of(lookups.entry(one, KEY)) == (one, KEY)
    assert (lookups.entry(one, KEY) < lookups.entry(other, KEY)) == (one > other)


def test_rows_are_put_once_and_stay() -> None:
    world = World(None)

    lookups.put(world.ledger, ROW)
    lookups.put(world.ledger, ROW.changed({"labels": "ad"}))

    entry = lookups.entry(START, KEY)
    assert [found(world, term) for term in lookups.terms(ROW)] == [[entry]] * 6


def test_only_terms_that_came_new_are_put() -> None:
    world = World(None)

    lookups.put(world.ledger, ROW, before=ROW.changed({"lost_callback": None}))

    assert found(world, f"{KEY[0]}.callback.lost") == [lookups.entry(START, KEY)]
    assert found(world, f"{KEY[0]}.label.ad") == []


def test_a_row_that_could_not_be_put_is_told() -> None:
    services = World(None).through(Faults(first("insert_many", UNAVAILABLE)))

    with pytest.raises(StoreUnavailableError, match="did not answer"):
        lookups.put(services.ledger, ROW)
