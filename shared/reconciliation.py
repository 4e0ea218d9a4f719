"""Settle what is due: what a callback never came for, what had to wait, what a crash left behind."""

from __future__ import annotations

import heapq
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared import effects, settlement
from shared.asking import RESERVE
from shared.errors import CorruptRowError, VendorRefusedError
from shared.job_row import JobRow, read_job
from shared.ports import Services
from shared.tables import JOBS, JOBS_DUE, Row

LOG = logging.getLogger(__name__)

BUCKETS = "0123456789abcdef"
_PAGE = 100


@dataclass
class Summary:
    """What one run did, by outcome; `more` when the limit or the deadline ended it."""

    outcomes: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    """What settled jobs had to do without, such as `output unlocated`."""
    drained: int = 0
    more: bool = False
    stopped_products: set[str] = field(default_factory=set)
    """Products whose run a refusal ended: no job is to blame, and every further query would fail alike."""


def settle_due(services: Services, limit: int) -> Summary:
    """Settle and drain at most `limit` jobs that are due by now, longest due first.

    What an index row says is a hint: each job's row is read, and the conditional claim decides. Rows
    that nothing can be done about now do not count, so that they starve no other.
    """
    summary, worked = Summary(), 0
    last = services.deadline - RESERVE
    for hint in due_hints(services):
        if worked >= limit or services.clock.now() >= last:
            summary.more = True
            break
        worked += _handle(services, str(hint["job_key"]), summary)
    return summary


def due_hints(services: Services) -> Iterator[Row]:
    """Give the index rows of what is due by now, the longest due first, as far as they are asked for."""
    now = services.clock.now()
    buckets = [_due_in(services, bucket, now) for bucket in BUCKETS]
    return heapq.merge(*buckets, key=lambda row: (row["due_at"], row["job_key"]))


def _due_in(services: Services, bucket: str, now: int) -> Iterator[Row]:
    after: Row | None = None
    while True:
        page = services.ledger.scan(JOBS, JOBS_DUE, bucket, upto=now, limit=_PAGE, after=after)
        yield from page.rows
        after = page.after
        if after is None:
            return


def _handle(services: Services, key: str, summary: Summary) -> bool:
    """Bring one job forward and tell whether there was anything to do; what happens to it stops no other."""
    try:
        row = read_job(services.ledger, key)
        if row is None:
            return False
        did = _settle(services, row, summary)
        drained = effects.drain(services, key)
        summary.drained += drained
        return did or drained > 0
    except CorruptRowError as error:
        LOG.error("%s", error, extra={"job": key})
        summary.outcomes["corrupt"] += 1
        return False
    except Exception:
        LOG.exception("the run goes on without this job", extra={"job": key})
        summary.outcomes["error"] += 1
        return True


def _settle(services: Services, row: JobRow, summary: Summary) -> bool:
    product = _product(services, row)
    outcome = None if product in summary.stopped_products else settlement.settle(services, row)
    if outcome is None:
        return False
    summary.outcomes[outcome.did] += 1
    summary.notes.update(filter(None, (outcome.notes or "").split(", ")))
    if isinstance(outcome.error, VendorRefusedError):
        summary.stopped_products.add(product)
    return True


def _product(services: Services, row: JobRow) -> str:
    kind = services.kinds.get(row.ref.kind)
    return kind.product if kind else row.ref.kind
