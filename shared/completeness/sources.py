"""What others know of jobs, against the ledger: the archive and submit lists; and who cannot be asked.

A source that names nothing is told apart from one that agrees, one that was not asked from one that
cannot be: no zero is taken on trust.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from itertools import groupby
from urllib.parse import unquote

from shared.completeness.comparison import Comparison, Tally
from shared.completeness.report import Source
from shared.completeness.survey import Window, side_by_side
from shared.errors import CorruptRowError, InvalidJobIdError
from shared.job_row import read_job
from shared.jobs import JobRef
from shared.ports import Services
from shared.tables import INBOX, nameless_key

RAW, QUARANTINE, SUBMITTED = "archive raw/", "archive quarantine/", "submit list"

NOT_LISTABLE: Mapping[str, str] = {
    # media-jobs.md 4, "Reconciliation APIs".
    "MPS video quality": "the vendor has no list of these jobs; import what was submitted",
    "MPS intelligent production": "the vendor has no list of these jobs; import what was submitted",
    "ICE intelligent production": "ListSmartJobs leaves these jobs out; import what was submitted",
}

_DIGEST = re.compile(r"[0-9a-f]{64}")


def archived_answers(services: Services) -> Source:
    """Look for answers under `raw/` whose job has no row: a row was lost, or is in another ledger."""
    missing = Tally("without_row", "answers of jobs that the ledger does not know", needs_person=True)
    foreign = Tally("foreign", "objects that no job of ours can have")
    comparison = Comparison(services)
    folders = groupby(services.objects.keys("raw"), key=lambda key: key.rpartition("/")[0])
    for chunk in comparison.chunks((folder, sum(1 for _ in keys)) for folder, keys in folders):
        refs: list[JobRef] = []
        for folder, count in chunk:
            comparison.compared += count
            ref = _ref_of(folder)
            if ref is None:
                foreign.add(folder)
            else:
                refs.append(ref)
        for ref in comparison.not_in_ledger(refs):
            missing.add(ref.key)
    return comparison.source(RAW, missing, foreign)


def kept_unreadable(services: Services, window: Window, kept_answers: Set[str]) -> Source:
    """Look at what was set aside as unreadable on the days of the window, and for rows that name it.

    What no row names need not be lost: its job may be older than the window, or was released since.
    """
    kept = {
        "unreadable": Tally("unreadable", "deliveries that nobody could read", needs_person=True),
        "refused": Tally("refused_announcements", "announcements that were refused", needs_person=True),
    }
    unnamed = Tally("without_row", "objects that no row of this window names")
    comparison = Comparison(services)
    for chunk in comparison.chunks(
        key for day in window.days() for key in services.objects.keys(f"quarantine/{day}")
    ):
        comparison.compared += len(chunk)
        done = side_by_side(services, lambda key: _why_kept(services, key), chunk)
        for key, one in zip(chunk, done, strict=True):
            if (why := one.result()) is not None:
                kept[why].add(key)
            elif key not in kept_answers:
                unnamed.add(key)
    source = comparison.source(QUARANTINE, *kept.values(), unnamed)
    if source.status != "empty":
        return source
    # An empty quarantine is what one hopes for: no warning.
    return source.model_copy(update={"status": "compared", "note": "nothing was set aside"})


def submitted(
    services: Services, jobs: Iterable[JobRef], *, name: str = SUBMITTED, unreadable: Iterable[str] = ()
) -> Source:
    """Compare a list of submitted jobs: each must be in the ledger, whenever it was first seen.

    `unreadable` says of lines that name no job what is wrong with them: their jobs are not compared. Holds
    the keys of the list, to count a job that stands in it twice once.
    """
    unread = Tally("unreadable_lines", "lines that nobody could read", needs_person=True)
    for line in unreadable:
        unread.add(line)
    missing = Tally("missing", "submitted jobs that the ledger does not know", needs_person=True)
    corrupt = Tally("corrupt", "submitted jobs whose rows cannot be read", needs_person=True)
    unsettled = Tally("not_settled", "submitted jobs that are not settled")
    comparison, seen = Comparison(services), set[str]()
    for chunk in comparison.chunks(jobs):
        keys = [key for key in dict.fromkeys(ref.key for ref in chunk) if key not in seen]
        seen.update(keys)
        done = side_by_side(services, lambda key: read_job(services.ledger, key), keys)
        for key, one in zip(keys, done, strict=True):
            if isinstance(one.error, CorruptRowError):
                corrupt.add(key)
            elif (row := one.result()) is None:
                missing.add(key)
            elif not row.state.is_terminal:
                unsettled.add(f"{key} ({row.state.value})")
    comparison.compared = len(seen)
    return comparison.source(name, missing, corrupt, unread, unsettled)


def not_listable() -> tuple[Source, ...]:
    """Name the sources that nobody can list."""
    return tuple(Source(name=name, status="not_listable", note=why) for name, why in NOT_LISTABLE.items())


def not_asked(name: str, how: str) -> Source:
    """Name a source that was left out, and how to ask it."""
    return Source(name=name, status="not_asked", note=how)


def _ref_of(path: str) -> JobRef | None:
    """Read `raw/<kind>/<encoded job id>` back; None for what `JobRef.path` never gives."""
    kind, _, encoded = path.removeprefix("raw/").partition("/")
    try:
        ref = JobRef(kind, unquote(encoded))
    except InvalidJobIdError:
        return None
    return ref if f"raw/{ref.path}" == path else None


def _why_kept(services: Services, key: str) -> str | None:
    """Tell what the inbox calls the object: an `unreadable` delivery, or `refused` announcements."""
    name = key.rpartition("/")[2]
    if not _DIGEST.fullmatch(name):
        return None
    for why in ("unreadable", "refused"):
        if services.ledger.under(INBOX, nameless_key(why, name), columns=(), limit=1).rows:
            return why
    return None
