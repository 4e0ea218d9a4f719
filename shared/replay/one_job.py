"""Normalize the stored raw answer of one job again, and move its row to what comes of it.

Objects and evidence rows come first, then one conditional write of the row, which is the fence that settling
has: nobody holds the job, token and digest are as read, and the token grows. So whoever claimed the job
meanwhile wins over a replay, and a replay over whoever read the row before it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Literal

from shared import archive, effects, evidence_rows, large_parts, leasing
from shared.answers import Answered, Moment, version_columns
from shared.asking import normalized
from shared.delivery.rules import DeliveryPlan
from shared.documents.urls import without_query
from shared.errors import (
    MisconfiguredError,
    ObjectNotFoundError,
    OutcomeUnknownError,
    PermanentError,
    TemporaryError,
)
from shared.findings_file import FindingsFile
from shared.job_row import JobRow, read_job, with_hints
from shared.ports import Services
from shared.replay.differences import Difference, differences
from shared.stored_answers import put_version
from shared.tables import JOBS
from shared.toolkit.masking import Masker
from shared.vendor import Part

LOG = logging.getLogger(__name__)

Did = Literal[
    "moved",
    "unchanged",
    "open",
    "newer",
    "busy",
    "failed",
    "unversioned",
    "contradicts",
    "unreadable",
    "missing",
]
"""What came of a job.

`open` jobs are not settled, so they have nothing to replay; the record of `newer` ones was made by a newer
normalizer than ours. What is `busy` or `failed` may be tried again. Of the rest a person should know: another
record by the same normalizer, another status than the row's, an answer that cannot be read any more, and raw
parts that are gone or damaged. All of these are left as they are.
"""

_REASON_LENGTH = 300
# What a settled job's row and its deliveries rest on; `lease_until` is among the conditions of a claim.
_RESTS_ON = ("digest", "effects", "outbox", "media_id", "query_at", "effects_at", "deliver_at")


@dataclass(frozen=True)
class Replayed:
    """What came of a job, or would; `differences` is for a rehearsal that compares."""

    key: str
    did: Did
    reason: str | None = None
    differences: tuple[Difference, ...] = ()


def replay(services: Services, key: str, *, deliver: bool) -> Replayed:
    """Move a job to what this version makes of its raw answer; tell targets of it if `deliver` says so.

    What goes wrong with this job is in the outcome; `MisconfiguredError` is about all of them, and raised.
    """
    try:
        return _replay(services, key, deliver=deliver)
    except MisconfiguredError:
        raise
    except Exception as error:
        return _failed(key, error)


def rehearse(services: Services, key: str, *, against: bool) -> Replayed:
    """Say what `replay` would do, and with `against` what would differ; nothing is written."""
    try:
        row = read_job(services.ledger, key)
        with FindingsFile() as lines:
            considered, answered = _consider(services, key, row, lines)
        if row is None or answered is None or considered.did == "unchanged" or not against:
            return considered
        before = services.objects.get(archive.version_key(row.ref, row.text("digest") or ""))
        return replace(considered, differences=differences(before, answered.stored))
    except MisconfiguredError:
        raise
    except Exception as error:
        return _failed(key, error)


def _replay(services: Services, key: str, *, deliver: bool) -> Replayed:
    for _ in range(services.policy.contention):
        row = read_job(services.ledger, key)
        with FindingsFile() as lines:
            considered, answered = _consider(services, key, row, lines)
            if row is None or answered is None or considered.did != "moved":
                return considered
            _store(services, row, answered)
        if _move(services, row, answered, deliver=deliver):
            _drain(services, key)
            return considered
    return Replayed(key, "busy", "the row changed under every attempt to move it")


def _consider(
    services: Services, key: str, row: JobRow | None, lines: FindingsFile
) -> tuple[Replayed, Answered | None]:
    """Decide about a job as it was read, and give what its raw answer makes, as far as that came to it."""
    kind = None if row is None else services.kinds.get(row.ref.kind)
    if row is None or kind is None:
        return Replayed(key, "missing", "no row" if row is None else "its kind is not known here"), None
    if not row.state.is_terminal or row.text("digest") is None:
        return Replayed(key, "open", f"not settled: {row.state.value}"), None
    if row.text("holder") is not None:
        return Replayed(key, "busy", "somebody works on it"), None
    raw = _raw(services, row)
    if any(archive.stored_part(row.ref, p).key != one.key for p, one in zip(raw, row.raw_parts, strict=True)):
        return Replayed(key, "missing", "a raw part is not what its name says"), None
    notes = tuple((row.text("notes") or "").split(", ")) if row.text("notes") else ()
    answered = replace(normalized(row, kind, raw, notes, lines), parts=row.raw_parts)
    did, reason = _judged(row, answered)
    return Replayed(key, did, reason), answered


def _judged(row: JobRow, answered: Answered) -> tuple[Did, str | None]:
    record, version = answered.record, row.count("normalizer_version")
    if answered.digest == row.text("digest"):
        return "unchanged", None
    if record.normalizer_version < version:
        return "newer", f"made by normalizer {version}, this is {record.normalizer_version}"
    if record.status != row.state.value:
        return "contradicts", f"status: {record.vendor_status}, recorded as {row.state.value}"
    if record.incomplete and not row.count("incomplete"):
        return "contradicts", "incomplete: the answer has no result any more"
    if record.normalizer_version == version:
        return "unversioned", f"another record by the same normalizer {version}: its version must grow"
    return "moved", None


def _raw(services: Services, row: JobRow) -> tuple[Part, ...]:
    return tuple(large_parts.archived(services, one) for one in row.raw_parts)


def _store(services: Services, row: JobRow, answered: Answered) -> None:
    """Have version and evidence rows before anything names them; the raw parts are there."""
    kind = services.kinds[row.ref.kind]
    for put in put_version(services, row, answered):
        put()
    record, raw = answered.record, answered.raw
    evidence_rows.put(services, row, kind, record, raw, answered.digest, is_fresh=False)


def _move(services: Services, row: JobRow, answered: Answered, *, deliver: bool) -> bool:
    """Move the row; False when anybody has changed it meanwhile."""
    now, token = services.clock.now(), row.count("token") + 1
    told = services.policy if deliver else replace(services.policy, delivery=DeliveryPlan())
    moment = Moment(now=now, wanted=row.count("wanted"), stretch=1.0, policy=told, by="person")
    change = {**version_columns(row, answered, moment), "token": token, "updated_at": now}
    when = [*leasing.claim_when(row, now), *row.as_read(*_RESTS_ON)]
    try:
        return services.ledger.update(JOBS, (row.key,), with_hints(row.key, row.columns, change), when)
    except OutcomeUnknownError:
        fresh = read_job(services.ledger, row.key)
        return fresh is not None and fresh.text("digest") == answered.digest


def _drain(services: Services, key: str) -> None:
    """Write the current record now; what fails is still due, and left to the timer."""
    try:
        effects.drain(services, key)
    except TemporaryError as error:
        LOG.warning("effects are left to the timer: %s", error, extra={"job": key})


def _failed(key: str, error: Exception) -> Replayed:
    reason = Masker().text(without_query(f"{type(error).__name__}: {error}"))[:_REASON_LENGTH]
    if isinstance(error, ObjectNotFoundError):
        return Replayed(key, "missing", reason)
    if isinstance(error, PermanentError):
        return Replayed(key, "unreadable", reason)
    LOG.error("a job could not be replayed", exc_info=error, extra={"job": key})
    return Replayed(key, "failed", reason)
