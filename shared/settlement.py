"""Settle a job: ask the vendor, archive the answer, normalize it, record it.

`settle` takes a key, reads the row and converges; at any time, any number of times, in any order. The
order of writes is the promise: archive first (content addresses), then the one conditional commit of
the row. What a crash leaves in between is objects that nobody refers to, and a row whose lease lapses.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from shared import archive, conclusions, drift, evidence, evidence_items, evidence_rows, leasing
from shared.answers import Answered, Did, Moment, Settler
from shared.asking import ask
from shared.errors import (
    CrashLoopError,
    JobNotFoundError,
    MisconfiguredError,
    PermanentError,
    TemporaryError,
)
from shared.findings_file import FindingsFile
from shared.job_row import JobRow, parts_column, read_job
from shared.jobs import State
from shared.kinds.reading import is_known_status
from shared.leasing import Lease
from shared.ports import Change, Services
from shared.present_record import beside_ours, beside_the_present
from shared.stored_answers import put_part, put_raw, put_version
from shared.vendor import Part

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """How settling one job ended. `did` is `lost` when another holder took over.

    `notes` says what the new record had to do without, `drift` what now differed from the record, and
    `unknown_status` is a word of the vendor's that no page knows. `to_deliver` tells whether the outbox
    holds something that is due, `to_archive` whether a new version has evidence to be kept.
    """

    key: str
    did: Did
    state: State
    next_at: int | None = None
    digest: str | None = None
    error: Exception | None = None
    notes: str | None = None
    drift: str | None = None
    unknown_status: str | None = None
    to_deliver: bool = False
    to_archive: bool = False


def settle(services: Services, row: JobRow, *, by: Settler) -> Outcome | None:
    """Bring a job forward if it is time to; None when there is nothing to ask, or somebody else does."""
    now = services.clock.now()
    if row.is_leased(now):
        return None
    if not row.wants_query(now):
        _tidy(services, row)
        return None
    lease = leasing.claim(services, row)
    return None if lease is None else settle_claimed(services, lease, by=by)


def _tidy(services: Services, row: JobRow) -> None:
    """End the lapsed lease of a holder who has nothing left to ask, so that the row is not due for it."""
    lease = leasing.claim(services, row) if row.text("holder") is not None else None
    if lease is not None:
        leasing.finish(services, lease, lambda _: ({}, None))


def settle_claimed(services: Services, lease: Lease, *, by: Settler) -> Outcome:
    """Settle a job whose lease is held, and end the lease whatever happens."""
    raw: list[Part] = []
    with FindingsFile() as lines:
        try:
            _check_crashes(services, lease.row)
            answered = ask(services, lease, raw, lines)
            return _commit(services, lease, answered, by=by)
        except Exception as error:
            return _give_up(services, lease, error, raw, by=by)


def declare_unknown(services: Services, key: str, *, by: Settler) -> Outcome | None:
    """Give a job up that the vendor does not know; None when it was marked, found or claimed meanwhile.

    It is for whoever has seen enough other jobs to tell that the fault is not ours.
    """
    row = read_job(services.ledger, key)
    if row is None or not conclusions.is_unknown(row, services.clock.now(), services.policy):
        return None
    lease = leasing.claim(services, row)
    if lease is None:
        return None
    moment = _moment(services, lease, by)
    return _finish(services, lease, lambda row: conclusions.give_up(row, moment))


def _check_crashes(services: Services, row: JobRow) -> None:
    if row.count("crashes") >= services.policy.crash_limit:
        raise CrashLoopError(
            "whoever asked about this job ended without a word", job=row.key, times=row.count("crashes")
        )


def _commit(services: Services, lease: Lease, answered: Answered, *, by: Settler) -> Outcome:
    moment = _moment(services, lease, by)
    answered = beside_ours(services, lease.row, answered)
    change, did = first = conclusions.conclude(lease.row, answered, moment)
    if "digest" in change:
        answered = beside_the_present(services, lease.row, answered)
        _archive(services, lease.row, answered)
    elif did == "confirmed":
        # The same record, whose addresses may be signed anew.
        _put_evidence(services, lease.row, answered)
    elif did == "drifted" and answered.record.status != "running":
        # The record stays as it is; what the vendor says now is kept for whoever compares them.
        _do_all(services, put_raw(services, answered))

    def decide(row: JobRow) -> tuple[Change, Did]:
        is_decided = row is lease.row and answered.present is None
        return first if is_decided else conclusions.conclude(row, answered, moment)

    return _finish(services, lease, decide)


def _archive(services: Services, row: JobRow, answered: Answered) -> None:
    """Store raw parts, record version and evidence rows beside each other; the commit comes after all."""
    tasks = [*put_raw(services, answered), *put_version(services, row, answered)]
    if evidence_items.named_by(answered.record, services.policy):  # else a thread would find out
        tasks.append(partial(_put_evidence, services, row, answered))
    _do_all(services, tasks)


def _put_evidence(services: Services, row: JobRow, answered: Answered) -> None:
    kind = services.kinds[row.ref.kind]
    evidence_rows.put(services, row, kind, answered.record, answered.raw, answered.digest)


def _do_all(services: Services, tasks: list[Callable[[], object]]) -> None:
    """Do tasks beside each other; raise when any could not be done."""
    for done in services.parallel.run(tasks):
        done.result()


def _give_up(services: Services, lease: Lease, error: Exception, raw: list[Part], *, by: Settler) -> Outcome:
    """Release the claim in one write. The error becomes the job's story, nobody else's."""
    kept: Change = {}
    # An answer that there is no such job was read: nothing of it needs a person.
    unreadable = isinstance(error, PermanentError) and not isinstance(error, JobNotFoundError)
    if raw and unreadable:
        try:
            kept = {"raw_parts": _quarantine(services, raw)}
        except Exception as second:
            # Nothing is quarantined whose bytes are not kept: it is asked for again.
            LOG.warning("what cannot be read could not be kept: %s", error, extra={"job": lease.row.key})
            error = second
    _tell(lease, error)
    return _release(services, lease, error, kept, by=by)


def _release(services: Services, lease: Lease, error: Exception, kept: Change, *, by: Settler) -> Outcome:
    moment = _moment(services, lease, by)

    def decide(row: JobRow) -> tuple[Change, Did]:
        change, did = conclusions.excuse(row, error, moment)
        return ({**change, **kept} if did == "quarantined" else change), did

    try:
        return _finish(services, lease, decide, error=error)
    except Exception as second:
        # No store to release it in: the lease lapses by itself, and the row is still due then.
        LOG.exception("the claim could not be released", extra={"job": lease.row.key})
        return Outcome(lease.row.key, "lost", lease.row.state, error=second)


def _quarantine(services: Services, raw: list[Part]) -> str:
    """Keep what was received and could not be read; raise when that fails."""
    now = services.clock.now()
    parts = [archive.quarantined_part(part, now) for part in raw]
    for part, stored in zip(raw, parts, strict=True):
        put_part(services, stored.key, part, content_type=archive.BYTES)()
    return parts_column(parts)


def _finish(
    services: Services,
    lease: Lease,
    decide: Callable[[JobRow], tuple[Change, Did]],
    *,
    error: Exception | None = None,
) -> Outcome:
    """End the lease and say what came of it."""
    ended = leasing.finish(services, lease, decide)
    if ended is None:
        LOG.warning("another holder took over; nothing was changed", extra={"job": lease.row.key})
        return Outcome(lease.row.key, "lost", lease.row.state, error=error)
    row, did = ended
    LOG.info("job %s", did, extra={"job": row.key, "state": row.state.value})
    notes = row.text("notes") if did == "settled" else None
    if notes:
        LOG.warning("settled as well as it could be: %s", notes, extra={"job": row.key})
    return Outcome(
        row.key,
        did,
        row.state,
        next_at=row.number("query_at"),
        digest=row.text("digest"),
        error=error,
        notes=notes,
        drift=drift.tell(lease.row, row),
        unknown_status=_unknown_status(row) if did == "waiting" and error is None else None,
        to_deliver=row.has_to_deliver(services.clock.now()),
        to_archive=did == "settled" and any(effect.name == evidence.EFFECT for effect in row.effects),
    )


def _unknown_status(row: JobRow) -> str | None:
    """Give the vendor's word for a job that keeps it polling because no page knows it."""
    word = row.text("vendor_status")
    if word is None or is_known_status(word):
        return None
    LOG.warning("unknown status: %s", word, extra={"job": row.key})
    return word


def _moment(services: Services, lease: Lease, by: Settler) -> Moment:
    policy = services.policy
    return Moment(
        now=services.clock.now(),
        wanted=lease.row.count("wanted"),
        stretch=1 + services.random.random() * policy.jitter,
        policy=policy,
        by=by,
    )


def _tell(lease: Lease, error: Exception) -> None:
    """Log an error by its family: ours is critical, the job's an error, one that may pass a warning."""
    told = {"job": lease.row.key}
    if isinstance(error, MisconfiguredError):
        LOG.critical("misconfigured: %s", error, extra=told)
    elif isinstance(error, TemporaryError | JobNotFoundError):
        LOG.warning("settling is postponed: %s", error, extra=told)
    elif isinstance(error, PermanentError):
        LOG.error("this job cannot be settled: %s", error, extra=told)
    else:
        LOG.error("settling failed unexpectedly", exc_info=error, extra=told)
