"""Settle what is due: what a callback never came for, what had to wait, what a crash left behind.

What is done is not due any more. So a run stops wherever its deadline finds it, and the next one continues.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from shared import effects, settlement, tracking
from shared.asking import RESERVE
from shared.due import DueJobs, Hint
from shared.effects import Drained
from shared.errors import CorruptRowError, FunctionError, NoTimeLeftError
from shared.handing_over import ARCHIVE, hand_over
from shared.job_row import JobRow, read_job
from shared.policy import HOUR, SECOND
from shared.ports import Services, When
from shared.run_summary import Summary
from shared.settlement import Outcome
from shared.tables import JOBS
from shared.toolkit import metrics
from shared.vendor_health import MissingJobs, Service, VendorHealth

LOG = logging.getLogger(__name__)

# Enough for the workers of a pool to be busy while one of them waits; few enough to learn from soon.
_ROUND = 32
# For the verdicts at the end of a run, each of which is two writes.
_VERDICTS = 3 * SECOND
# A row that nobody can read needs a person, not a read in every run.
_CORRUPT_AGAIN = 1 * HOUR
_NAMED = 20


@dataclass(frozen=True)
class _Handled:
    """What became of one job. `is_stuck` says that it did not go forward and will be due again."""

    key: str
    did: str | None = None
    row: JobRow | None = None
    outcome: Outcome | None = None
    drained: Drained = field(default_factory=Drained)
    is_stuck: bool = False
    is_suspect: bool = False
    """Whoever held it last ended without a word; so may the next, with everybody whose job is asked about
    beside it. It is for when nothing else is held."""
    is_late: bool = False
    """Time ran out before all was done that could be."""

    @property
    def has_evidence(self) -> bool:
        return self.drained.to_archive or (self.outcome is not None and self.outcome.to_archive)

    @property
    def was_worked_on(self) -> bool:
        return self.did not in (None, "corrupt") or self.drained.done > 0


def settle_due(services: Services, due: DueJobs, *, limit: int | None = None) -> Summary:
    """Settle and drain what is due, at most `limit` jobs; decide at the end about those that are missing.

    With a limit nobody is given up: few jobs cannot tell whether we ask in the wrong place.
    What an index row says is a hint: each job's row is read, and the conditional claim decides. Rows
    that nothing can be done about now do not count, so that they starve no other.
    """
    run = _Run(services)
    last, worked = services.deadline - RESERVE - _VERDICTS, 0
    try:
        while due.oldest_due_at() is not None:
            room = _ROUND if limit is None else min(_ROUND, limit - worked)
            if room <= 0 or services.clock.now() >= last:
                run.summary.more = True
                break
            worked += run.work_on(due.take(room), due)
    except FunctionError:
        # The ledger cannot tell what else is due: what was learned until then is not lost.
        run.end(giving_up=limit is None)
        raise
    return run.end(giving_up=limit is None)


def settle_named(services: Services, keys: Sequence[str]) -> Summary:
    """Settle and drain these jobs now, if they are due. Nobody is given up: that takes a whole run."""
    run = _Run(services)
    for start in range(0, len(keys), _ROUND):
        if services.clock.now() >= services.deadline - RESERVE:
            run.summary.more = True
            break
        run.handle(keys[start : start + _ROUND])
    return run.end(giving_up=False)


class _Run:
    """The state of one run. Tasks beside each other only give values; one thread adds them up."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._health = VendorHealth()
        self._missing = MissingJobs()
        self.summary = Summary()

    def work_on(self, hints: Sequence[Hint], due: DueJobs) -> int:
        """Bring jobs forward and tell how many there was anything to do for."""
        handled = self.handle([hint.key for hint in hints])
        for hint, one in zip(hints, handled, strict=True):
            if one.is_stuck:
                due.charge_failure(hint)
            if one.did == "corrupt":
                _put_off_corrupt(self._services, hint)
        return sum(one.was_worked_on for one in handled)

    def handle(self, keys: Sequence[str]) -> list[_Handled]:
        """Bring jobs forward beside each other; what happens to one stops no other."""
        tasks = [partial(_handle, self._services, key, self._health) for key in keys]
        handled = [done.result() for done in self._services.parallel.run(tasks)]
        for at, one in enumerate(handled):
            if one.is_suspect:
                handled[at] = _handle(self._services, one.key, self._health, is_alone=True)
        for one in handled:
            self._add(one)
        hand_over(self._services, [one.key for one in handled if one.drained.to_deliver])
        hand_over(self._services, [one.key for one in handled if one.has_evidence], function=ARCHIVE)
        return handled

    def end(self, *, giving_up: bool = True) -> Summary:
        """Say what is wrong with services, and give up the jobs that are to be believed missing."""
        for service in sorted(self._health.refused_by):
            metrics.count("misconfigured", product=service.product, region=service.region, why="refused")
        for service in self._missing.doubtful():
            metrics.count("misconfigured", product=service.product, region=service.region, why="missing")
            LOG.critical("misconfigured: too many jobs of %s are not found; none is given up", service)
        given_up = self._give_up(self._missing.unknown()) if giving_up else {}
        for key in self._missing.held():
            self.summary.count(given_up.get(key, "missing"), key)
        self.summary.stopped_products = {service.product for service in self._health.refused_by}
        self.summary.away = {str(service) for service in self._health.away}
        self.summary.misconfigured = [str(service) for service in self._missing.doubtful()]
        return self.summary

    def _give_up(self, keys: Sequence[str]) -> dict[str, str]:
        """Write what is believed of missing jobs, as far as time allows; the rest is missing again soon."""
        did: dict[str, str] = {}
        for start in range(0, len(keys), _ROUND):
            if self._services.clock.now() >= self._services.deadline - SECOND:
                break
            tasks = [
                partial(settlement.declare_unknown, self._services, key, by="timer")
                for key in keys[start : start + _ROUND]
            ]
            for done in self._services.parallel.run(tasks):
                if done.error is not None:
                    LOG.error("a missing job could not be given up", exc_info=done.error)
                if done.value is not None:
                    did[done.value.key] = done.value.did
        return did

    def _add(self, one: _Handled) -> None:
        summary, drained = self.summary, one.drained
        summary.more |= one.is_late
        summary.drained += drained.done
        summary.lost_callbacks += drained.lost_callbacks
        if drained.done:
            metrics.count("drained_effects", drained.done)
        if one.did == "corrupt" and len(summary.corrupt) < _NAMED:
            summary.corrupt.append(one.key)
        if one.did is not None and one.did != "missing":  # which is counted when it is decided
            summary.count(one.did, one.key)
        if one.row is not None and one.outcome is not None:
            # It is still due, and perhaps others for whom there was no call either.
            summary.more |= isinstance(one.outcome.error, NoTimeLeftError)
            summary.notes.update(filter(None, (one.outcome.notes or "").split(", ")))
            self._learn_of_missing(one.row, one.outcome)

    def _learn_of_missing(self, row: JobRow, outcome: Outcome) -> None:
        service = _service(self._services, row)
        is_certain = row.text("first_seen_by") == tracking.BY or (
            row.count("notified") > 0 and not row.is_hearsay
        )
        if outcome.did == "missing":
            for_ms = self._services.clock.now() - (row.number("not_found_since") or 0)
            self._missing.missing(service, row.key, for_ms=for_ms, is_certain=is_certain)
        # One that is not found within its grace says nothing yet, and an error nothing at all.
        elif outcome.error is None:
            self._missing.found(service, is_certain=is_certain)


