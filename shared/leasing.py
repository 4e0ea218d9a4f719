"""The right to settle a job now: the leases of `shared.toolkit.leases` on the rows of the ledger.

What is added here is what a job row needs: `due_at` follows every change, and marks and effects that
came in under a lease are seen by whoever ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from shared.job_row import JobRow, with_hints
from shared.ports import Change, Ledger, Services, When
from shared.tables import JOBS, Row, Table, Value
from shared.toolkit import leases

T = TypeVar("T")


@dataclass(frozen=True)
class LedgerRows:
    """A table of the ledger, with a key of one column, as a store of leases."""

    ledger: Ledger
    table: Table

    def get(self, key: str) -> Row | None:
        """See `LeaseStore.get`."""
        return self.ledger.get(self.table, (key,))

    def insert(self, key: str, row: Row) -> bool:
        """See `LeaseStore.insert`."""
        return self.ledger.insert(self.table, (key,), row)

    def update(self, key: str, change: Change, when: Sequence[When]) -> bool:
        """See `LeaseStore.update`."""
        return self.ledger.update(self.table, (key,), change, when)


@dataclass(frozen=True)
class Lease:
    """A held claim, and the job's row as it was right after it."""

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
    """Write a claim that lasts `lease` milliseconds from now."""
    return leases.claim_columns(row.columns, holder, until=now + lease)


def claim_when(row: JobRow, now: int) -> list[When]:
    """Give the conditions of a claim on the row as it was read."""
    return leases.claim_when(row.columns, _lapsed_by(row, now))


def _lapsed_by(row: JobRow, now: int) -> int:
    """Give until when a lease must have ended: one that nobody can have counts as ended, if it is as read."""
    return now if row.is_leased(now) else max(now, row.count("lease_until"))


def claim(services: Services, row: JobRow) -> Lease | None:
    """Claim a job without marking it; None when somebody else won."""
    now = services.clock.now()
    claimed = leases.claim(
        LedgerRows(services.ledger, JOBS),
        row.key,
        row.columns,
        holder=new_holder(services),
        now=_lapsed_by(row, now),
        until=now + services.policy.lease,
        change={"updated_at": now},
        complete=lambda columns, change: with_hints(row.key, columns, change),
    )
    return (
        None if claimed is None else Lease(JobRow.read(row.key, claimed.row), claimed.holder, claimed.token)
    )


def prolong(services: Services, lease: Lease, *, until: int) -> bool:
    """Have a held lease end later; False when it was lost."""
    held = leases.Lease(lease.row.key, lease.holder, lease.token, lease.row.columns)
    renewed = leases.renew(
        LedgerRows(services.ledger, JOBS),
        held,
        until=max(until, lease.until),
        complete=lambda columns, change: with_hints(lease.row.key, columns, change),
    )
    return renewed is not None


def write(ledger: Ledger, key: str, change: Change, when: Sequence[When]) -> bool:
    """Write a job's row conditionally, and recognise an own claim after an ambiguous timeout."""
    return leases.write(LedgerRows(ledger, JOBS), key, change, when)


def insert(ledger: Ledger, key: str, row: Row) -> bool:
    """Put a job's first row, which is claimed, and recognise it after an ambiguous timeout."""
    return leases.insert(LedgerRows(ledger, JOBS), key, row)


def finish(
    services: Services, lease: Lease, decide: Callable[[JobRow], tuple[Change, T]]
) -> tuple[JobRow, T] | None:
    """End a lease with what `decide` makes of the row; None when the lease was lost before.

    Give the row as it is then, beside what `decide` said.

    `decide` is pure and is asked again with the row as it is when marks, drains or deliveries came in
    between: the condition holds `wanted`, `effects` and `outbox` as read, so that none is ever overwritten,
    `media_id` and `drift_seen`. What else `attention` follows from is written with one of these, or under a
    lease.
    """
    key = lease.row.key

    def read(columns: Row) -> JobRow:
        return lease.row if columns is lease.row.columns else JobRow.read(key, columns)

    ended = leases.finish(
        LedgerRows(services.ledger, JOBS),
        leases.Lease(key, lease.holder, lease.token, lease.row.columns),
        lambda columns: decide(read(columns)),
        watching=lambda columns: read(columns).as_read(
            "wanted", "effects", "outbox", "media_id", "drift_seen"
        ),
        complete=lambda columns, change: with_hints(
            key, columns, {**change, "updated_at": services.clock.now()}
        ),
        attempts=services.policy.contention,
    )
    return None if ended is None else (JobRow.read(key, ended[0]), ended[1])
