"""Keys of the object store: one place that says where what lies.

    raw/<kind>/<job>/<sha256>.json|xml|txt          terminal answers as received
    versions/<kind>/<job>/<digest>.json             every record version
    versions/<kind>/<job>/<sha256>.findings.ndjson  findings that one had no room for, one to a line
    records/kind=<kind>/date=<day>/<job>.json       the current version; a hint, the row decides
    evidence/<kind>/<job>/<sha256>.jpg              what findings point at, once per job
    evidence/<kind>/<job>/manifest.json             what became of it; rebuilt from the rows
    quarantine/<yyyy-mm-dd>/<sha256>                what nobody could read
    reports/completeness/<yyyy-mm-dd>/<run>.json    whether any job is missing; beside it the page
    audit/redrive/<yyyy-mm-dd>/<id>.json            who put a dead letter back, when and where to
    audit/hold/<yyyy-mm-dd>/<id>.json               who held or released a job's evidence, when and why
    held/<kind>/<job>/raw|versions|evidence/<name>  copies that outlive these; beside them hold.json

Raw parts, versions, evidence and quarantine are content-addressed: put if absent, and both outcomes are
success. Nothing lists objects to find work.
"""

from __future__ import annotations

from datetime import datetime, timezone

from shared.job_row import JobRow, StoredPart
from shared.jobs import JobRef, encode_job_id
from shared.record import FindingsMore, digest
from shared.vendor import Part

CONTENT_TYPES = {
    "json": "application/json",
    "xml": "application/xml",
    "txt": "text/plain; charset=utf-8",
    "ndjson": "application/x-ndjson",
    "html": "text/html; charset=utf-8",
}
BYTES = "application/octet-stream"


def stored_part(ref: JobRef, part: Part) -> StoredPart:
    """Say where a raw part belongs."""
    return StoredPart(part.name, part.format, f"raw/{ref.path}/{part.sha256}.{part.format}")


def version_key(ref: JobRef, record_digest: str) -> str:
    """Say where a record version belongs."""
    return f"versions/{ref.path}/{record_digest}.json"


def findings_key(ref: JobRef, more: FindingsMore) -> str:
    """Say where the findings belong that a record had no room for."""
    return f"versions/{ref.path}/{more.sha256}.findings.ndjson"


def current_key(row: JobRow) -> str:
    """Say where a job's current record belongs: under the stored day of first sight, never a computed one."""
    day = (row.text("seen_day") or ".").partition(".")[2]
    return f"records/kind={row.ref.kind}/date={day}/{encode_job_id(row.ref.job_id)}.json"


def evidence_key(ref: JobRef, sha256: str, extension: str) -> str:
    """Say where a picture or file belongs that the vendor will delete."""
    return f"evidence/{ref.path}/{sha256}{extension}"


def manifest_key(ref: JobRef) -> str:
    """Say where it stands what became of a job's evidence."""
    return f"evidence/{ref.path}/manifest.json"


def held_key(ref: JobRef, key: str) -> str:
    """Say where the copy of a job's object belongs that is under a hold."""
    area, _, rest = key.partition("/")
    return f"held/{ref.path}/{area}/{rest.rpartition('/')[2]}"


def hold_key(ref: JobRef) -> str:
    """Say where it stands which copies a hold has made."""
    return f"held/{ref.path}/hold.json"


def hold_audit_key(ref: JobRef, now: int) -> str:
    """Say where it is told that a job was held or released: another object each time."""
    return f"audit/hold/{_day(now)}/{now}-{ref.key}.json"


def quarantine_key(body: bytes, now: int) -> str:
    """Say where unreadable bytes belong."""
    return f"quarantine/{_day(now)}/{digest(body)}"


def quarantined_part(part: Part, now: int) -> StoredPart:
    """Say where a raw part belongs that nobody could read."""
    return StoredPart(part.name, part.format, f"quarantine/{_day(now)}/{part.sha256}")


def report_key(day: str, run: str, form: str) -> str:
    """Say where a completeness report belongs, by the day on which it was made."""
    return f"reports/completeness/{day}/{run}.{form}"


def redrive_key(name: str, now: int) -> str:
    """Say where it is told that a dead letter was put back: another object each time."""
    return f"audit/redrive/{_day(now)}/{now}-{name}.json"


def _day(now: int) -> str:
    return datetime.fromtimestamp(now / 1000, timezone.utc).date().isoformat()
