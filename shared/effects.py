"""What must still happen after a commit: an outbox in the job's own row, drained until it is empty.

A commit adds effects and never drops one; a drain removes only the element it has done, on condition
that token and effects are as read. `records/` is such an effect: a hint that the row decides on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace

from shared import archive
from shared.errors import ContendedError
from shared.job_row import DUE_INPUTS, Effect, JobRow, effect_columns, read_job, with_due
from shared.ports import Services
from shared.tables import JOBS

LOG = logging.getLogger(__name__)


def drain(services: Services, key: str) -> int:
    """Do every due effect of a job; give how many were done."""
    done = lost = 0
    while lost < services.policy.contention:
        row = read_job(services.ledger, key)
        now = services.clock.now()
        due = [effect for effect in row.effects if effect.next_at <= now] if row else []
        if row is None or not due:
            return done
        ended = _attempt(services, row, due[0])
        done += ended is True
        lost += ended is None
    raise ContendedError("effects kept coming while they were drained", job=key)


def _attempt(services: Services, row: JobRow, effect: Effect) -> bool | None:
    """Do one effect and remove it, or put it off; tell whether it was done, None for a lost race."""
    perform = _PERFORM.get(effect.name)
    try:
        if perform is None:
            raise LookupError("this version does not know the effect")
        row = perform(services, row)
    except Exception as error:
        LOG.warning("effect put off: %s", error, extra={"job": row.key, "effect": effect.name})
        later = services.clock.now() + _wait(services, effect)
        put_off = replace(effect, attempts=effect.attempts + 1, next_at=later)
        return False if _replace(services, row, effect, put_off) else None
    return True if _replace(services, row, effect, None) else None


def _wait(services: Services, effect: Effect) -> int:
    waits = services.policy.retries
    return waits[min(effect.attempts, len(waits) - 1)]


def _replace(services: Services, row: JobRow, old: Effect, new: Effect | None) -> bool:
    """Exchange one element of the set. A lost race is fine: the caller reads again."""
    effects = (set(row.effects) - {old}) | ({new} if new else set())
    change = with_due(row.key, row.columns, {**effect_columns(effects), "updated_at": services.clock.now()})
    # `lease_until` and `query_at` too: `due_at` was computed from them.
    return services.ledger.update(JOBS, (row.key,), change, row.as_read("token", "effects", *DUE_INPUTS))


def _write_current_record(services: Services, row: JobRow) -> JobRow:
    """Put the current version under the job's own name; repeat when the row has moved meanwhile."""
    for _ in range(services.policy.contention):
        current = row.text("digest") or ""
        body = services.objects.get(archive.version_key(row.ref, current))
        services.objects.put(archive.current_key(row), body, content_type=archive.CONTENT_TYPES["json"])
        fresh = read_job(services.ledger, row.key)
        if fresh is None or fresh.text("digest") == current:
            return fresh or row
        row = fresh
    raise ContendedError("the record moved during every attempt to write it", job=row.key)


_PERFORM: Mapping[str, Callable[[Services, JobRow], JobRow]] = {"record": _write_current_record}
