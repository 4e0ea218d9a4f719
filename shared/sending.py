"""Send what is in the outboxes of jobs: to each target beside the others, each version at least once."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import partial

from shared import attempts
from shared.attempts import RESERVE, Outcome
from shared.delivery.outbox import Delivery, due
from shared.errors import ContendedError, TargetRefusedError, TargetUnavailableError
from shared.job_row import JobRow, read_job
from shared.ports import Services

LOG = logging.getLogger(__name__)

# What becomes of so many is known before the next ones begin: where all fail, the target is away.
_ROUND = 8
_ABANDONED = TargetUnavailableError("the last attempt ended without a word")


def deliver(services: Services, keys: Sequence[str]) -> Counter[Outcome]:
    """Send all that is due of these jobs, and count what came of it; what there is no time for stays due."""
    outcomes: Counter[Outcome] = Counter()
    owed: defaultdict[str, list[str]] = defaultdict(list)
    jobs = tuple(dict.fromkeys(keys))
    read = services.parallel.run([partial(_targets, services, key) for key in jobs])
    for key, done in zip(jobs, read, strict=True):
        if done.error is not None:
            _tell_error(done.error, key)
            outcomes["error"] += 1
        for name in done.value or ():
            owed[name].append(key)
    # A target that is slow holds up its own deliveries alone.
    for served in services.parallel.run([partial(_serve, services, *one) for one in sorted(owed.items())]):
        outcomes += served.result()
    return outcomes


def _targets(services: Services, key: str) -> tuple[str, ...]:
    """Name who is owed something of a job by now."""
    row = read_job(services.ledger, key)
    return () if row is None else tuple(one.target for one in due(row.outbox, services.clock.now()))


def _serve(services: Services, name: str, keys: Sequence[str]) -> Counter[Outcome]:
    """Send to one target what it is owed of these jobs, which do not wait for each other."""
    outcomes: Counter[Outcome] = Counter()
    for start in range(0, len(keys), _ROUND):
        part = keys[start : start + _ROUND]
        done = services.parallel.run([partial(_send_in_order, services, name, key) for key in part])
        for key, one in zip(part, done, strict=True):
            if one.error is not None:
                _tell_error(one.error, key)
                outcomes["error"] += 1
        came: Counter[Outcome] = sum((one.value for one in done if one.value is not None), Counter())
        if came["put_off"] == came.total() >= _ROUND:
            services.target_health.took_nothing(name, now=services.clock.now())
        outcomes += came
    return outcomes


def _entry_due(services: Services, row: JobRow | None, name: str) -> Delivery | None:
    found = due(row.outbox, services.clock.now()) if row else ()
    return next((one for one in found if one.target == name), None)


def _send_in_order(services: Services, name: str, key: str) -> Counter[Outcome]:
    """Send to a target what it is owed of a job, the oldest version first."""
    outcomes: Counter[Outcome] = Counter()
    target = services.policy.delivery.target(name)
    limit = target.timeout_ms if target else 0
    row, lost = read_job(services.ledger, key), 0
    while lost < services.policy.contention:
        now, entry = services.clock.now(), _entry_due(services, row, name)
        if row is None or entry is None:
            return outcomes
        vain = _why_not(services, entry, now)
        if vain is not None:
            row, outcome = attempts.conclude(services, row, entry, vain)
            outcomes[outcome] += 1
            continue
        if now + limit > services.deadline - RESERVE:
            outcomes["left"] += 1
            return outcomes
        claimed = attempts.claim(services, row, entry, limit)
        if claimed is None:
            row, lost = read_job(services.ledger, key), lost + 1
            continue
        error = attempts.make(services, *claimed, target)
        _learn(services, name, error, begun=now)
        row, outcome = attempts.conclude(services, *claimed, error)
        outcomes[outcome] += 1
    raise ContendedError("the outbox changed under every attempt to claim an entry", job=key)


def _why_not(services: Services, entry: Delivery, now: int) -> TargetUnavailableError | None:
    """Tell why an entry that is due is not sent: it ended whoever sent it, or its target is left alone.

    The longer it waits for such a target, the seldomer somebody comes to it.
    """
    if entry.was_abandoned and now > entry.since + services.policy.delivered_within:
        return _ABANDONED
    pause = services.target_health.pause_left(entry.target, now)
    if not pause:
        return None
    return TargetUnavailableError(
        "left alone, as it took nothing else", retry_after_ms=max(pause, now - entry.met(now).since)
    )


def _learn(services: Services, name: str, error: Exception | None, *, begun: int) -> None:
    """Note how a try ended; a refusal is an answer, too."""
    now = services.clock.now()
    if error is None or isinstance(error, TargetRefusedError):
        services.target_health.took(name)
    else:
        services.target_health.failed(name, after_ms=now - begun, now=now)


def _tell_error(error: Exception, key: str) -> None:
    LOG.error("the deliveries of a job stay due", exc_info=error, extra={"job": key})
