"""One attempt to deliver what is in an outbox: claim the entry, send the event, write down what came of it.

By the claim, one conditional write, the entry is due again only when the attempt must have ended: so two
instances do not both send it, and a crash shows up as one more attempt. What came of it is another
conditional write. Neither needs the lease of the job, and settling waits for neither.
"""

from __future__ import annotations

import logging
from typing import Literal

from shared import archive, attention
from shared.delivery.event import SettledVersion, event_id, make_event
from shared.delivery.outbox import Delivery, Undelivered, exchanged
from shared.delivery.targets import Dispatch, Target
from shared.documents.urls import without_query
from shared.errors import (
    ContendedError,
    MisconfiguredError,
    OutcomeUnknownError,
    TargetRefusedError,
    TargetUnavailableError,
    TemporaryError,
)
from shared.job_row import DUE_INPUTS, JobRow, read_job, with_hints
from shared.policy import HOUR, SECOND
from shared.ports import Services
from shared.tables import JOBS
from shared.toolkit import metrics
from shared.toolkit.masking import Masker

LOG = logging.getLogger(__name__)

Outcome = Literal["delivered", "put_off", "undelivered", "overtaken", "left", "error"]
"""What came of an entry. `overtaken`: another has it by now; `left`: no time for it; `error`: no store."""

RESERVE = 5 * SECOND
"""What is left of the invocation for writing down what came of an attempt."""

# An attempt may end late, and be written down late; instances' clocks differ.
_MARGIN = 15 * SECOND
_LONGEST_WISH = 1 * HOUR
_REASON_LENGTH = 300


def claim(services: Services, row: JobRow, entry: Delivery, limit: int) -> tuple[JobRow, Delivery] | None:
    """Begin an attempt that takes no longer than `limit`; None for a lost race.

    One that ends without a word is followed by a longer wait each time, like one that fails.
    """
    now = services.clock.now()
    begun = entry.begun(now, now + limit + _MARGIN + _wait(services, entry.attempts))
    try:
        claimed = _exchange(services, row, entry, begun)
    except OutcomeUnknownError:
        return None  # if it was written it is not due now, and comes again
    return None if claimed is None else (claimed, begun)


def make(services: Services, row: JobRow, entry: Delivery, target: Target | None) -> Exception | None:
    """Send an entry that is claimed, and give what went wrong."""
    metrics.count("delivery_attempts", target=entry.target)
    try:
        if target is None:
            raise TargetUnavailableError("no target of this name is set")
        dispatch = _dispatch(services, row, entry, target)
        deadline = min(services.clock.now() + target.timeout_ms, services.deadline - RESERVE)
        services.sender.send(target, dispatch, deadline=deadline)
    except Exception as error:  # a hook may raise anything
        return error
    return None


def _dispatch(services: Services, row: JobRow, entry: Delivery, target: Target) -> Dispatch:
    record_key = archive.version_key(row.ref, entry.digest)
    stored = services.objects.get(record_key)
    version = SettledVersion(
        row.ref, entry.version, entry.digest, entry.settled_at, record_key, entry.raw_keys
    )
    return Dispatch(
        make_event(version, stored, target, source=services.policy.delivery.source),
        event_id=event_id(row.key, entry.digest),
        delivery_id=entry.delivery_id(row.key),
        attempt=entry.attempts,
        job_key=row.key,
        version=entry.version,
    )


def conclude(
    services: Services, row: JobRow, entry: Delivery, error: Exception | None
) -> tuple[JobRow | None, Outcome]:
    """Write down what came of an attempt, unless somebody has begun another; give the row as it is then."""
    left = None if error is None else _after(services, entry, error)
    current: JobRow | None = row
    may_be_written = False
    for _ in range(services.policy.contention):
        if current is None or entry not in current.outbox:
            if not may_be_written:
                return current, "overtaken"
            return current, _tell(row.key, entry, left, error)
        try:
            after = _exchange(services, current, entry, left)
        except OutcomeUnknownError:
            after, may_be_written = None, True
        if after is not None:
            return after, _tell(row.key, entry, left, error)
        current = read_job(services.ledger, row.key)
    raise ContendedError("the outbox changed under every attempt to write it", job=row.key)


def _after(services: Services, entry: Delivery, error: Exception) -> Delivery | Undelivered:
    """Decide whether an entry is tried again after an attempt that failed, and when."""
    policy, now = services.policy, services.clock.now()
    # Masked first: a cut may leave half a secret that no rule knows.
    reason = Masker().text(without_query(f"{type(error).__name__}: {error}"))[:_REASON_LENGTH]
    wished = error.retry_after_ms if isinstance(error, TemporaryError) else None
    again = now + max(_wait(services, entry.attempts), min(wished or 0, _LONGEST_WISH))
    met = entry.met(now)
    end = met.since + policy.delivered_within
    if isinstance(error, TargetRefusedError) or now >= end:
        return met.given_up(reason)
    return met.put_off(min(again, end), reason)  # the last try is at the end of that time


def _wait(services: Services, attempts: int) -> int:
    """Give the wait after so many attempts, none after none."""
    waits = services.policy.delivery_retries
    stretch = 1 + services.random.random() * services.policy.jitter
    return int(waits[min(attempts, len(waits)) - 1] * stretch) if attempts else 0


def _exchange(
    services: Services, row: JobRow, old: Delivery, new: Delivery | Undelivered | None
) -> JobRow | None:
    """Exchange an entry in one conditional write; give the row as it is then, None for a lost race."""
    columns = exchanged(row.outbox, row.undelivered, old, new)
    change = with_hints(row.key, row.columns, {**columns, "updated_at": services.clock.now()})
    # The other times too: `due_at` was computed from them, as `attention` was from the rest.
    when = row.as_read("token", "outbox", *attention.UNLEASED_INPUTS, *DUE_INPUTS)
    return row.changed(change) if services.ledger.update(JOBS, (row.key,), change, when) else None


def _tell(key: str, entry: Delivery, left: Delivery | Undelivered | None, error: Exception | None) -> Outcome:
    told = {"job": key, "target": entry.target, "version": entry.version, "attempt": entry.attempts}
    if isinstance(error, MisconfiguredError):
        metrics.count("misconfigured", why="delivery", target=entry.target)
        LOG.critical("misconfigured: a target cannot be reached from here: %s", error, extra=told)
    if left is None:
        metrics.count("delivered", target=entry.target)
        LOG.info("delivered", extra=told)
        return "delivered"
    if isinstance(left, Delivery):
        LOG.warning("not delivered, to be tried again: %s", left.last, extra=told)
        return "put_off"
    metrics.count("undelivered", target=entry.target)
    LOG.error("undelivered: the target did not take it: %s", left.reason, extra=told)
    return "undelivered"