def _handle(services: Services, key: str, health: VendorHealth, *, is_alone: bool = False) -> _Handled:
    """Settle and drain one job; never raise."""
    try:
        row = read_job(services.ledger, key)
        if row is None:
            return _Handled(key)
        if _is_late(services):
            return _Handled(key, is_late=True)
        if not is_alone and row.text("holder") is not None and not row.is_leased(services.clock.now()):
            return _Handled(key, is_suspect=True)
        service = _service(services, row)
        is_left = row.wants_query(services.clock.now()) and not (
            _has_prospect(services, service, health) and _is_affordable(services, service, row)
        )
        outcome = None if is_left else settlement.settle(services, row, by="timer")
        if outcome is not None:
            health.learn(service, outcome.error, services.clock.now())
        is_late = _is_late(services)
        drained = Drained() if is_late else effects.drain(services, key)
    except CorruptRowError as error:
        LOG.error("%s", error, extra={"job": key})
        return _Handled(key, "corrupt", is_stuck=True)
    except Exception:
        LOG.exception("the run goes on without this job", extra={"job": key})
        return _Handled(key, "error", is_stuck=True)
    if outcome is None:
        return _Handled(key, row=row, drained=drained, is_stuck=is_left, is_late=is_late)
    is_stuck = outcome.did == "postponed"
    return _Handled(key, outcome.did, row, outcome, drained, is_stuck=is_stuck, is_late=is_late)


def _is_late(services: Services) -> bool:
    """Tell whether too little time is left to begin with anything: slow stores may take all of it."""
    return services.clock.now() >= services.deadline - RESERVE


def _has_prospect(services: Services, service: Service, health: VendorHealth) -> bool:
    """Tell whether asking about a job may succeed in the time that a claim of it would have now."""
    lapses = services.clock.now() + services.policy.lease
    return health.is_to_be_asked(service, by=min(services.deadline, lapses) - RESERVE)


def _is_affordable(services: Services, service: Service, row: JobRow) -> bool:
    """Tell whether a job may be asked about: what anybody can invent has a small budget of its own."""
    if not row.is_hearsay or services.hearsay.admits(service.product):
        return True
    metrics.count("hearsay_left_waiting", product=service.product)
    return False


def _service(services: Services, row: JobRow) -> Service:
    kind = services.kinds.get(row.ref.kind)
    region = row.text("region") or services.policy.region or ""
    return Service(kind.product if kind else row.ref.kind, region)


def _put_off_corrupt(services: Services, hint: Hint) -> None:
    """Have a row that nobody can read looked at again later: else it would lengthen every run."""
    later = services.clock.now() + _CORRUPT_AGAIN
    try:
        services.ledger.update(JOBS, (hint.key,), {"due_at": later}, [When("due_at", "==", hint.due_at)])
    except FunctionError as error:
        LOG.warning("a corrupt row stays due: %s", error, extra={"job": hint.key})
