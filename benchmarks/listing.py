"""What a page of a list costs, in a ledger of 10,000 jobs and in one of 1,000,000.

    python benchmarks/listing.py [--json]

Rows that are read are counted: of indexes, look-up rows and jobs alike. One job in twenty has the label, one
in twenty needs a person, and one in twenty is of the rare kind. The page is the second one, so that it begins
in the middle.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from statistics import median

if __package__ in (None, ""):  # run as a file: the repository's root is the root of its imports
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.harness import Figure, main
from shared import attention, lookups
from shared.job_filter import Filter
from shared.job_row import JobRow, first_sight
from shared.jobs import JobRef, State
from shared.listings import list_jobs
from shared.ports import Ledger, Page, Services
from shared.tables import Index, Key, Row, Table, Value
from tests.world import KIND, START, World

SIZES = (10_000, 1_000_000)
PAGE = 50
ROUNDS = 9
LISTS = {
    "a label": Filter(label="porn"),
    "those that need a person": Filter(needs="any"),
    "all jobs": Filter(),
    "a kind": Filter(kind="ice.production"),
}


class CountedLedger:
    """A ledger that counts the rows that it gives."""

    def __init__(self, inner: Ledger) -> None:
        self._inner = inner
        self.rows = 0
        self.BATCH_LIMIT, self.PAGE_LIMIT = inner.BATCH_LIMIT, inner.PAGE_LIMIT
        self.insert, self.insert_many, self.update = inner.insert, inner.insert_many, inner.update

    def get(self, table: Table, key: Key) -> Row | None:
        """See `Ledger.get`."""
        self.rows += 1
        return self._inner.get(table, key)

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
        page = self._inner.scan(
            table, index, partition, upto=upto, limit=limit, after=after, newest_first=newest_first
        )
        self.rows += len(page.rows)
        return page

    def under(
        self, table: Table, first: str, *, columns: Sequence[str], limit: int, after: Row | None = None
    ) -> Page:
        """See `Ledger.under`."""
        page = self._inner.under(table, first, columns=columns, limit=limit, after=after)
        self.rows += len(page.rows)
        return page


def job(number: int) -> JobRow:
    """Make the row of a settled job; a later number was seen later."""
    key = JobRef("ice.production" if number % 20 == 1 else KIND, f"job-{number}").key
    columns: dict[str, Value | None] = {
        "state": State.SUCCEEDED.value,
        "token": 1,
        **first_sight(key, START + 500 * number, "callback"),
        "suggestion": "pass",
        "labels": "porn" if number % 20 == 2 else None,
        "drifts": 1 if number % 20 == 3 else None,
        "updated_at": START + number,
    }
    change = {**columns, **attention.columns(key, {}, columns)}
    return JobRow.read(key, {name: value for name, value in change.items() if value is not None})


def fill(file: Path, size: int) -> None:
    """Put so many jobs into a ledger's file, with their look-up rows."""
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("PRAGMA synchronous = OFF")
        for row in map(job, range(size)):
            _put(database, "jobs", {"job_key": row.key, **row.columns})
            entry = lookups.entry(row.count("first_seen_at"), row.key)
            for term in lookups.terms(row):
                _put(database, "lookups", {"term": term, "entry": entry})


def _put(database: sqlite3.Connection, table: str, row: Row) -> None:
    columns = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join("?" * len(row))
    database.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", tuple(row.values()))


def page(services: Services, wanted: Filter) -> tuple[int, float]:
    """Read the second page; give the rows that were read for it, and the seconds of the median round."""
    first = list_jobs(services, wanted, limit=PAGE)
    assert len(first.rows) == PAGE
    counted = CountedLedger(services.ledger)
    counting = replace(services, ledger=counted)
    took = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        found = list_jobs(counting, wanted, limit=PAGE, after=first.after)
        took.append(time.perf_counter() - begun)
        assert len(found.rows) == PAGE
    return counted.rows // ROUNDS, median(took)


def measure() -> Iterator[Figure]:
    """Compare each list in both ledgers."""
    read: dict[tuple[str, int], tuple[int, float]] = {}
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            world = World(Path(folder))
            fill(Path(folder, "ledger.sqlite"), size)
            for name, wanted in LISTS.items():
                read[name, size] = page(world.services, wanted)
            world.close()
    small, large = SIZES
    for name in LISTS:
        rows, seconds = read[name, large]
        few_rows, _ = read[name, small]
        yield Figure(f"rows read for {PAGE} of {name}, of {large:,} jobs", rows, "rows")
        yield Figure(f"  against {small:,} jobs", rows / few_rows, "x", 1.2)
        yield Figure("  time of the page", seconds * 1_000, "ms")


if __name__ == "__main__":
    raise SystemExit(main("Read pages of lists in ledgers of two sizes.", measure))
