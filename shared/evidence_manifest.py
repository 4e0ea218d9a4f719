"""The manifest beside a job's evidence: rebuilt from the rows as often as they change, never added to.

`items` are what the present version names; `others`, what an earlier one named, or an answer that was never
recorded. It holds nothing that a repetition would write otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timezone

from shared import archive, effects, evidence_rows
from shared.errors import ContendedError, ObjectNotFoundError
from shared.evidence import EFFECT, EvidenceRow
from shared.job_row import JobRow, read_job
from shared.ports import Services


def close(services: Services, job_key: str) -> None:
    """Write the manifest, and take the effect off the job's row when nothing is left that may change it.

    Whoever stalls before it puts an older manifest, and ends right after, does not see that. So the effect
    stays for as long as an invocation may live that has read other rows. Raise `ContendedError` when the
    rows moved during every attempt.
    """
    for _ in range(services.policy.contention):
        # The row first: what a later commit names was put before it, and has an effect of its own.
        row = read_job(services.ledger, job_key)
        if row is None or row.text("digest") is None:
            return
        rows = _read(services, job_key)
        body = manifest_bytes(row, rows)
        key = archive.manifest_key(row.ref)
        if not _stands(services, key, body):
            services.objects.put(key, body, content_type=archive.CONTENT_TYPES["json"])
            continue  # somebody may have written a newer one before ours
        if not any(_may_still_be_misread(services, one) for one in rows):
            effects.take_off(services, row, EFFECT)
        return
    raise ContendedError("the evidence moved during every attempt to write its manifest", job=job_key)


def _may_still_be_misread(services: Services, one: EvidenceRow) -> bool:
    """Tell whether it is pending, or was when an invocation may have read it that has not ended.

    A time that is ahead of ours was written by a clock that was wrong: it would be waited for in vain.
    """
    now = services.clock.now()
    return one.ended_at is None or now - services.policy.verify_after < one.ended_at <= now


def manifest_bytes(row: JobRow, rows: Iterable[EvidenceRow]) -> bytes:
    """Write what became of a job's evidence."""
    digest = row.text("digest")
    listed: dict[bool, list[dict[str, object]]] = {True: [], False: []}
    for one in rows:
        listed[digest in one.digests].append(_entry(one))
    manifest = {
        "schema_version": 1,
        "kind": row.ref.kind,
        "job_id": row.ref.job_id,
        "digest": digest,
        "items": listed[True],
        "others": listed[False],
    }
    return f"{json.dumps(manifest, ensure_ascii=False, indent=2)}\n".encode()


def _entry(one: EvidenceRow) -> dict[str, object]:
    return {
        "id": one.id,
        "status": one.status,
        "source": one.source,
        "key": one.key,
        "sha256": one.sha256,
        "size": one.size,
        "content_type": one.content_type,
        "reason": one.reason if one.status == "lost" else None,
        "expires_at": _moment(one.expires_at),
        "ended_at": _moment(one.ended_at),
    }


def _moment(ms: int | None) -> str | None:
    if ms is None:
        return None
    at = datetime.fromtimestamp(ms / 1000, timezone.utc)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _read(services: Services, job_key: str) -> list[EvidenceRow]:
    rows = evidence_rows.read_all(services.ledger, job_key)
    return [rows[name] for name in sorted(rows)]


def _stands(services: Services, key: str, body: bytes) -> bool:
    try:
        return services.objects.get(key) == body
    except ObjectNotFoundError:
        return False
