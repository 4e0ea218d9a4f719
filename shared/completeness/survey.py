"""Count the jobs of a window from their rows, page by page.

The keys of one sixteenth of the jobs are held at a time, for the digest: a day's sixteen partitions go
by the first digit of the key, which is the order of the keys too. Beside them are held the media, when
they are asked for, and the names of what rows keep in quarantine.
"""

from __future__ import annotations

import hashlib
import string
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from typing import TypeVar

from shared import evidence_rows
from shared.completeness.buckets import (
    BUCKETS,
    DELIVERIES_LOOKED_AT,
    FLAGS,
    Rule,
    Sighting,
    bucket_of,
    flags_of,
)
from shared.completeness.report import EXAMPLES, Group, JobLine, job_line, plain
from shared.errors import CorruptRowError
from shared.evidence import Tally, tally
from shared.job_row import JobRow, read_job
from shared.kinds import vod_media_audit
from shared.ports import Done, Services
from shared.tables import INBOX, JOBS, JOBS_BY_DAY, Row

T = TypeVar("T")

# Decided by reading the row: nothing that could be classified comes of such a one.
CORRUPT = Rule("corrupt", "rows that cannot be read", lambda _: False, needs_person=True)

_PARTITIONS = string.hexdigits[:16]
_END_OF_TIME = 2**62
_PAGE = 1_000


@dataclass(frozen=True)
class Window:
    """Days of first sight, UTC, both included."""

    first: date
    last: date

    def days(self) -> Iterator[str]:
        """Give the days as they stand in keys."""
        for number in range((self.last - self.first).days + 1):
            yield (self.first + timedelta(days=number)).isoformat()


@dataclass
class Survey:
    """What was counted, and what the comparison with other sources needs of it.

    `kept_answers` are the keys under `quarantine/` that rows name. `media` are VOD media ids with the
    region to ask in, if they were asked for.
    """

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[JobLine]] = field(default_factory=lambda: defaultdict(list))
    oldest_waiting: JobRow | None = None
    digest: str = ""
    evidence: Tally = field(default_factory=Tally)
    kept_answers: set[str] = field(default_factory=set)
    media: dict[str, str | None] = field(default_factory=dict)

    @property
    def jobs(self) -> int:
        """Tell how many jobs there are: each is in one bucket."""
        return sum(self.counts[rule.name] for rule in (CORRUPT, *BUCKETS))

    def buckets(self) -> tuple[Group, ...]:
        """Give every bucket, the empty ones too."""
        return tuple(self._group(rule) for rule in (CORRUPT, *BUCKETS))

    def flags(self) -> tuple[Group, ...]:
        """Give every flag, the unused ones too."""
        return tuple(self._group(rule) for rule in FLAGS)

    def add(self, sighting: Sighting, *, with_media: bool) -> None:
        """Count a job that can be read."""
        row = sighting.row
        for rule in (bucket_of(sighting), *flags_of(sighting)):
            self._count(rule, lambda: job_line(row))
        self.evidence += sighting.evidence
        if sighting.is_waiting and (self.oldest_waiting is None or _seen(row) < _seen(self.oldest_waiting)):
            self.oldest_waiting = row
        self.kept_answers.update(part.key for part in row.raw_parts if part.key.startswith("quarantine/"))
        media_id = row.text("media_id")
        if with_media and media_id and row.ref.kind == vod_media_audit.NAME:
            self.media[media_id] = row.text("region")

    def add_corrupt(self, key: str, error: CorruptRowError | None) -> None:
        """Count a job whose row this version cannot read, or that the index names and the table lacks."""
        cause = "the index names it, the table has no such row" if error is None else str(error)
        self._count(CORRUPT, lambda: JobLine(job=key, reason=plain(cause)))

    def _count(self, rule: Rule, line: Callable[[], JobLine]) -> None:
        self.counts[rule.name] += 1
        if len(self.examples[rule.name]) < EXAMPLES:
            self.examples[rule.name].append(line())

    def _group(self, rule: Rule) -> Group:
        return Group(
            name=rule.name,
            title=rule.title,
            needs_person=rule.needs_person,
            count=self.counts[rule.name],
            jobs=tuple(self.examples[rule.name]),
        )


def survey(services: Services, window: Window, *, now: int, with_media: bool = False) -> Survey:
    """Read every job of the window and count it; what the index lags behind with is not seen yet."""
    seen, digest = Survey(), hashlib.sha256()
    for partition in _PARTITIONS:
        keys: list[str] = []
        for day in window.days():
            for page in _pages(services, f"{partition}.{day}"):
                page_keys = [str(hint["job_key"]) for hint in page]
                keys += page_keys
                _add_page(services, seen, page_keys, now=now, with_media=with_media)
        for key in sorted(keys):
            digest.update(f"{key}\n".encode())
    seen.digest = digest.hexdigest()
    return seen


def side_by_side(services: Services, task: Callable[[str], T], keys: Sequence[str]) -> list[Done[T]]:
    """Do one task for each key, beside each other."""
    return services.parallel.run([partial(task, key) for key in keys])


def _pages(services: Services, partition: str) -> Iterator[Sequence[Row]]:
    after: Row | None = None
    while True:
        page = services.ledger.scan(JOBS, JOBS_BY_DAY, partition, upto=_END_OF_TIME, limit=_PAGE, after=after)
        if page.rows:
            yield page.rows
        after = page.after
        if after is None:
            return


def _add_page(services: Services, seen: Survey, keys: Sequence[str], *, now: int, with_media: bool) -> None:
    done = side_by_side(services, lambda key: _sight(services, key, now), keys)
    for key, one in zip(keys, done, strict=True):
        if isinstance(one.error, CorruptRowError):
            seen.add_corrupt(key, one.error)
        elif (sighting := one.result()) is None:
            seen.add_corrupt(key, None)
        else:
            seen.add(sighting, with_media=with_media)


def _sight(services: Services, key: str, now: int) -> Sighting | None:
    row = read_job(services.ledger, key)
    if row is None:
        return None
    most = min(row.count("notified"), DELIVERIES_LOOKED_AT)
    # Who was never told of has nothing in the inbox to count.
    stored = services.ledger.under(INBOX, key, columns=(), limit=most).rows if most else ()
    # The row says how much there is; a job without any costs no read.
    kept = evidence_rows.read_all(services.ledger, key) if row.count("evidence") else {}
    counted = tally(kept.values(), row.text("digest"), now)
    return Sighting(row, len(stored), now, services.policy, counted)


def _seen(row: JobRow) -> int:
    return row.count("first_seen_at")
