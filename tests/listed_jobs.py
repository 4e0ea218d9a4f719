"""Ledgers with many jobs for lists, written as settling would have left them."""

from __future__ import annotations

from shared import lookups
from shared.job_row import JobRow, first_sight, with_hints
from shared.jobs import JobRef, State
from shared.ports import Change
from shared.tables import Value
from tests.world import KIND, World

UNDELIVERED = '[{"target":"desk","version":1,"digest":"d","since":1,"attempts":1,"reason":"gone"}]'


def put_job(
    world: World, number: int, state: State, *, at: int, kind: str = KIND, **columns: Value | None
) -> JobRow:
    """Put a job that was first seen at a time, with its look-up rows if it is settled."""
    key = JobRef(kind, f"job-{number}").key
    given: Change = {
        "state": state.value,
        "token": 1,
        **first_sight(key, at, "callback"),
        "updated_at": at,
        **columns,
    }
    made = with_hints(key, {}, given)
    row = JobRow.read(key, {name: value for name, value in made.items() if value is not None})
    world.put(row)
    if state.is_terminal:
        lookups.put(world.ledger, row)
    return row
