"""Tell targets once more of a job's present version: because they never took it, or because they lost it."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass

from shared import archive
from shared.delivery.outbox import Delivery, outbox_columns, with_entries
from shared.errors import ContendedError, PermanentError
from shared.job_row import DUE_INPUTS, JobRow, read_job, with_hints
from shared.jobs import JobRef
from shared.ports import Services
from shared.record import read_record
from shared.tables import JOBS

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Redelivery:
    """Who is told once more; nobody, for the reason that is given."""

    targets: tuple[str, ...] = ()
    reason: str | None = None


def redeliver(
    services: Services,
    ref: JobRef,
    *,
    by: str,
    targets: Collection[str] | None = None,
    only_undelivered: bool = False,
) -> Redelivery:
    """Put a job's present version into its outbox again, under a new delivery id; the event stays the same.

    It is for every target whose rules match and every one that never took a version; with
    `only_undelivered` for the latter alone, and with `targets` for no other than these. Whoever takes it is
    owed no older version. `by` is for the log. Raise `PermanentError` for a target that is not set, and
    `ContendedError` when others kept winning the row.
    """
    for name in sorted(targets or ()):
        if services.policy.delivery.target(name) is None:
            raise PermanentError("no target of this name is set", target=name)
    for _ in range(services.policy.contention):
        row, now = read_job(services.ledger, ref.key), services.clock.now()
        if row is None:
            return Redelivery(reason="no such job")
        decided = decide(services, row, targets=targets, only_undelivered=only_undelivered)
        if not decided.targets:
            return decided
        outbox = with_entries(row.outbox, [_again(row, name, now) for name in decided.targets])
        change = with_hints(row.key, row.columns, {**outbox_columns(outbox), "updated_at": now})
        when = row.as_read("token", "digest", "outbox", "undelivered", *DUE_INPUTS)
        if services.ledger.update(JOBS, (row.key,), change, when):
            LOG.warning(
                "a person redelivers", extra={"job": row.key, "by": by, "targets": ",".join(decided.targets)}
            )
            return decided
    raise ContendedError("the row changed under every attempt to redeliver it", job=ref.key)


def decide(
    services: Services, row: JobRow, *, targets: Collection[str] | None = None, only_undelivered: bool = False
) -> Redelivery:
    """Say who is to be told once more of a job, as `redeliver` does; nothing is written."""
    if not row.state.is_terminal:
        return Redelivery(reason=f"not settled: {row.state.value}")
    plan = services.policy.delivery
    names = {one.target for one in row.undelivered if plan.target(one.target) is not None}
    if not only_undelivered:
        key = archive.version_key(row.ref, row.text("digest") or "")
        names |= set(plan.targets_for(read_record(services.objects.get(key))))
    chosen = tuple(sorted(names if targets is None else names & set(targets)))
    return Redelivery(chosen, None if chosen else "no target is to be told of it")


def _again(row: JobRow, target: str, now: int) -> Delivery:
    settled_at = row.number("version_at") or row.count("settled_at")
    raw_keys = tuple(part.key for part in row.raw_parts)
    digest = row.text("digest") or ""
    return Delivery(target, row.count("version"), digest, raw_keys, settled_at, since=now, next_at=now)
