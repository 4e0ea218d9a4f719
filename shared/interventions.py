"""What only a person does to a job: release it, have it tried again now, or take note of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from shared import attention
from shared.delivery.outbox import outbox_columns
from shared.errors import ContendedError
from shared.job_row import DUE_INPUTS, JobRow, effect_columns, read_job, with_hints
from shared.jobs import JobRef, State
from shared.marks import AFRESH
from shared.ports import Change, Services
from shared.tables import JOBS

LOG = logging.getLogger(__name__)

Intervened = Literal["done", "no such job", "not quarantined", "quarantined", "nothing to see"]


def release(services: Services, ref: JobRef, *, by: str) -> Intervened:
    """Let a quarantined job be tracked and asked about again; `by` is for the log.

    Raise `ContendedError` when others kept winning the row.
    """
    return _intervene(services, ref, _released, by=by)


def retry(services: Services, ref: JobRef, *, by: str) -> Intervened:
    """Have a job asked about now, whatever its state, and try at once what has failed and all deliveries.

    An `unknown` job is tracked again; a settled one is checked, and gets a new version if the answer, or
    a file beside it that could not be read before, makes one. `by` is for the log. Raise `ContendedError`
    when others kept winning the row.
    """
    return _intervene(services, ref, _retried, by=by)


def acknowledge(services: Services, ref: JobRef, *, by: str) -> Intervened:
    """Say that a person has seen what differs from a job's record: what differs later is news again.

    `by` is for the log. Raise `ContendedError` when others kept winning the row.
    """
    for _ in range(services.policy.contention):
        row = read_job(services.ledger, ref.key)
        if row is None:
            return "no such job"
        if "drift" not in attention.reasons(row.columns):
            return "nothing to see"
        seen: Change = {"drift_seen": row.count("drifts"), "updated_at": services.clock.now()}
        # When it is due stays as it is, so that nothing of that need be as read.
        change = {**seen, **attention.columns(row.key, row.columns, seen)}
        if services.ledger.update(JOBS, (row.key,), change, row.as_read(*attention.INPUTS)):
            LOG.info("a person has seen what differs", extra={"job": row.key, "by": by})
            return "done"
    raise ContendedError("the row changed under every attempt to acknowledge it", job=ref.key)


def _intervene(
    services: Services, ref: JobRef, decide: Callable[[JobRow, int], Change | Intervened], *, by: str
) -> Intervened:
    for _ in range(services.policy.contention):
        row, now = read_job(services.ledger, ref.key), services.clock.now()
        if row is None:
            return "no such job"
        decided = decide(row, now)
        if isinstance(decided, str):
            return decided
        mark = {"wanted": row.count("wanted") + 1, "query_at": now, "updated_at": now, **AFRESH}
        change = with_hints(row.key, row.columns, {**mark, **decided})
        when = row.as_read("token", "state", "wanted", "effects", "outbox", *DUE_INPUTS)
        if services.ledger.update(JOBS, (row.key,), change, when):
            LOG.warning("a person intervened", extra={"job": row.key, "by": by, "was": row.state.value})
            return "done"
    raise ContendedError("the row changed under every attempt to intervene", job=ref.key)


def _released(row: JobRow, now: int) -> Change | Intervened:
    if row.state is not State.QUARANTINED:
        return "not quarantined"
    return {"state": State.TRACKED.value, "crashes": None, "reason": None}


def _retried(row: JobRow, now: int) -> Change | Intervened:
    if row.state is State.QUARANTINED:
        return "quarantined"
    # One that never failed waits for a reason of its own.
    effects = [replace(one, next_at=now) if one.attempts else one for one in row.effects]
    outbox = [replace(delivery, next_at=now) for delivery in row.outbox]
    reopened: Change = {"state": State.TRACKED.value} if row.state is State.UNKNOWN else {}
    return {**reopened, "reason": None, **effect_columns(effects), **outbox_columns(outbox)}
