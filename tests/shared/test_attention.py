"""Whether a job needs a person, as its row says it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import attention
from shared.jobs import State
from shared.ports import Change
from shared.tables import Row, Value
from tests.listed_jobs import UNDELIVERED
from tests.world import ref

KEY = ref("job-1").key

changes = st.fixed_dictionaries(
    {"updated_at": st.integers(1, 9)},
    optional={
        "state": st.sampled_from([state.value for state in State]),
        "undelivered": st.sampled_from([None, UNDELIVERED]),
        "drifts": st.none() | st.integers(1, 3),
        "drift_seen": st.none() | st.integers(1, 3),
        "at_risk": st.none() | st.integers(1, 3),
        "polls": st.integers(0, 3),
    },
)


def applied(row: Row, change: Change) -> Row:
    merged = {**row, **change, **attention.columns(KEY, row, change)}
    return {name: value for name, value in merged.items() if value is not None}


@pytest.mark.parametrize(
    ("columns", "reasons"),
    [
        ({"state": "running"}, ()),
        ({"state": "succeeded", "drifts": 5, "drift_seen": 5, "at_risk": 0}, ()),
        ({"state": "quarantined"}, ("quarantined",)),
        ({"state": "unknown"}, ("unknown",)),
        ({"state": "failed", "drifts": 5}, ("drift",)),
        ({"state": "failed", "drifts": 5, "drift_seen": 4}, ("drift",)),
        (
            {"state": "succeeded", "at_risk": 2, "drifts": 5, "undelivered": UNDELIVERED},
            ("undelivered", "drift", "evidence"),
        ),
    ],
)
def test_a_row_says_why_its_job_needs_a_person(columns: dict[str, Value], reasons: tuple[str, ...]) -> None:
    assert attention.reasons(columns) == reasons


@given(st.lists(changes, min_size=1, max_size=8))
def test_after_any_changes_the_index_holds_what_the_row_says(history: list[Change]) -> None:
    row: Row = {}
    for change in history:
        row = applied(row, change)

    told = ",".join(attention.reasons(row))
    assert row.get("attention", "") == told
    assert ("attention_at" in row, row.get("attention_bucket")) == (bool(told), KEY[0] if told else None)


@given(st.lists(changes, min_size=1, max_size=8))
def test_a_job_needs_a_person_since_the_reasons_last_changed(history: list[Change]) -> None:
    row: Row = {}
    for change in history:
        before, row = row, applied(row, change)

        if "attention" in row:
            is_same = before.get("attention") == row["attention"]
            assert row["attention_at"] == (before["attention_at"] if is_same else change["updated_at"])
