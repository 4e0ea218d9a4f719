"""A mark says that somebody wants a job looked at: a notification, or a person.

A mark is never lost: it is counted in `wanted` by a conditional write, and whoever holds the lease
sees at commit that the count has moved. A mark on a settled job that agrees with it costs no query.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared import lost_callbacks
from shared.errors import ContendedError, OutcomeUnknownError
from shared.inbound.notifications.notification import Claim
from shared.job_row import JobRow, first_sight, read_job, with_due
from shared.jobs import JobRef, State
from shared.leasing import Lease, claim_columns, claim_when, insert, new_holder, write
from shared.ports import Services, When
from shared.tables import Row, Value


@dataclass(frozen=True)
class Mark:
    """Who wants the job looked at, and what it was told about it.

    `by` is a transport or a person's tool. `claim` is only a terminal claim: others say nothing that
    could differ from a record.
    """

    ref: JobRef
    by: str
    is_notification: bool
    claim: Claim | None = None
    region: str | None = None
    user_id: str | None = None


# A mark is news of the job: the grace period and every schedule of waits begin again.
AFRESH: Mapping[str, None] = dict.fromkeys(("polls", "failures", "not_found_since", "incomplete_since"))


@dataclass(frozen=True)
class Plan:
    """The one conditional write that a mark comes to."""

    change: dict[str, Value | None]
    when: list[When]
    claims: bool


def mark(services: Services, wish: Mark) -> Lease | None:
    """Mark a job and claim it, both in one write; None when there is nothing to settle right now.

    Raise `ContendedError` when others kept winning the row.
    """
    for _ in range(services.policy.contention):
        row, holder = read_job(services.ledger, wish.ref.key), new_holder(services)
        now = services.clock.now()
        if row is None:
            lease = _first_sight(services, wish, holder, now)
            if lease is not None:
                return lease
            continue
        plan = plan_mark(row, wish, holder=holder, now=now, lease=services.policy.lease)
        try:
            written = write(services.ledger, row.key, plan.change, plan.when)
        except OutcomeUnknownError:
            # The mark comes again, and would find its verdict written, with nothing left to tell.
            if lost_callbacks.stands_in(read_job(services.ledger, row.key), plan.change):
                lost_callbacks.tell(row, plan.change)
            raise
        if written:
            lost_callbacks.tell(row, plan.change)
            token = row.count("token") + 1
            return Lease(row.changed(plan.change), holder, token) if plan.claims else None
    raise ContendedError("the row changed under every attempt to mark it", job=wish.ref.key)


def contradicts(row: JobRow, claimed: Claim | None) -> bool:
    """Tell whether a terminal claim differs from a settled row and was not checked before."""
    if claimed is None or claimed.text == row.text("checked_claim"):
        return False
    return not claimed.agrees(row.state.value, row.text("suggestion"))


def plan_mark(row: JobRow, wish: Mark, *, holder: str, now: int, lease: int) -> Plan:
    """Decide what a mark does to a known job."""
    change: dict[str, Value | None] = {"wanted": row.count("wanted") + 1, "updated_at": now}
    if wish.is_notification:
        change["notified"] = row.count("notified") + 1
        change |= lost_callbacks.when_notified(row)
    # What the decision rests on must still hold when it is written.
    when = row.as_read("wanted", "state", "digest", "checked_claim", *lost_callbacks.RESTS_ON)
    if row.state is State.QUARANTINED or (row.state.is_terminal and not contradicts(row, wish.claim)):
        return Plan(change, when, claims=False)
    if wish.claim is not None:
        change["claimed"] = wish.claim.text
    for name, value in (("region", wish.region), ("user_id", wish.user_id)):
        # A notification only fills a gap; a person corrects.
        if value is not None and (row.text(name) is None or not wish.is_notification):
            change[name] = value
    if row.state is State.UNKNOWN:
        change |= {"state": State.TRACKED.value, "reason": None}
    change |= {"query_at": now, **AFRESH}
    if row.is_leased(now):
        # Of what is due when, only the lease: it is due when that ends, whatever else waits.
        when += row.as_read("token", "lease_until")
        return Plan(with_due(row.key, row.columns, change), when, claims=False)
    change |= claim_columns(row, holder, now=now, lease=lease)
    return Plan(with_due(row.key, row.columns, change), when + claim_when(row, now), claims=True)


def first_row(wish: Mark, holder: str, *, now: int, lease: int) -> Row:
    """Write a job's first row: marked and claimed at once."""
    key = wish.ref.key
    columns: dict[str, Value | None] = {
        "state": State.TRACKED.value,
        "token": 1,
        "holder": holder,
        "lease_until": now + lease,
        "query_at": now,
        "wanted": 1,
        "notified": int(wish.is_notification),
        "claimed": wish.claim.text if wish.claim else None,
        **first_sight(key, now, wish.by),
        "region": wish.region,
        "user_id": wish.user_id,
        "updated_at": now,
    }
    return {n: v for n, v in with_due(key, {}, columns).items() if v is not None}


def _first_sight(services: Services, wish: Mark, holder: str, now: int) -> Lease | None:
    key = wish.ref.key
    columns = first_row(wish, holder, now=now, lease=services.policy.lease)
    inserted = insert(services.ledger, key, columns)
    return Lease(JobRow.read(key, columns), holder, 1) if inserted else None
