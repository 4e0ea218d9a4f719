"""Settle what is due: what a callback never came for, what had to wait, what a crash left behind."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field

from shared import effects, settlement
from shared.errors import CorruptRowError, MisconfiguredError
from shared.job_row import JobRow, read_job
from shared.ports import Services
from shared.tables import JOBS, JOBS_DUE, Row

LOG = logging.getLogger(__name__)

BUCKETS = "0123456789abcdef"


@dataclass
class Summary:
    """What one run did, by outcome; `more` when the limit or the deadline ended it."""

    outcomes: Counter[str] = field(default_factory=Counter)
    drained: int = 0
    more: bool = False
    stopped_products: set[str] = field(default_factory=set)
    """Products whose run a misconfiguration ended: no job is to blame, every further query fails alike."""


def settle_due(services: Services, limit: int) -> Summary:
    """Settle and drain at most `limit` jobs that are due by now, longest due first.

    What an index row says is a hint: each job's row is read, and the conditional claim decides.
    """
    summary = Summary()
    hints = due_hints(services, limit + 1)
    summary.more = len(hints) > limit
    for hint in hints[:limit]:
        if services.clock.now() >= services.deadline:
            summary.more = True
            break
        _handle(services, str(hint["job_key"]), summary)
    return summary


def due_hints(services: Services, limit: int) -> list[Row]:
    """List at most `limit` index rows of what is due, the longest due first."""
    now = services.clock.now()
    hints: list[Row] = []
    for bucket in BUCKETS:
        after, found = None, 0
        while found < limit:
            page = services.ledger.scan(JOBS, JOBS_DUE, bucket, upto=now, limit=limit - found, after=after)
            hints.extend(page.rows)
            found += len(page.rows)
            after = page.after
            if after is None:
                break
    hints.sort(key=lambda row: (row["due_at"], row["job_key"]))
    return hints[:limit]


def _handle(services: Services, key: str, summary: Summary) -> None:
    """Bring one job forward; whatever happens to it stops no other."""
    try:
        row = read_job(services.ledger, key)
        if row is None:
            return
        product = _product(services, row)
        if product not in summary.stopped_products:
            outcome = settlement.settle(services, row)
            if outcome is not None:
                summary.outcomes[outcome.did] += 1
                if isinstance(outcome.error, MisconfiguredError):
                    summary.stopped_products.add(product)
        summary.drained += effects.drain(services, key)
    except CorruptRowError as error:
        LOG.error("%s", error, extra={"job": key})
        summary.outcomes["corrupt"] += 1
    except Exception:
        LOG.exception("the run goes on without this job", extra={"job": key})
        summary.outcomes["error"] += 1


def _product(services: Services, row: JobRow) -> str:
    kind = services.kinds.get(row.ref.kind)
    return kind.product if kind else row.ref.kind
