"""Reading a row, and the pure rules of writing one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import CorruptRowError
from shared.job_row import (
    DUE_INPUTS,
    Effect,
    JobRow,
    StoredPart,
    effect_columns,
    parts_column,
    read_job,
    with_hints,
)
from shared.jobs import State
from shared.tables import JOBS, Row, Value
from tests.world import World, job_row, ref

KEY = ref("job-1").key
LATER, EVEN_LATER = Effect("record", "d1", 0, 20), Effect("record", "d2", 1, 30)

times = st.none() | st.integers(0, 100)


@pytest.mark.parametrize(
    ("lease", "query", "effects", "deliver", "due"),
    [
        (None, None, None, None, None),
        (None, 5, None, None, 5),
        (None, None, 7, None, 7),
        (None, None, None, 8, 8),
        (None, 5, 7, 6, 5),
        (None, 7, 5, 6, 5),
        (None, 7, 6, 5, 5),
        (9, None, None, None, 9),
        (9, 5, 7, 6, 9),
    ],
)
def test_due_is_the_end_of_the_lease_else_the_earliest_of_the_others(
    lease: int | None, query: int | None, effects: int | None, deliver: int | None, due: int | None
) -> None:
    change = with_hints(KEY, {}, dict(zip(DUE_INPUTS, (lease, query, effects, deliver), strict=True)))

    assert change["due_at"] == due
    assert change["due_bucket"] == (None if due is None else KEY[0])


@given(
    st.fixed_dictionaries(dict.fromkeys(DUE_INPUTS, times)),
    st.dictionaries(st.sampled_from(DUE_INPUTS), times),
)
def test_a_change_of_one_sees_the_others_as_they_were(
    before: dict[str, int | None], change: dict[str, int | None]
) -> None:
    row: Row = {name: at for name, at in before.items() if at is not None}

    assert with_hints(KEY, row, change)["due_at"] == with_hints(KEY, {}, {**before, **change})["due_at"]


def test_effects_are_a_set_in_order_and_tell_when_the_first_is_due() -> None:
    columns = effect_columns([EVEN_LATER, LATER, EVEN_LATER])
    row = job_row(State.SUCCEEDED).changed(columns)

    assert row.effects == (LATER, EVEN_LATER)
    assert row.number("effects_at") == 20


def test_no_effects_are_no_columns() -> None:
    row = job_row(State.SUCCEEDED).changed(effect_columns([LATER])).changed(effect_columns([]))

    assert not {"effects", "effects_at"} & set(row.columns)
    assert row.effects == ()


def test_raw_parts_are_read_back() -> None:
    parts = (StoredPart("answer", "json", "raw/k/j/a.json"), StoredPart("output", "txt", "raw/k/j/b.txt"))

    assert job_row(State.SUCCEEDED, raw_parts=parts_column(parts)).raw_parts == parts


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"state": "paused"},
        {"state": "running", "effects": "not json"},
        {"state": "running", "effects": "{}"},
        {"state": "running", "effects": "[1]"},
        {"state": "running", "effects": '[{"name": "record"}]'},
        {"state": "running", "raw_parts": '[{"name": "answer", "format": "doc", "key": "k"}]'},
        {"state": "running", "effects": '[{"name": "record", "digest": "d", "attempts": 0, "next_at": "5"}]'},
        {"state": "running", "claimed": "maybe"},
        {"state": "running", "checked_claim": "succeeded/"},
        {"state": "running", "effects": "[" * 200_000},
        {"state": "running", "token": None},
    ],
)
def test_a_row_that_this_version_cannot_read_names_its_job(columns: dict[str, Value | None]) -> None:
    given = {"token": 1, **columns}

    with pytest.raises(CorruptRowError, match=KEY):
        JobRow.read(KEY, {name: value for name, value in given.items() if value is not None})


def test_a_row_that_could_never_be_claimed_says_what_it_lacks() -> None:
    with pytest.raises(CorruptRowError, match="token"):
        JobRow.read(KEY, {"state": "running"})


def test_a_row_under_what_is_no_key_is_refused() -> None:
    with pytest.raises(CorruptRowError):
        JobRow.read("no key", {"state": "running", "token": 1})


def test_a_lease_ends_at_its_last_millisecond() -> None:
    row = job_row(State.RUNNING, lease_until=100, holder="h")

    assert row.is_leased(99)
    assert not row.is_leased(100)
    assert not job_row(State.RUNNING).is_leased(0)


def test_a_query_is_wanted_from_its_very_millisecond() -> None:
    row = job_row(State.RUNNING, query_at=100)

    assert not row.wants_query(99)
    assert row.wants_query(100)
    assert not job_row(State.SUCCEEDED).wants_query(100)


@pytest.mark.parametrize("column", ["holder", "query_at"])
@pytest.mark.parametrize("is_there", [True, False])
def test_as_read_holds_while_a_column_stays_and_no_longer(column: str, is_there: bool) -> None:
    value: Value = "h" if column == "holder" else 5
    other: Value = "x" if column == "holder" else 6
    world = World(None)
    row = job_row(State.RUNNING, **({column: value} if is_there else {}))
    world.put(row)
    when = row.as_read(column)

    assert world.ledger.update(JOBS, (KEY,), {"polls": 1}, when)
    for changed in (other, None if is_there else value):
        world.ledger.update(JOBS, (KEY,), {column: changed}, [])
        assert not world.ledger.update(JOBS, (KEY,), {"polls": 2}, when)


def test_a_changed_row_is_what_the_ledger_then_holds() -> None:
    world = World(None)
    row = job_row(State.RUNNING, query_at=5, polls=1)
    world.put(row)
    change: dict[str, Value | None] = {"query_at": None, "polls": 2, "state": "succeeded"}
    world.ledger.update(JOBS, (KEY,), change, [])

    assert row.changed(change) == read_job(world.ledger, KEY)
