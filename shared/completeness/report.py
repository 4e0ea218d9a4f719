"""The completeness report as a document, version 1: `docs/schema/completeness-1.json` describes it.

Times are UTC ISO 8601 with milliseconds. Lists of examples are cut; counts never are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Literal

from pydantic import BaseModel, ConfigDict

from shared.job_row import JobRow
from shared.toolkit.masking import Masker

EXAMPLES = 50
"""Most jobs or objects that are named in one group."""

SourceStatus = Literal["compared", "empty", "cut_short", "not_asked", "not_listable"]


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_serialization_defaults_required=True,  # every field is written, null or not
    )


class JobLine(_Part):
    """One job, as far as its row can be read. `changed_at` is when anything last wrote the row."""

    job: str
    kind: str | None = None
    job_id: str | None = None
    state: str | None = None
    vendor_status: str | None = None
    first_seen_at: str | None = None
    first_seen_by: str | None = None
    changed_at: str | None = None
    next_at: str | None = None
    queries: int = 0
    reason: str | None = None


class Group(_Part):
    """How many jobs are in a bucket or bear a flag, and the first of them by key."""

    name: str
    title: str
    needs_person: bool
    count: int
    jobs: tuple[JobLine, ...] = ()


class Finding(_Part):
    """A difference between a source and the ledger, and the first examples of it."""

    name: str
    title: str
    needs_person: bool
    count: int
    examples: tuple[str, ...] = ()


class Source(_Part):
    """What else knows of jobs. `compared` counts what it named; `note` says why it named no more."""

    name: str
    status: SourceStatus
    compared: int = 0
    findings: tuple[Finding, ...] = ()
    note: str | None = None


class EvidenceCounts(_Part):
    """How many pictures and files that present records name are kept, are still to be, and are lost."""

    kept: int
    pending: int
    lost: int


class CompletenessReport(_Part):
    """Every job first seen from `from_day` to `to_day`: each is in exactly one of `buckets`.

    `digest` is the sha256 over the sorted job keys, each followed by a newline: two reports with the same
    one speak of the same jobs. `flags` say more of jobs that have their bucket already.
    """

    schema_version: Literal[1] = 1
    run: str
    made_at: str
    from_day: str
    to_day: str
    needs_person: bool
    jobs: int
    digest: str
    buckets: tuple[Group, ...]
    flags: tuple[Group, ...]
    oldest_waiting: JobLine | None
    evidence: EvidenceCounts
    sources: tuple[Source, ...]
    warnings: tuple[str, ...]


def report_bytes(report: CompletenessReport) -> bytes:
    """Write a report as one JSON document in UTF-8."""
    return f"{json.dumps(report.model_dump(mode='json'), ensure_ascii=False, indent=2)}\n".encode()


def job_line(row: JobRow) -> JobLine:
    """Say of a job what a reader needs to find and judge it, with nothing secret in it."""
    return JobLine(
        job=row.key,
        kind=row.ref.kind,
        job_id=row.ref.job_id,
        state=row.state.value,
        vendor_status=plain(row.text("vendor_status")),
        first_seen_at=moment(row.number("first_seen_at")),
        first_seen_by=row.text("first_seen_by"),
        changed_at=moment(row.number("updated_at")),
        next_at=moment(row.number("due_at")),
        queries=row.count("queries"),
        reason=plain(_reason(row)),
    )


def _reason(row: JobRow) -> str | None:
    owed = [f"{one.target} never took version {one.version}: {one.reason}" for one in row.undelivered]
    return "; ".join(filter(None, (row.text("reason") or row.text("notes"), *owed))) or None


def moment(ms: int | None) -> str | None:
    """Write a time; None where there is none, or none that a calendar has."""
    if ms is None:
        return None
    try:
        at = datetime.fromtimestamp(ms / 1000, timezone.utc)
    except (OverflowError, ValueError, OSError):
        return None
    return f"{at:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03}Z"


def plain(text: str | None) -> str | None:
    """Give a stranger's text without secrets."""
    return None if text is None else Masker().text(text)


def needs_person(groups: Iterable[Group | Finding]) -> bool:
    """Tell whether any of the groups holds something that only a person can end."""
    return any(group.needs_person and group.count for group in groups)
