"""Pages of jobs: what a person asks the ledger for, answered from its indexes.

Each filter has one index that leads to few jobs beside those it means; what else is asked is held against
the jobs' own rows, which decide. No page examines more than `MOST_EXAMINED` entries of an index, however
much there is: it may be short, or empty, and still have something after it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice, takewhile

from shared import lookups
from shared.due import BUCKETS
from shared.errors import CorruptRowError, InvalidJobIdError, ParseError
from shared.job_filter import Filter
from shared.job_row import JobRow, read_job
from shared.jobs import JobRef, State, kind_of, refs_named
from shared.merging import END_OF_TIME, Hint, IndexSource, LookupSource, Place, Source, merged
from shared.ports import Done, Services
from shared.tables import JOBS_ATTENTION, JOBS_BY_DAY, JOBS_BY_KIND, JOBS_DUE

MOST_EXAMINED = 1_000
"""How many entries of an index one page looks at."""

_OPEN = (State.TRACKED, State.RUNNING)
_SET_ASIDE = (State.QUARANTINED, State.UNKNOWN)


@dataclass(frozen=True)
class Listing:
    """A page of jobs, newest first; `after` continues it, None at the end.

    Those that are open come in the order in which they are due, those that need a person in that in which
    they began to, the latest first. `examined` counts entries of an index. `unreadable` are keys of jobs
    whose rows this version cannot read: whether they are meant nobody knows.
    """

    rows: tuple[JobRow, ...]
    after: str | None
    examined: int
    unreadable: tuple[str, ...] = ()


def list_jobs(services: Services, wanted: Filter, *, limit: int, after: str | None = None) -> Listing:
    """Give the next page; raise `ParseError` for an `after` that is none of this filter."""
    place = None if after is None else _place_of(after, wanted)
    if wanted.job_id is not None:
        return _named(services, wanted, wanted.job_id)
    source = _source(services, wanted)
    hints = merged(services, source, page=limit // 2 + 1, after=place)
    if _is_by_first_sight(source):
        hints = takewhile(lambda hint: hint.place[0] >= wanted.first, hints)
    return _page(services, wanted, hints, limit)


def _page(services: Services, wanted: Filter, hints: Iterator[Hint], limit: int) -> Listing:
    rows: list[JobRow] = []
    unreadable: list[str] = []
    examined, last = 0, None
    # One more than can be given tells whether there is more.
    for hint, read in _examined(services, wanted, hints, limit + 1):
        if len(rows) == limit or examined == MOST_EXAMINED:
            break
        examined, last = examined + 1, hint
        if isinstance(read.error, CorruptRowError):
            unreadable.append(hint.key)
        elif (row := read.result()) is not None and wanted.means(row):
            rows.append(row)
    else:
        last = None
    after = None if last is None else _cursor(wanted, last.place)
    return Listing(tuple(rows), after, examined, tuple(unreadable))


def _examined(
    services: Services, wanted: Filter, hints: Iterator[Hint], size: int
) -> Iterator[tuple[Hint, Done[JobRow | None]]]:
    """Read the rows of entries, so many at a time; of a job that is not meant, or came before, none."""
    known: set[str] = set()
    while batch := list(islice(hints, size)):
        likely = {hint.key: hint for hint in batch if hint.key not in known and _may_be_meant(wanted, hint)}
        read = dict(zip(likely, _read(services, list(likely)), strict=True))
        for hint in batch:
            yield hint, read.get(hint.key, Done()) if likely.get(hint.key) is hint else Done()
        known.update(likely)


def _named(services: Services, wanted: Filter, name: str) -> Listing:
    keys = [ref.key for ref in refs_named(name, services.kinds)]
    found = list(zip(keys, _read(services, keys), strict=True))
    unreadable = tuple(key for key, read in found if isinstance(read.error, CorruptRowError))
    rows = [read.result() for key, read in found if key not in unreadable]
    meant = tuple(row for row in rows if row is not None and wanted.means(row))
    return Listing(meant, None, len(keys), unreadable)


def _read(services: Services, keys: Sequence[str]) -> list[Done[JobRow | None]]:
    return services.parallel.run([partial(read_job, services.ledger, key) for key in keys])


def _source(services: Services, wanted: Filter) -> Source:
    """Choose the index that leads to the fewest jobs which are not meant."""
    if wanted.needs is not None or wanted.state in _SET_ASIDE:
        return IndexSource(JOBS_ATTENTION, BUCKETS)
    if wanted.state in _OPEN and wanted.day is None:
        return IndexSource(JOBS_DUE, BUCKETS, is_reversed=False)
    # What is open stands under no term.
    if wanted.state not in _OPEN and (term := _term(wanted)) is not None:
        return LookupSource(*term, upto=wanted.last)
    if wanted.day is not None:
        return IndexSource(JOBS_BY_DAY, [f"{bucket}.{wanted.day.isoformat()}" for bucket in BUCKETS])
    kinds = tuple(services.kinds) if wanted.kind is None else (wanted.kind,)
    return IndexSource(JOBS_BY_KIND, [f"{bucket}.{kind}" for kind in kinds for bucket in BUCKETS])


def _term(wanted: Filter) -> tuple[lookups.What, str] | None:
    """Give the term under which the fewest jobs stand."""
    found: list[tuple[lookups.What, str | None]] = [
        ("media", wanted.media_id),
        ("callback", "lost" if wanted.lost_callback else None),
        ("label", wanted.label),
        ("state", wanted.state.value if wanted.state is State.FAILED else None),
        ("verdict", wanted.verdict),
    ]
    return next(((what, value) for what, value in found if value), None)


def _is_by_first_sight(source: Source) -> bool:
    return isinstance(source, LookupSource) or (
        isinstance(source, IndexSource) and source.index in (JOBS_BY_DAY, JOBS_BY_KIND)
    )


def _may_be_meant(wanted: Filter, hint: Hint) -> bool:
    """Leave out what an index says is not meant, so that its row need not be read."""
    if wanted.kind not in (None, kind_of(hint.key)):
        return False
    told = hint.says.get("attention")  # an index may leave it out
    return wanted.needs in (None, "any") or told is None or wanted.needs in str(told).split(",")


def _cursor(wanted: Filter, place: Place) -> str:
    body = json.dumps([_digest(wanted), *place], separators=(",", ":"))
    return base64.urlsafe_b64encode(body.encode()).decode().rstrip("=")


def _place_of(cursor: str, wanted: Filter) -> Place:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        match json.loads(base64.b64decode(padded, altchars=b"-_", validate=True)):
            case [str(digest), int(position), str(key)] if digest == _digest(wanted):
                if 0 <= position <= END_OF_TIME and not isinstance(position, bool):
                    return position, JobRef.from_key(key).key
    except (ValueError, RecursionError, InvalidJobIdError):
        pass
    raise ParseError("`after` is none of these jobs: begin at the first page", layer="cursor")


def _digest(wanted: Filter) -> str:
    return hashlib.sha256(json.dumps(wanted.values, sort_keys=True).encode()).hexdigest()[:12]
