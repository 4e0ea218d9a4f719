"""Keep what proves a verdict beyond its time: copies under a prefix that no lifecycle rule covers.

    (none) ──► copying ──► held ──► releasing ──► (none)

The job's row says first what is about to happen, then a list of all copies is written, then the copies. They
are taken away in the opposite order. Whatever ends in between, doing the same again goes on from there.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from shared import archive, evidence_manifest, evidence_rows
from shared.entries import members
from shared.errors import ContendedError, ObjectNotFoundError, PermanentError
from shared.evidence import EvidenceRow
from shared.job_row import Hold, JobRow, hold_column, read_job
from shared.object_files import opened
from shared.ports import Services
from shared.record import FindingsMore
from shared.tables import JOBS

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Held:
    """What came of holding a job. `missing` is gone already; `pending` is evidence that may still come."""

    hold: Hold
    copied: int
    missing: tuple[str, ...]
    pending: int


@dataclass(frozen=True)
class _Original:
    key: str
    content_type: str


def hold(services: Services, row: JobRow, *, by: str, reason: str) -> Held:
    """Copy a job's present record, its raw answer and the evidence that is kept.

    While evidence is pending the hold stays unfinished: the same again copies what has come since.
    Raise `PermanentError` for a job that has no record, or is being released, and `ContendedError` when
    somebody else changed the hold meanwhile.
    """
    digest = row.text("digest")
    if digest is None:
        raise PermanentError("there is nothing to hold: this job has no record yet", job=row.key)
    if row.hold is not None and row.hold.status == "releasing":
        raise PermanentError("this job is being released: let `release-hold` finish first", job=row.key)
    wanted = Hold("copying", by, reason, services.clock.now(), digest)
    row = _note(services, row, wanted)
    rows = evidence_rows.read_all(services.ledger, row.key)
    originals = dict(_originals(services, row, rows))
    manifest = archive.held_key(row.ref, archive.manifest_key(row.ref))
    listed = sorted({*_listed(services, row), *originals, manifest})
    pending = sum(one.status == "pending" for one in rows.values())
    done = wanted if pending else replace(wanted, status="held")
    try:
        _put(services, archive.hold_key(row.ref), {**members(wanted), "keys": listed})
        copied, missing = _copy_all(services, originals)
        body = evidence_manifest.manifest_bytes(row, [rows[name] for name in sorted(rows)])
        services.objects.put(manifest, body, content_type=archive.CONTENT_TYPES["json"])
        _tell(services, row, done)
        _note(services, row, done)
    except Exception:
        _take_back_if_released(services, row, listed)
        raise
    return Held(done, copied, missing, pending)


def release(services: Services, row: JobRow, *, by: str, reason: str) -> int | None:
    """Take the copies away, and tell how many were listed; None for a job that is not held.

    Raise `ContendedError` when somebody else changed the hold meanwhile.
    """
    if row.hold is None:
        return None
    releasing = replace(row.hold, status="releasing", by=by, reason=reason, at=services.clock.now())
    row = _note(services, row, releasing)
    listed = _listed(services, row)
    _remove(services, row, listed)
    _tell(services, row, releasing)
    _note(services, row, None)
    return len(listed)


def _take_back_if_released(services: Services, row: JobRow, listed: Sequence[str]) -> None:
    """Remove what was copied after somebody had released the job: nobody would look for it there."""
    fresh = read_job(services.ledger, row.key)
    if fresh is not None and (fresh.hold is None or fresh.hold.status == "releasing"):
        _remove(services, row, listed)


def _remove(services: Services, row: JobRow, listed: Sequence[str]) -> None:
    for done in services.parallel.run([partial(services.objects.remove, key) for key in listed]):
        done.result()
    services.objects.remove(archive.hold_key(row.ref))


def _originals(
    services: Services, row: JobRow, rows: Mapping[str, EvidenceRow]
) -> Iterator[tuple[str, _Original]]:
    """Give what is copied, by the keys of the copies."""
    record = _Original(archive.version_key(row.ref, row.text("digest") or ""), archive.CONTENT_TYPES["json"])
    beside = _findings_beside(services, row, record.key)
    answers = [_Original(part.key, archive.CONTENT_TYPES[part.format]) for part in row.raw_parts]
    kept = [_Original(one.key, one.content_type or archive.BYTES) for one in rows.values() if one.key]
    for original in (record, *beside, *answers, *kept):
        yield archive.held_key(row.ref, original.key), original


def _findings_beside(services: Services, row: JobRow, key: str) -> Sequence[_Original]:
    """Give the findings that the record has no room for; a record that is gone is told of by copying it."""
    try:
        told = json.loads(services.objects.get(key)).get("findings_more")
    except ObjectNotFoundError:
        return ()
    if told is None:
        return ()
    # Not as a record: one of another schema is held, too.
    beside = archive.findings_key(row.ref, FindingsMore(count=told["count"], sha256=told["sha256"]))
    return (_Original(beside, archive.CONTENT_TYPES["ndjson"]),)


def _copy_all(services: Services, originals: Mapping[str, _Original]) -> tuple[int, tuple[str, ...]]:
    """Make the copies that are missing; tell how many, and which originals are gone with no copy left."""
    tasks = [partial(_copy, services, original, key) for key, original in originals.items()]
    copied, missing = 0, []
    failed: Exception | None = None
    for done, original in zip(services.parallel.run(tasks), originals.values(), strict=True):
        if isinstance(done.error, ObjectNotFoundError):
            missing.append(original.key)
        elif done.error is not None:
            failed = done.error
        else:
            copied += bool(done.value)
    if failed is not None:
        raise failed
    return copied, tuple(missing)


def _copy(services: Services, original: _Original, key: str) -> bool:
    if services.objects.has(key):
        return False
    with opened(services.objects, original.key) as file:
        return services.objects.put_file(key, file, content_type=original.content_type)


def _listed(services: Services, row: JobRow) -> list[str]:
    """Read which copies there are, or may be."""
    try:
        told = json.loads(services.objects.get(archive.hold_key(row.ref)))
    except ObjectNotFoundError:
        return []
    return [str(key) for key in told["keys"]]


def _note(services: Services, row: JobRow, hold: Hold | None) -> JobRow:
    """Write the hold into the row, unless somebody else has."""
    change = {"hold": hold_column(hold), "updated_at": services.clock.now()}
    if not services.ledger.update(JOBS, (row.key,), change, row.as_read("hold")):
        raise ContendedError(
            "somebody else has changed the hold of this job: look, and try again", job=row.key
        )
    return row.changed(change)


def _tell(services: Services, row: JobRow, hold: Hold) -> None:
    """Leave a trace that no release takes away."""
    _put(services, archive.hold_audit_key(row.ref, hold.at), {"job": row.key, **members(hold)})
    LOG.warning("a person holds or releases evidence", extra={"job": row.key, **members(hold)})


def _put(services: Services, key: str, told: Mapping[str, Any]) -> None:
    body = f"{json.dumps(told, ensure_ascii=False, indent=2)}\n".encode()
    services.objects.put(key, body, content_type=archive.CONTENT_TYPES["json"])
