"""What must still happen after a commit: an outbox in the job's own row, drained until it is empty.

A commit adds effects and never drops one; a drain removes only the element it has done, on condition
that token and effects are as read. `records/` is such an effect, with the look-up rows: hints that the row
decides on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from shared import archive, attention, evidence, evidence_rows, lookups, lost_callbacks
from shared.errors import ContendedError, ObjectNotFoundError, OutcomeUnknownError
from shared.job_row import DUE_INPUTS, Effect, JobRow, effect_columns, read_job, with_hints
from shared.ports import Change, Services
from shared.record import digest
from shared.tables import JOBS
from shared.toolkit import metrics

LOG = logging.getLogger(__name__)


@dataclass
class Drained:
    """What a drain did: how many effects, and whether one of them found a callback to be lost.

    `to_deliver` tells whether something is due in the job's outbox, which is for the function `deliver`;
    `to_archive`, whether evidence waits, which is for the function `archive`.
    """

    done: int = 0
    lost_callbacks: int = 0
    to_deliver: bool = False
    to_archive: bool = False


@dataclass(frozen=True)
class _Performed:
    """The row as it was last read, and what else to write on removing the effect.

    That rests on columns which must then still be as read. With `again_at` the effect stays, until then.
    """

    row: JobRow
    change: Change = field(default_factory=dict)
    rests_on: tuple[str, ...] = ()
    again_at: int | None = None


def drain(services: Services, key: str) -> Drained:
    """Do every due effect of a job."""
    drained, lost = Drained(), 0
    while lost < services.policy.contention:
        row = read_job(services.ledger, key)
        now = services.clock.now()
        due = [effect for effect in row.effects if effect.next_at <= now] if row else []
        if row is None or not due:
            drained.to_deliver = row is not None and row.has_to_deliver(now)
            return drained
        lost += not _attempt(services, row, due[0], drained)
    raise ContendedError("effects kept coming while they were drained", job=key)


def _attempt(services: Services, row: JobRow, effect: Effect, drained: Drained) -> bool:
    """Do one effect and remove it, or put it off; False for a lost race."""
    perform = _PERFORM.get(effect.name)
    try:
        if perform is None:
            raise LookupError("this version does not know the effect")
        performed = perform(services, row)
    except Exception as error:
        LOG.warning("effect put off: %s", error, extra={"job": row.key, "effect": effect.name})
        later = services.clock.now() + _wait(services, effect)
        put_off = replace(effect, attempts=effect.attempts + 1, next_at=later)
        return _replace(services, _Performed(row), effect, put_off)
    left = None if performed.again_at is None else replace(effect, next_at=performed.again_at)
    if not _replace(services, performed, effect, left):
        return False
    if left is not None:
        drained.to_archive |= effect.name == evidence.EFFECT
        return True
    lost_callbacks.tell(row, performed.change)
    drained.done += 1
    drained.lost_callbacks += "lost_callback" in performed.change
    return True


def take_off(services: Services, row: JobRow, name: str) -> None:
    """Remove the effects of a name that a row has: somebody has done them. One that came later stays."""
    done = {effect.digest for effect in row.effects if effect.name == name}
    current: JobRow | None = row
    for _ in range(services.policy.contention):
        effects = current.effects if current else ()
        left = [effect for effect in effects if effect.name == name and effect.digest in done]
        if current is None or not left:
            return
        # What is removed here has told until now that something is at risk.
        _replace(services, _Performed(current, *_risk(current, 0)), left[0], None)
        current = read_job(services.ledger, row.key)
    raise ContendedError("effects changed under every attempt to remove one", job=row.key)


def _wait(services: Services, effect: Effect) -> int:
    waits = services.policy.retries
    return waits[min(effect.attempts, len(waits) - 1)]


def _replace(services: Services, performed: _Performed, old: Effect, new: Effect | None) -> bool:
    """Exchange one element of the set. A lost race is fine: the caller reads again."""
    row = performed.row
    effects = (set(row.effects) - {old}) | ({new} if new else set())
    written = {**performed.change, **effect_columns(effects), "updated_at": services.clock.now()}
    # `lease_until` and `query_at` too: `due_at` was computed from them.
    when = row.as_read("token", "effects", *DUE_INPUTS, *performed.rests_on)
    try:
        return services.ledger.update(JOBS, (row.key,), with_hints(row.key, row.columns, written), when)
    except OutcomeUnknownError:
        fresh = read_job(services.ledger, row.key)
        # Whoever drains next would find no effect, and so no verdict to tell.
        if fresh is None or old in fresh.effects or not lost_callbacks.stands_in(fresh, performed.change):
            raise
        return True


def _write_current_record(services: Services, row: JobRow) -> _Performed:
    """Put the current version under the job's own name, unless it stands there already.

    Repeat when the row has moved meanwhile.
    """
    for _ in range(services.policy.contention):
        current = row.text("digest") or ""
        if not _stands(services, archive.current_key(row), current):
            body = services.objects.get(archive.version_key(row.ref, current))
            services.objects.put(archive.current_key(row), body, content_type=archive.CONTENT_TYPES["json"])
        fresh = read_job(services.ledger, row.key)
        if fresh is None or fresh.text("digest") == current:
            return _Performed(fresh or row)
        row = fresh
    raise ContendedError("the record moved during every attempt to write it", job=row.key)


def _make_known(services: Services, row: JobRow) -> _Performed:
    """Write what others find a version by: the current record, and its look-up rows."""
    performed = _write_current_record(services, row)
    lookups.put(services.ledger, performed.row)
    # Of the terms, the media alone may come without a commit.
    return replace(performed, rests_on=("media_id",))


def _stands(services: Services, key: str, current: str) -> bool:
    try:
        return digest(services.objects.get(key)) == current
    except ObjectNotFoundError:
        return False


def _look_for_the_callback(services: Services, row: JobRow) -> _Performed:
    change = lost_callbacks.when_time_is_up(row, services.clock.now())
    # Before the row says so: whoever finds it too early reads there that it is not so.
    lookups.put(services.ledger, row.changed(change), before=row)
    return _Performed(row, change, lost_callbacks.RESTS_ON)


def _hand_over_evidence(services: Services, row: JobRow) -> _Performed:
    """Leave it to `archive`, which removes the effect when nothing is left to do; look again until then.

    What may get lost is told here, too: `archive` itself may stand still.
    """
    now = services.clock.now()
    rows = evidence_rows.read_all(services.ledger, row.key).values()
    at_risk = evidence.tally(rows, row.text("digest"), now).at_risk
    if at_risk:
        metrics.count("evidence_at_risk", at_risk, kind=row.ref.kind)
        told = {"job": row.key, "pieces": at_risk}
        LOG.error("evidence is not kept, and half of its time is over", extra=told)
    return _Performed(row, *_risk(row, at_risk), again_at=now + services.policy.evidence_again)


def _risk(row: JobRow, pieces: int) -> tuple[Change, tuple[str, ...]]:
    """Say in a row how much evidence is at risk, and what that rests on; nothing where it says so."""
    if row.count("at_risk") == pieces:
        return {}, ()
    return {"at_risk": pieces or None}, attention.UNLEASED_INPUTS


_PERFORM: Mapping[str, Callable[[Services, JobRow], _Performed]] = {
    "record": _make_known,
    "verify": _write_current_record,
    lost_callbacks.EFFECT: _look_for_the_callback,
    evidence.EFFECT: _hand_over_evidence,
}

NAMES = frozenset(_PERFORM)
"""Effects that this version knows; another one waits for the version that does."""
