"""The ledger of a run: in memory, with indexes that lag, and every write of a job row judged at once."""

from __future__ import annotations

import heapq
import itertools
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from shared import runs
from shared.due import BUCKETS
from shared.errors import CorruptRowError
from shared.job_row import JobRow
from shared.ports import Change, Done, Page, When
from shared.tables import EVIDENCE, EVIDENCE_DUE, JOBS, LEASES, Index, Key, Row, Table
from tests.memory_stores import MemoryLedger
from tests.row_rules import Write, broken_rules
from tests.simulation.clocks import Clocks
from tests.simulation.hazards import Hazards
from tests.simulation.scheduler import Scheduler

_Place = tuple[str, str]
"""An index and a partition of it."""


@dataclass(frozen=True)
class TimedWrite(Write):
    """A write with when it happened; `at` is the latest that any clock has shown until then."""

    happened_at: int


class SimulatedLedger:
    """Rows in memory. An index of jobs follows its table late, but in order for each row."""

    BATCH_LIMIT = MemoryLedger.BATCH_LIMIT
    PAGE_LIMIT = MemoryLedger.PAGE_LIMIT

    def __init__(
        self, scheduler: Scheduler, clocks: Clocks, hazards: Hazards, drawn: random.Random, *, lag: int
    ) -> None:
        self._scheduler = scheduler
        self._clocks = clocks
        self._hazards = hazards
        self._random = drawn
        self._lag = lag
        self._inner = MemoryLedger()
        self._known: dict[str, JobRow] = {}
        self._numbers = itertools.count()
        self._coming: list[tuple[int, int, str, Row]] = []
        self._coming_at: dict[str, int] = {}
        self._indexed: dict[_Place, dict[str, Row]] = defaultdict(dict)
        self._places: dict[str, list[_Place]] = defaultdict(list)
        self.get, self.under = self._inner.get, self._inner.under
        self.writes: defaultdict[str, list[TimedWrite]] = defaultdict(list)
        self._claimed_by: dict[str, str | None] = {}
        self.broken: list[str] = []
        self.runs_ended: list[int] = []
        """When a run gave its lease back."""

    def insert(self, table: Table, key: Key, row: Row) -> bool:
        """See `Ledger.insert`."""
        inserted = self._inner.insert(table, key, row)
        if inserted and table == JOBS:
            self._wrote(key[0])
        return inserted

    def insert_many(self, table: Table, rows: Sequence[tuple[Key, Row]]) -> list[Done[bool]]:
        """See `Ledger.insert_many`."""
        return [Done(value=self.insert(table, key, row)) for key, row in rows]

    def update(self, table: Table, key: Key, change: Change, when: Sequence[When]) -> bool:
        """See `Ledger.update`."""
        updated = self._inner.update(table, key, change, when)
        if updated and table == JOBS:
            self._wrote(key[0])
        elif updated and (table, key) == (LEASES, (runs.NAME,)) and change.get("holder", "") is None:
            self.runs_ended.append(self._scheduler.now())
        return updated

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
        if table != JOBS:
            return self._inner.scan(
                table, index, partition, upto=upto, limit=limit, after=after, newest_first=newest_first
            )
        self._catch_up()
        position = index.columns[1]

        def place(row: Row) -> tuple[int, str]:
            return _number(row, position), str(row[table.key[0]])

        rows = [
            row for row in self._indexed[index.name, partition].values() if _number(row, position) <= upto
        ]
        rows.sort(key=place, reverse=newest_first)
        if after is not None:
            past = place(after)
            rows = [row for row in rows if (place(row) < past if newest_first else place(row) > past)]
        return Page(rows[:limit], rows[limit - 1] if len(rows) > limit else None)

    def rows(self) -> dict[str, JobRow]:
        """Give every job row that can be read, as it is."""
        return dict(self._known)

    def next_due(self) -> int | None:
        """Tell when the first row is due by what its table says, whether or not an index knows."""
        due = (row.number("due_at") for row in self._known.values())
        return min((at for at in due if at is not None), default=None)

    def next_evidence(self) -> int | None:
        """Tell when the first picture is tried."""
        pages = [
            self._inner.scan(EVIDENCE, EVIDENCE_DUE, bucket, upto=2**62, limit=1).rows for bucket in BUCKETS
        ]
        return min((_number(rows[0], "due_at") for rows in pages if rows), default=None)

    def _wrote(self, key: str) -> None:
        columns = self._inner.get(JOBS, (key,)) or {}
        self._index_later(key, columns)
        try:
            after = JobRow.read(key, columns)
        except CorruptRowError:
            return  # nobody's write: a run begins with one such row
        write = TimedWrite(self._clocks.latest, self._known.get(key), after, self._scheduler.now())
        self._known[key] = after
        self.writes[key].append(write)
        self.broken += [f"{key}: {text}" for text in broken_rules(write)]
        self._judge_who_wrote(write)
        self._hazards.note("row", f"{key} {after.state.value} token {after.count('token')}")

    def _judge_who_wrote(self, write: TimedWrite) -> None:
        """Hold that nobody ends the lease of another: what a row alone does not show."""
        key, who = write.after.key, self._hazards.caller
        if write.claims:
            self._claimed_by[key] = who
        elif write.ends_a_lease and who != self._claimed_by[key]:
            self.broken.append(f"{key}: {who} ended the lease of {self._claimed_by[key]}")

    def _index_later(self, key: str, columns: Row) -> None:
        lag = 0 if self._hazards.is_over or not self._lag else self._random.randrange(self._lag)
        at = max(self._scheduler.now() + lag, self._coming_at.get(key, 0))
        self._coming_at[key] = at
        heapq.heappush(self._coming, (at, next(self._numbers), key, columns))

    def _catch_up(self) -> None:
        while self._coming and self._coming[0][0] <= self._scheduler.now():
            _, _, key, columns = heapq.heappop(self._coming)
            for place in self._places.pop(key, []):
                self._indexed[place].pop(key, None)
            for index in JOBS.indexes:
                group = columns.get(index.columns[0])
                if isinstance(group, str) and index.columns[1] in columns:
                    names = (*index.columns, *index.covers)
                    row = {name: columns[name] for name in names if name in columns}
                    self._indexed[index.name, group][key] = {**row, JOBS.key[0]: key}
                    self._places[key].append((index.name, group))


def _number(row: Row, column: str) -> int:
    value = row[column]
    assert isinstance(value, int)
    return value
