"""Give jobs that an older release wrote what lists find them by: columns of indexes, and look-up rows.

May be done any number of times, beside everything else; what is there stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from shared import archive, attention, lookups
from shared.errors import ContendedError, CorruptRowError, ObjectNotFoundError, ParseError
from shared.job_row import JobRow, read_job, seen_kind
from shared.ports import Change, Services
from shared.record import read_record
from shared.tables import JOBS


@dataclass
class Backfilled:
    """How many jobs were looked at, and to how many rows something was added; what could not be read.

    A job whose record cannot be read is completed by what its row says.
    """

    jobs: int = 0
    changed: int = 0
    unreadable: list[str] = field(default_factory=list)


def backfill(services: Services, keys: Sequence[str], done: Backfilled) -> None:
    """Complete some jobs, and add to what was done. Raise `ContendedError` when others kept winning a row."""
    outcomes = services.parallel.run([partial(_complete, services, key) for key in keys])
    for key, outcome in zip(keys, outcomes, strict=True):
        done.jobs += 1
        if isinstance(outcome.error, (CorruptRowError, ObjectNotFoundError, ParseError)):
            done.unreadable.append(key)
        else:
            done.changed += bool(outcome.result())


def _complete(services: Services, key: str) -> bool:
    for _ in range(services.policy.contention):
        row = read_job(services.ledger, key)
        if row is None:
            return False
        media_id, unread = _media_id(services, row)
        change = {**lacking(row), **({} if media_id is None else {"media_id": media_id})}
        when = row.as_read("digest", "media_id", "seen_kind", *attention.INPUTS)
        if change and not services.ledger.update(JOBS, (key,), change, when):
            continue
        if row.text("digest") is not None:
            lookups.put(services.ledger, row.changed(change))
        if unread is not None:
            raise unread
        return bool(change)
    raise ContendedError("the row changed under every attempt to complete it", job=key)


def lacking(row: JobRow) -> Change:
    """Give the columns that indexes need and a row lacks."""
    kind = seen_kind(row.key)
    change: Change = attention.columns(
        row.key, row.columns, {n: row.columns.get(n) for n in attention.INPUTS}
    )
    if row.text("seen_kind") != kind:
        change = {**change, "seen_kind": kind}
    return change


def _media_id(services: Services, row: JobRow) -> tuple[str | None, Exception | None]:
    """Give the media id that a row lacks and its record has, or why nobody can say."""
    digest = row.text("digest")
    if row.text("media_id") is not None or digest is None:
        return None, None
    try:
        record = read_record(services.objects.get(archive.version_key(row.ref, digest)))
    except (ObjectNotFoundError, ParseError) as error:
        return None, error
    return record.media.media_id or None, None
