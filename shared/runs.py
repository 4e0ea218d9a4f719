"""One run at a time, alone or fanned out: what the timer of `functions/reconcile` starts.

Timers overlap, and a run may use all of its part of the account's calls; so each holds the run lease until
it has ended, and the lease lapses when the platform must have ended the run. Of more jobs than one
instance gets through, each shard takes some of the buckets, as an asynchronous invocation of the same
function. Shards end by the deadline of the run that began them, and the lease is held until then. Each of
them is worked on once, however often it is executed.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

from shared import reconciliation
from shared.due import BUCKETS, DueJobs
from shared.errors import FunctionError, MisconfiguredError, OutcomeUnknownError, ParseError
from shared.leasing import LedgerRows, new_holder
from shared.policy import HOUR, SECOND
from shared.ports import Services
from shared.run_summary import Summary
from shared.tables import LEASES
from shared.toolkit import leases, metrics
from shared.toolkit.leases import Lease

LOG = logging.getLogger(__name__)

NAME = "reconcile"
"""The run lease, and the function that works on shards."""

# Who holds the lease for longer has a clock that is, or was, ahead.
_LONGEST_RUN = 1 * HOUR
# Instances' clocks differ, and a call that was begun in time may come late.
_AFTER_THE_DEADLINE = 5 * SECOND


@dataclass(frozen=True)
class Shard:
    """A part of a run: the buckets of one shard `of` so many, until the run's deadline."""

    run: str
    number: int
    of: int
    until: int

    @classmethod
    def read(cls, tree: dict[str, Any]) -> Shard:
        """Read what `payload` wrote; raise `ParseError` naming the field."""
        numbers = {name: tree.get(name) for name in ("number", "of", "until")}
        for name, value in numbers.items():
            if type(value) is not int:
                raise ParseError("not a whole number", layer="shard", field=name)
        if not isinstance(tree.get("run"), str):
            raise ParseError("not text", layer="shard", field="run")
        shard = cls(tree["run"], tree["number"], tree["of"], tree["until"])
        if not 0 <= shard.number < shard.of <= len(BUCKETS):
            raise ParseError(f"not a shard of at most {len(BUCKETS)}", layer="shard", field="number")
        return shard

    @property
    def payload(self) -> bytes:
        """Write the event that starts it."""
        shard = {"run": self.run, "number": self.number, "of": self.of, "until": self.until}
        return json.dumps({"shard": shard}).encode()

    @property
    def task_id(self) -> str:
        """Name it, so that it is never accepted twice, and that its lease is no other's."""
        return f"reconcile-{self.run}-{self.number}-of-{self.of}"

    @property
    def buckets(self) -> str:
        """Give its buckets."""
        return BUCKETS[self.number :: self.of]


@dataclass(frozen=True)
class Report:
    """What came of a run: its summary; or the shards that it was divided into, or why there was none."""

    summary: Summary = field(default_factory=Summary)
    reason: str | None = None
    shards: int = 0
    """How many were begun."""
    left: tuple[Shard, ...] = ()
    """Shards that could not be begun, or of which nobody knows: for `work_on`, here."""

    def answer(self) -> dict[str, object]:
        """Give the function's answer."""
        if self.reason is not None:
            return {"reason": self.reason}
        return {"shards": self.shards} if self.shards or self.left else self.summary.report()


def run(services: Services, *, limit: int | None = None) -> Report:
    """Settle what is due, at most `limit` jobs, unless another run does so; write nothing if nothing is."""
    due = DueJobs(services)
    _tell_backlog(services, due)
    if due.oldest_due_at() is None:
        return Report()
    held = _claim(services)
    if isinstance(held, str):
        LOG.info("%s", held)
        return Report(reason=held)
    fan_out_at = services.policy.fan_out_at
    try:
        if limit is None and fan_out_at is not None and due.are_at_least(fan_out_at):
            fanned_out = _fan_out(services, held)
            if fanned_out is not None:
                # The lease is left to lapse: it is theirs until each of them must have ended.
                return fanned_out
        report = Report(reconciliation.settle_due(services, due, limit=limit))
    except Exception:
        _release(services, held)
        raise
    _release(services, held)
    return report


def work_on(services: Services, shard: Shard) -> Report:
    """Settle what is due in the buckets of a shard, once, while its run holds the lease."""
    reason = _why_not(services, shard)
    if reason is not None:
        LOG.warning("%s", reason, extra={"shard": shard.task_id})
        return Report(reason=reason)
    in_time = replace(services, deadline=min(services.deadline, shard.until))
    due = DueJobs(services, buckets=shard.buckets)
    return Report(reconciliation.settle_due(in_time, due))


def _why_not(services: Services, shard: Shard) -> str | None:
    """Claim a shard, or tell why it is not to be worked on."""
    store, now = LedgerRows(services.ledger, LEASES), services.clock.now()
    if (store.get(NAME) or {}).get("holder") != shard.run or now >= shard.until:
        return "the run of this shard is over"
    # Never given back: a second execution would use the same part of the calls once more.
    name, holder = shard.task_id, new_holder(services)
    claimed = leases.claim(store, name, None, holder=holder, now=now, until=shard.until)
    return None if claimed else "this shard is or was worked on by another execution"


def _claim(services: Services) -> Lease | str:
    """Take the run lease, or tell who has it."""
    store, now = LedgerRows(services.ledger, LEASES), services.clock.now()
    row = store.get(NAME)
    held_until = leases.number(row or {}, "lease_until")
    if not now < held_until <= now + _LONGEST_RUN:
        until = services.deadline + _AFTER_THE_DEADLINE
        lapsed_by = max(now, held_until)
        lease = leases.claim(store, NAME, row, holder=new_holder(services), now=lapsed_by, until=until)
        if lease is not None:
            return lease
        held_until = leases.number(store.get(NAME) or {}, "lease_until")
    lapses_at = datetime.fromtimestamp(held_until / 1000, timezone.utc)
    return f"another run holds the lease until {lapses_at.isoformat(timespec='seconds')}"


def _release(services: Services, lease: Lease) -> None:
    try:
        leases.finish(LedgerRows(services.ledger, LEASES), lease, lambda row: ({}, None))
    except FunctionError as error:
        LOG.warning("the run lease is left to lapse: %s", error)


def _fan_out(services: Services, lease: Lease) -> Report | None:
    """Begin every shard; None when surely none was, so that the run is left to its own invocation.

    Raise nothing: once a shard may have begun, the lease must not be given back.
    """
    begun, may_have_begun = 0, False
    left: list[Shard] = []
    for number in range(services.policy.shards):
        shard = Shard(lease.holder, number, services.policy.shards, services.deadline)
        try:
            services.invoker.invoke(NAME, shard.payload, task_id=shard.task_id)
            begun += 1
        except Exception as error:
            left.append(shard)
            may_have_begun |= isinstance(error, OutcomeUnknownError) or not isinstance(error, FunctionError)
            _tell_failure(shard, error)
    metrics.count("shards", begun)
    return Report(shards=begun, left=tuple(left)) if begun or may_have_begun else None


def _tell_failure(shard: Shard, error: Exception) -> None:
    if isinstance(error, MisconfiguredError):
        metrics.count("misconfigured", why="shards")
        LOG.critical("misconfigured: a shard cannot be begun: %s", error, extra={"shard": shard.task_id})
    else:
        LOG.error("a shard could not be begun", exc_info=error, extra={"shard": shard.task_id})


def _tell_backlog(services: Services, due: DueJobs) -> None:
    oldest = due.oldest_due_at()
    age = 0 if oldest is None else services.clock.now() - oldest
    metrics.gauge("oldest_due_ms", age)
