"""Look at a ledger and its archive before another release works on them. Nothing is written.

Most of a change of release needs nobody: rows keep what a release does not know, a newer normalizer moves
records by a replay, tables get their new columns when they are opened. What is found here is the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from shared import archive, effects
from shared.backfill import lacking
from shared.errors import CorruptRowError, ObjectNotFoundError, ParseError
from shared.job_row import JobRow, read_job
from shared.ports import Services
from shared.record import read_record

RECORDS = 20
"""How many records are read of each kind and normalizer: they were written by the same code."""

_EXAMPLES = 20


@dataclass
class Compatibility:
    """What was seen: jobs, rows and records that cannot be read with the reason, what only others know.

    `unlisted` jobs lack columns of indexes, which `backfill` adds. `normalizers` counts settled jobs by kind
    and the version of what normalized them.
    """

    jobs: int = 0
    unlisted: int = 0
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    unreadable_count: int = 0
    unknown_effects: Counter[str] = field(default_factory=Counter)
    unknown_kinds: Counter[str] = field(default_factory=Counter)
    normalizers: Counter[tuple[str, int]] = field(default_factory=Counter)
    records_read: int = 0

    @property
    def needs_a_person(self) -> bool:
        """Tell whether this version must not work here as it is."""
        return bool(self.unreadable_count or self.unknown_effects or self.unknown_kinds)

    def refuse(self, key: str, reason: str) -> None:
        """Count a row or record that cannot be read."""
        self.unreadable_count += 1
        if len(self.unreadable) < _EXAMPLES:
            self.unreadable.append((key, reason))


def check(services: Services, keys: Sequence[str], seen: Compatibility) -> None:
    """Look at some jobs, and add to what was seen."""
    done = services.parallel.run([partial(read_job, services.ledger, key) for key in keys])
    to_read: list[JobRow] = []
    for key, one in zip(keys, done, strict=True):
        seen.jobs += 1
        if isinstance(one.error, CorruptRowError):
            seen.refuse(key, str(one.error))
        elif (row := one.result()) is not None:
            to_read += _look_at(services, row, seen)
    read = services.parallel.run([partial(_unreadable, services, row) for row in to_read])
    for row, reason in zip(to_read, read, strict=True):
        seen.records_read += 1
        if reason.result() is not None:
            seen.refuse(row.key, str(reason.result()))


def _look_at(services: Services, row: JobRow, seen: Compatibility) -> list[JobRow]:
    """Count what a row says; give it back if its record is to be read."""
    kind = row.ref.kind
    seen.unlisted += bool(lacking(row))
    seen.unknown_kinds.update([kind] if kind not in services.kinds else [])
    seen.unknown_effects.update(one.name for one in row.effects if one.name not in effects.NAMES)
    if row.text("digest") is None:
        return []
    made_by = (kind, row.count("normalizer_version"))
    seen.normalizers[made_by] += 1
    return [row] if seen.normalizers[made_by] <= RECORDS else []


def _unreadable(services: Services, row: JobRow) -> str | None:
    """Say why the record of a row cannot be read; None when it can."""
    try:
        read_record(services.objects.get(archive.version_key(row.ref, row.text("digest") or "")))
    except (ParseError, ObjectNotFoundError) as error:
        return str(error)
    return None
