"""How the ledger stands right now, in numbers that a person takes in at a glance.

Everything is counted from indexes, no further than `MOST` entries of each: where there is more, it is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone
from functools import partial
from typing import Literal

from shared import attention
from shared.attention import Reason
from shared.due import BUCKETS
from shared.job_filter import Filter
from shared.jobs import State, kind_of
from shared.listings import list_jobs
from shared.merging import END_OF_TIME
from shared.policy import DAY
from shared.ports import Ledger, Services
from shared.tables import (
    EVIDENCE,
    EVIDENCE_DUE,
    JOBS,
    JOBS_ATTENTION,
    JOBS_BY_DAY,
    JOBS_DUE,
    Index,
    Row,
    Table,
)

Slack = Literal["overdue", "1 day", "3 days", "7 days", "more"]
"""How long evidence that is not kept can still be had: no longer, less than so long, or longer."""

MOST = 16_000
"""How many entries of one index are counted, a sixteenth of them in each of its parts."""

_LOST = 200
_SLACKS: tuple[tuple[Slack, int], ...] = (
    ("overdue", 0),
    ("1 day", DAY),
    ("3 days", 3 * DAY),
    ("7 days", 7 * DAY),
)


@dataclass(frozen=True)
class Count:
    """A number; with `at_least` there is more that was not counted."""

    number: int
    at_least: bool = False


@dataclass(frozen=True)
class Overview:
    """What was counted. Mappings have every name that they may have, also at 0, but for verdicts and kinds.

    `jobs` were first seen on `day`, today in UTC, and are told apart by state, verdict and kind; so were
    `lost_callbacks`. `due` is what the timer has not come to, since `oldest_due_at` at the longest.
    `attention` are jobs that need a person, each counted under every reason. `evidence` are pictures and
    files that are not kept yet. Where a total is `at_least`, so are its parts.
    """

    now: int
    day: date
    jobs: Count
    by_state: Mapping[str, int]
    by_verdict: Mapping[str, int]
    by_kind: Mapping[str, int]
    lost_callbacks: Count
    due: Count
    oldest_due_at: int | None
    attention: Count
    by_need: Mapping[Reason, int]
    evidence: Count
    by_slack: Mapping[Slack, int]


def overview(services: Services, *, now: int) -> Overview:
    """Count it all."""
    today = datetime.fromtimestamp(now / 1000, timezone.utc).date()
    ranges = (
        _Range(JOBS, JOBS_BY_DAY, [f"{bucket}.{today.isoformat()}" for bucket in BUCKETS]),
        _Range(JOBS, JOBS_DUE, BUCKETS, upto=now),
        _Range(JOBS, JOBS_ATTENTION, BUCKETS),
        _Range(EVIDENCE, EVIDENCE_DUE, BUCKETS),
    )
    jobs, due, needing, evidence = _read(services, ranges)
    lost = list_jobs(services, Filter(day=today, lost_callback=True), limit=_LOST)
    states = Counter(row.get("state") for row in jobs.rows)
    reasons = Counter(reason for row in needing.rows for reason in str(row.get("attention", "")).split(","))
    slacks = Counter(_slack(row, now) for row in evidence.rows)
    return Overview(
        now=now,
        day=today,
        jobs=jobs.count,
        by_state={state.value: states[state.value] for state in State},
        by_verdict=_sorted(Counter(str(row["suggestion"]) for row in jobs.rows if "suggestion" in row)),
        by_kind=_sorted(Counter(kind_of(str(row["job_key"])) for row in jobs.rows)),
        lost_callbacks=Count(len(lost.rows), at_least=lost.after is not None),
        due=due.count,
        oldest_due_at=min((at for row in due.rows if isinstance(at := row["due_at"], int)), default=None),
        attention=needing.count,
        by_need={reason: reasons[reason] for reason in attention.REASONS},
        evidence=evidence.count,
        by_slack={name: slacks[name] for name in (*(name for name, _ in _SLACKS), "more")},
    )


@dataclass(frozen=True)
class _Range:
    """Partitions of an index, up to a position."""

    table: Table
    index: Index
    partitions: Sequence[str]
    upto: int = END_OF_TIME


@dataclass(frozen=True)
class _Seen:
    """What was read of a range."""

    rows: Sequence[Row]
    has_more: bool

    @property
    def count(self) -> Count:
        return Count(len(self.rows), at_least=self.has_more)


def _read(services: Services, ranges: Sequence[_Range]) -> list[_Seen]:
    """Read all ranges beside each other."""
    tasks = [partial(_part, services.ledger, one, name) for one in ranges for name in one.partitions]
    parts = iter(services.parallel.run(tasks))
    seen = []
    for one in ranges:
        read = [next(parts).result() for _ in one.partitions]
        seen.append(_Seen([row for part in read for row in part.rows], any(part.has_more for part in read)))
    return seen


def _part(ledger: Ledger, wanted: _Range, partition: str) -> _Seen:
    rows: list[Row] = []
    most = MOST // len(wanted.partitions)
    after: Row | None = None
    while len(rows) < most:
        page = ledger.scan(
            wanted.table, wanted.index, partition, upto=wanted.upto, limit=most - len(rows), after=after
        )
        rows += page.rows
        after = page.after
        if after is None:
            break
    return _Seen(rows, after is not None)


def _slack(row: Row, now: int) -> Slack:
    expires_at = row.get("expires_at")
    left = (expires_at if isinstance(expires_at, int) else now) - now
    return next((name for name, end in _SLACKS if left <= end), "more")


def _sorted(counted: Counter[str]) -> dict[str, int]:
    return dict(counted.most_common())
