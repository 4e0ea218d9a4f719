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
from shared.job_row import JobRow, first_sight, read_job, with_hints
from shared.jobs import JobRef, State
from shared.leasing import Lease, claim_columns, claim_when, insert, new_holder, write
from shared.ports import Services, When
from shared.tables import JOBS, Row, Value
from shared.toolkit.message import UNSIGNED


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

    @property
    def is_vouched(self) -> bool:
        """Tell whether whoever wants this may be believed."""
        return self.by != UNSIGNED


# A mark is news of the job: the grace period and every schedule of waits begin again.
AFRESH: Mapping[str, None] = dict.fromkeys(("polls", "failures", "not_found_since", "incomplete_since"))


@dataclass(frozen=True)
class Plan:
    """The one conditional write that a mark comes to; `is_open` if there is something to settle right now."""

    change: dict[str, Value | None]
    when: list[When]
    is_open: bool


def mark(services: Services, wish: Mark) -> Lease | None:
    """Mark a job and claim it, both in one write; None when there is nothing to settle right now.

    Raise `ContendedError` when others kept winning the row.
    """
    row = _mark(services, wish, claims=True)
    return None if row is None else Lease(row, str(row.columns["holder"]), row.count("token"))


def mark_for_others(services: Services, wish: Mark) -> bool:
    """Mark a job that somebody else is to settle; tell whether there is anything to settle right now.

    Raise what `mark` raises, and `OutcomeUnknownError`: what is not claimed cannot be recognised.
    """
    return _mark(services, wish, claims=False) is not None


def _mark(services: Services, wish: Mark, *, claims: bool) -> JobRow | None:
    """Mark a job, and give its row as it is then; None when there is nothing to settle right now."""
    for _ in range(services.policy.contention):
        row = read_job(services.ledger, wish.ref.key)
        holder = new_holder(services) if claims else None
        now = services.clock.now()
        if row is None:
            columns = first_row(wish, holder, now=now, lease=services.policy.lease)
            if _put(services, wish.ref.key, columns):
                return JobRow.read(wish.ref.key, columns)
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
            return row.changed(plan.change) if plan.is_open else None
    raise ContendedError("the row changed under every attempt to mark it", job=wish.ref.key)


def contradicts(row: JobRow, claimed: Claim | None) -> bool:
    """Tell whether a terminal claim differs from a settled row and was not checked before."""
    if claimed is None or claimed.text == row.text("checked_claim"):
        return False
    return not claimed.agrees(row.state.value, row.text("suggestion"))


def plan_mark(row: JobRow, wish: Mark, *, holder: str | None, now: int, lease: int) -> Plan:
    """Decide what a mark does to a known job; without a holder it is not claimed."""
    change: dict[str, Value | None] = {"wanted": row.count("wanted") + 1, "updated_at": now}
    if wish.is_notification:
        change["notified"] = row.count("notified") + 1
        change |= lost_callbacks.when_notified(row)
    if row.is_hearsay and wish.is_vouched:
        change["vouched_by"] = wish.by
    # What the decision rests on must still hold when it is written.
    when = row.as_read("wanted", "state", "digest", "checked_claim", *lost_callbacks.RESTS_ON)
    if row.state is State.QUARANTINED or (row.state.is_terminal and not contradicts(row, wish.claim)):
        return Plan(change, when, is_open=False)
    if wish.claim is not None:
        change["claimed"] = wish.claim.text
    for name, value in (("region", wish.region), ("user_id", wish.user_id)):
        if value is not None and _may_say(wish, row, name):
            change[name] = value
    if row.state is State.UNKNOWN:
        change |= {"state": State.TRACKED.value, "reason": None}
    change |= {"query_at": now, **AFRESH}
    if row.is_leased(now):
        # Of what is due when, only the lease: it is due when that ends, whatever else waits.
        when += row.as_read("token", "lease_until")
        return Plan(with_hints(row.key, row.columns, change), when, is_open=False)
    if holder is None:
        if row.count("lease_until") > now:
            change["lease_until"] = now  # nobody can have it that long, and the row would be due when it ends
        when += row.as_read("token", "lease_until", "effects_at", "deliver_at")
        return Plan(with_hints(row.key, row.columns, change), when, is_open=True)
    change |= claim_columns(row, holder, now=now, lease=lease)
    return Plan(with_hints(row.key, row.columns, change), when + claim_when(row, now), is_open=True)


def _may_say(wish: Mark, row: JobRow, name: str) -> bool:
    """Tell whether a mark decides where a job that others named before is asked about.

    A notification only fills a gap, and a person corrects. What nobody signed does neither: the job would
    not be found there, and be given up.
    """
    is_to_be_said = row.text(name) is None or row.is_hearsay or not wish.is_notification
    return wish.is_vouched and is_to_be_said


def first_row(wish: Mark, holder: str | None, *, now: int, lease: int) -> Row:
    """Write a job's first row: marked and claimed at once, or without a holder only marked."""
    key = wish.ref.key
    claim: dict[str, Value | None] = {"token": 0}  # a claim needs one to be there
    if holder is not None:
        claim = {"token": 1, "holder": holder, "lease_until": now + lease}
    columns: dict[str, Value | None] = {
        "state": State.TRACKED.value,
        **claim,
        "query_at": now,
        "wanted": 1,
        "notified": int(wish.is_notification),
        "claimed": wish.claim.text if wish.claim else None,
        **first_sight(key, now, wish.by),
        "region": wish.region,
        "user_id": wish.user_id,
        "updated_at": now,
    }
    return {n: v for n, v in with_hints(key, {}, columns).items() if v is not None}


def _put(services: Services, key: str, columns: Row) -> bool:
    if "holder" in columns:
        return insert(services.ledger, key, columns)
    return services.ledger.insert(JOBS, (key,), columns)
