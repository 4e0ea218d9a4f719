"""A world whose jobs were seen on given days, and reports of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from shared.completeness.report import Source
from shared.completeness.survey import Window
from shared.job_row import JobRow, with_hints
from shared.jobs import JobRef, State
from tests.world import START, World, ref

DAY = "2025-11-20"  # of START
WINDOW = Window(date(2025, 11, 20), date(2025, 11, 20))


def seen(job: str | JobRef, state: State = State.SUCCEEDED, *, day: str = DAY, **columns: Any) -> JobRow:
    """Make the row of a job as first seen on a day."""
    key = (job if isinstance(job, JobRef) else ref(job)).key
    given = {
        "state": state.value,
        "token": 1,
        "wanted": 1,
        "seen_day": f"{key[0]}.{day}",
        "first_seen_at": START,
        "first_seen_by": "mns-topic",
        "updated_at": START,
        **({"query_at": START} if state in (State.TRACKED, State.RUNNING) else {}),
    }
    return JobRow.read(key, {"state": state.value, "token": 1}).changed(
        with_hints(key, {}, {**given, **columns})
    )


def found(source: Source) -> dict[str, tuple[str, ...]]:
    """Give what differed between a source and the ledger, by name."""
    return {finding.name: finding.examples for finding in source.findings}


@pytest.fixture
def world() -> Iterator[World]:
    """Give an empty world in memory."""
    world = World(None)
    yield world
    world.close()
