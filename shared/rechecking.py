"""Have settled jobs asked about once more, long after: does the vendor still say what it said?

Nobody is asked here. A job is made due; whoever settles what is due asks within the budget of calls, and
holds the answer against the record (`drift`).
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

from shared.due import BUCKETS
from shared.errors import CorruptRowError, ParseError
from shared.job_row import DUE_INPUTS, JobRow, read_job, with_hints
from shared.jobs import State
from shared.policy import DAY
from shared.ports import Services
from shared.tables import JOBS, JOBS_BY_DAY
from shared.toolkit import metrics

LOG = logging.getLogger(__name__)

MOST_JOBS = 1_000
MOST_DAYS = 3_660

_TERMINAL = frozenset(state.value for state in State if state.is_terminal)
# Open jobs may stand between a moment and the last job that was settled before it.
_LOOKED_AT = 20


@dataclass(frozen=True)
class Sample:
    """So many jobs, of those that were first seen on so many last days."""

    jobs: int
    days: int

    @classmethod
    def read(cls, tree: Any) -> Sample:
        """Read `{"jobs": 20, "days": 7}`; raise `ParseError` naming the field."""
        if not isinstance(tree, dict) or tree.keys() != {"jobs", "days"}:
            raise ParseError("not an object of `jobs` and `days`", layer="recheck")
        for name, most in (("jobs", MOST_JOBS), ("days", MOST_DAYS)):
            if type(tree[name]) is not int or not 1 <= tree[name] <= most:
                raise ParseError(f"not a whole number from 1 to {most}", layer="recheck", field=name)
        return cls(tree["jobs"], tree["days"])


def make_due(services: Services, row: JobRow) -> bool:
    """Have a settled job asked about now; tell whether it will be.

    False when it is not settled, when somebody is asking, and when another wrote the row meanwhile.
    """
    now = services.clock.now()
    if not row.state.is_terminal or row.is_leased(now):
        return False
    change = with_hints(row.key, row.columns, {"query_at": now, "updated_at": now})
    return services.ledger.update(JOBS, (row.key,), change, row.as_read("state", "token", *DUE_INPUTS))


def make_sample_due(services: Services, sample: Sample) -> list[str]:
    """Have a random sample of settled jobs asked about now, and give their keys.

    Sixteenths of days are drawn, then a moment of each, and the last job that was settled before it is taken:
    so it costs a few reads a job, however many there are. A job of a quiet day is as likely as all of a busy
    one together.
    """
    chosen: list[str] = []
    partitions = _shuffled(services, sample.days)
    while partitions and len(chosen) < sample.jobs and services.clock.now() < services.deadline:
        partition = partitions.popleft()
        key = _drawn(services, partition)
        if key is not None and key not in chosen and _make_due(services, key):
            chosen.append(key)
            partitions.append(partition)  # there may be others, after those of all other partitions
    metrics.count("rechecked_jobs", len(chosen))
    return chosen


def _shuffled(services: Services, days: int) -> deque[str]:
    today = datetime.fromtimestamp(services.clock.now() / 1000, timezone.utc).date()
    names = [
        f"{bucket}.{(today - timedelta(days=back)).isoformat()}" for back in range(days) for bucket in BUCKETS
    ]
    services.random.shuffle(names)
    return deque(names)


def _drawn(services: Services, partition: str) -> str | None:
    """Give the last settled job before a moment of the partition's day; without any, the day's first."""
    day = datetime.fromisoformat(f"{partition.partition('.')[2]}T00:00:00+00:00")
    moment = int(day.timestamp() * 1000) + int(services.random.random() * DAY)
    scan = partial(services.ledger.scan, JOBS, JOBS_BY_DAY, partition, limit=_LOOKED_AT)
    for page in (scan(upto=moment, newest_first=True), scan(upto=moment + DAY)):
        for hint in page.rows:
            if hint.get("state") in _TERMINAL:
                return str(hint["job_key"])
    return None


def _make_due(services: Services, key: str) -> bool:
    try:
        row = read_job(services.ledger, key)
    except CorruptRowError as error:
        LOG.warning("%s", error)
        return False
    return row is not None and make_due(services, row)
