"""Partitions of an index, or of look-up rows, read beside each other and given as one list in its order.

Each is read a page at a time, and no further than its entries are asked for.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from shared import lookups
from shared.due import BUCKETS
from shared.ports import Ledger, Services
from shared.tables import JOBS, LOOKUPS, Index, Row

Place = tuple[int, str]
"""When a job was first seen, is due or began to need a person, and its key."""

END_OF_TIME = 2**62


@dataclass(frozen=True)
class Hint:
    """An entry: its place, and what else it says. The job's row decides."""

    place: Place
    says: Row

    @property
    def key(self) -> str:
        """Give the key of the job."""
        return self.place[1]


class Source(Protocol):
    """Partitions of one order."""

    @property
    def partitions(self) -> Sequence[str]:
        """Name them."""
        ...

    @property
    def is_reversed(self) -> bool:
        """Tell whether those of the highest rank come first."""
        ...

    def rank(self, place: Place) -> Place:
        """Give what entries are ordered by."""
        ...

    def read(
        self, ledger: Ledger, partition: str, *, limit: int, after: Place | None
    ) -> tuple[list[Hint], bool]:
        """Read a page, and tell whether there is more."""
        ...


@dataclass(frozen=True)
class IndexSource:
    """Partitions of an index of `jobs`, up to and including a position."""

    index: Index
    partitions: Sequence[str]
    is_reversed: bool = True
    upto: int = END_OF_TIME

    def rank(self, place: Place) -> Place:
        """See `Source.rank`."""
        return place

    def read(
        self, ledger: Ledger, partition: str, *, limit: int, after: Place | None
    ) -> tuple[list[Hint], bool]:
        """See `Source.read`."""
        group, position = self.index.columns
        page = ledger.scan(
            JOBS,
            self.index,
            partition,
            upto=self.upto,
            limit=limit,
            after=None if after is None else {group: partition, position: after[0], "job_key": after[1]},
            newest_first=self.is_reversed,
        )
        return [Hint((_number(row[position]), str(row["job_key"])), row) for row in page.rows], (
            page.after is not None
        )


@dataclass(frozen=True)
class LookupSource:
    """The look-up rows of a term, of jobs that were first seen up to and including a moment; newest first."""

    what: lookups.What
    value: str
    upto: int = END_OF_TIME
    is_reversed: bool = False

    @property
    def partitions(self) -> Sequence[str]:
        """See `Source.partitions`."""
        return [lookups.term(bucket, self.what, self.value) for bucket in BUCKETS]

    def rank(self, place: Place) -> Place:
        """See `Source.rank`: of one moment, keys are in their order."""
        return (-place[0], place[1])

    def read(
        self, ledger: Ledger, partition: str, *, limit: int, after: Place | None
    ) -> tuple[list[Hint], bool]:
        """See `Source.read`."""
        last = lookups.entry(*(after or (self.upto, "")))
        page = ledger.under(
            LOOKUPS, partition, columns=(), limit=limit, after={"term": partition, "entry": last}
        )
        return [Hint(lookups.place_of(str(row["entry"])), row) for row in page.rows], page.after is not None


def merged(services: Services, source: Source, *, page: int, after: Place | None) -> Iterator[Hint]:
    """Give the entries of all partitions in their order, those behind `after`, reading `page` at a time."""
    partitions = source.partitions
    first = services.parallel.run(
        [
            partial(source.read, services.ledger, partition, limit=page, after=after)
            for partition in partitions
        ]
    )
    streams = [
        _stream(services.ledger, source, partition, begun.result(), page)
        for partition, begun in zip(partitions, first, strict=True)
    ]
    return heapq.merge(*streams, key=lambda hint: source.rank(hint.place), reverse=source.is_reversed)


def _stream(
    ledger: Ledger, source: Source, partition: str, first: tuple[list[Hint], bool], page: int
) -> Iterator[Hint]:
    hints, has_more = first
    while True:
        yield from hints
        if not has_more:
            return
        hints, has_more = source.read(ledger, partition, limit=page, after=hints[-1].place)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
