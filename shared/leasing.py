"""The right to settle a job now: claim, commit, release, and the one fence between holders.

Claim = the row exists, token and holder are the ones that were read, and the lease is missing or past;
it writes token + 1, holder and the lease's end. Commit and release = the row exists, token and holder
are mine; missing ones do not pass. Who lost the lease changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from shared.errors import ContendedError, OutcomeUnknownError
from shared.job_row import JobRow, read_job, with_due
from shared.ports import Change, Ledger, Services, When
from shared.tables import JOBS, Value

T = TypeVar("T")


@dataclass(frozen=True)
class Lease:
    """A held claim, and the row as it was right after it."""

    row: JobRow
    holder: str
    token: int

    @property
    def until(self) -> int:
        """Tell when the lease lapses."""
        return self.row.count("lease_until")


def new_holder(services: Services) -> str:
    """Make a name that nobody else has, to recognise an own write after a timeout."""
    return f"{services.random.getrandbits(64):016x}"


def claim_columns(row: JobRow, holder: str, *, now: int, lease: int) -> dict[str, Value | None]:
    """Write a claim. A holder that is still there let its lease lapse: it crashed."""
    crashed = row.text("holder") is not None
    return {
        "token": row.count("token") + 1,
        "holder": holder,
        "lease_until": now + lease,
        **({"crashes": row.count("crashes") + 1} if crashed else {}),
    }


def claim_when(row: JobRow, now: int) -> list[When]:
    """Give the conditions of a claim; the lease is the one fence where missing passes.

    Ending a lease leaves the token as it is. So the holder as read tells whether one that had lapsed
    was ended after all: then the row that was read is of the past, and nothing may rest on it.
    """
    return [
        When("token", "==", row.count("token")),
        *row.as_read("holder"),
        When("lease_until", "<=", now, missing_passes=True),
    ]


def claim(services: Services, row: JobRow) -> Lease | None:
    """Claim a job without marking it; None when somebody else won."""
    now, holder = services.clock.now(), new_holder(services)
    columns = claim_columns(row, holder, now=now, lease=services.policy.lease)
    change = with_due(row.key, row.columns, {**columns, "updated_at": now})
    if not write(services.ledger, row.key, change, claim_when(row, now)):
        return None
    return Lease(row.changed(change), holder, row.count("token") + 1)


def write(ledger: Ledger, key: str, change: Change, when: list[When]) -> bool:
    """Write conditionally; after an ambiguous timeout, recognise the own claim by its holder."""
    try:
        return ledger.update(JOBS, (key,), change, when)
    except OutcomeUnknownError:
        row, holder = read_job(ledger, key), change.get("holder")
        if holder is None or row is None:
            raise
        return row.text("holder") == holder and row.number("token") == change.get("token")


def finish(
    services: Services, lease: Lease, decide: Callable[[JobRow], tuple[Change, T]]
) -> tuple[JobRow, T] | None:
    """End a lease with what `decide` makes of the row; None when the lease was lost before.

    Give the row as it is then, beside what `decide` said.

    `decide` is pure and is asked again with the row as it is when marks or drains came in between:
    the condition holds `wanted` and `effects` as read, so that neither is ever overwritten.
    """
    row = lease.row
    for _ in range(services.policy.contention):
        change, value = decide(row)
        ended: Change = {
            **change,
            "holder": None,
            "lease_until": None,
            "crashes": None,
            "updated_at": services.clock.now(),
        }
        # The holder too: after an ambiguous timeout, an end that did happen does not happen twice.
        mine = [When("token", "==", lease.token), When("holder", "==", lease.holder)]
        when = [*mine, *row.as_read("wanted", "effects")]
        complete = with_due(row.key, row.columns, ended)
        if _end(services.ledger, row, lease, complete, when):
            return row.changed(complete), value
        fresh = read_job(services.ledger, row.key)
        if fresh is None or not _holds(fresh, lease):
            return None
        row = fresh
    raise ContendedError("the row changed under every attempt to end its lease", job=row.key)


def _end(ledger: Ledger, row: JobRow, lease: Lease, change: Change, when: list[When]) -> bool:
    try:
        return ledger.update(JOBS, (row.key,), change, when)
    except OutcomeUnknownError:
        # Nobody but the holder ends a lease without a new token: gone with my token means that I did.
        fresh = read_job(ledger, row.key)
        return fresh is not None and fresh.number("token") == lease.token and fresh.text("holder") is None


def _holds(row: JobRow, lease: Lease) -> bool:
    return row.number("token") == lease.token and row.text("holder") == lease.holder
