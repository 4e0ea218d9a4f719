"""Ask the vendor about a job: the query, the result files beside it, and the record they make."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from shared import archive, large_parts, leasing
from shared.answers import Answered
from shared.errors import (
    ContendedError,
    FileTooLargeError,
    NoTimeLeftError,
    ObjectNotFoundError,
    OversizedAnswerError,
    SettingError,
    WrongJobError,
)
from shared.findings_file import FindingsFile
from shared.job_row import JobRow
from shared.kinds import JobQuery, Kind
from shared.kinds.kind import ResultFile
from shared.leasing import Lease
from shared.ports import Services
from shared.record import canonical_bytes, digest
from shared.vendor import Part

LOG = logging.getLogger(__name__)

RESERVE = 5_000
"""What is left of the lease and of the invocation for archiving and committing after the query."""


def ask(services: Services, lease: Lease, raw: list[Part], lines: FindingsFile) -> Answered:
    """Query and normalize; what was received is in `raw` even when that fails.

    Findings that the record has no room for are in `lines`.

    Raise whatever the vendor, a store or the kind has to say: `settlement` decides what it means.
    """
    row = lease.row
    kind = services.kinds.get(row.ref.kind)
    if kind is None:
        raise SettingError("this kind of job is not understood here", job=row.key, kind=row.ref.kind)
    query = _query(services, row)
    deadline = min(services.deadline, lease.until) - RESERVE
    if services.clock.now() >= deadline:
        raise NoTimeLeftError("no time left to ask the vendor", job=row.key)
    try:
        request = replace(kind.request(query), user_id=query.user_id)
        raw.append(services.media_api.call(request, deadline=deadline).part)
    except OversizedAnswerError as error:
        raw.append(Part("answer", "txt", error.received))
        raise
    notes = _fetch(services, lease, kind.files(raw, query), raw)
    return normalized(row, kind, tuple(raw), notes, lines)


def _query(services: Services, row: JobRow) -> JobQuery:
    """Say what is known of the job's submission: its own word first, then what is set."""
    policy = services.policy
    return JobQuery(
        row.ref.job_id,
        region=row.text("region") or policy.region,
        user_id=row.text("user_id") or policy.user_id,
        output=row.text("output") or policy.outputs.get(row.ref.kind),
    )


def _fetch(services: Services, lease: Lease, files: Sequence[ResultFile], raw: list[Part]) -> tuple[str, ...]:
    """Read result files into `raw`; give a note for each that could not be had.

    A job is settled without such a file as well as it can be: the vendor's answer stands.
    """
    notes: list[str] = []
    for file in files:
        if file.uri is None:
            notes.append(f"{file.part} unlocated")
            continue
        try:
            raw.append(_read(services, lease, file, file.uri))
        except ObjectNotFoundError:
            notes.append(f"{file.part} missing")
        except FileTooLargeError:
            notes.append(f"{file.part} too large")
        except SettingError as error:
            LOG.warning("a result file cannot be read from here: %s", error, extra={"job": lease.row.key})
            notes.append(f"{file.part} unreachable")
    return tuple(notes)


def _read(services: Services, lease: Lease, file: ResultFile, uri: str) -> Part:
    """Read a result file; a large one takes longer than a lease as a rule, which is prolonged for it."""
    try:
        return Part(file.part, file.format, services.result_files.read(uri))
    except FileTooLargeError:
        until = min(services.deadline, services.clock.now() + services.policy.large_lease)
        if not leasing.prolong(services, lease, until=until):
            raise ContendedError("another holder took over", job=lease.row.key) from None
        return large_parts.fetched(services, file, uri, deadline=until - RESERVE)


def normalized(
    row: JobRow, kind: Kind, raw: tuple[Part, ...], notes: tuple[str, ...], lines: FindingsFile
) -> Answered:
    """Make a job's record of raw parts; raise what the kind has to say, or `WrongJobError`."""
    record = kind.record(raw, lines)
    # The page of QueryVideoQualityJob shows such an answer (query-apis.md 6, quirk 12). Recorded, it would
    # be another job's verdict. No page says whether case matters in an id.
    if record.job.job_id.casefold() != row.ref.job_id.casefold():
        raise WrongJobError(
            "the answer is about another job", asked=row.ref.job_id, answered=record.job.job_id[:128]
        )
    stored = canonical_bytes(record)
    parts = tuple(archive.stored_part(row.ref, part) for part in raw)
    return Answered(record, digest(stored), stored, raw, parts, notes, lines=lines)
