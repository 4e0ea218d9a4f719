"""Which jobs are replayed: by kind and day of first sight, read from the index page by page."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from typing import Any

from shared.due import BUCKETS
from shared.errors import ParseError
from shared.jobs import JobRef
from shared.kinds import Kind
from shared.ports import Ledger, Services
from shared.tables import JOBS, JOBS_BY_DAY, Row

BATCH = 200
"""Jobs that are done between two notes of how far a run is."""

MOST_DAYS = 3_660
"""How far back a selection goes at most: each day is sixteen reads of the index, jobs or not."""

_END_OF_TIME = 2**62

# A day and a bucket: in this order they are read.
_Place = tuple[str, str]


@dataclass(frozen=True)
class Selection:
    """Jobs of some kinds, first seen on some days, UTC, both included; of one shard `of` so many.

    Without kinds, of any; without a first day, of the last ten years; without a last one, to the present.
    """

    kinds: tuple[str, ...] = ()
    first: date | None = None
    last: date | None = None
    number: int = 0
    of: int = 1

    @classmethod
    def read(cls, tree: Mapping[str, Any]) -> Selection:
        """Read what `document` wrote; raise `ParseError` for anything else."""
        try:
            first, last = (_day(tree[name]) for name in ("first", "last"))
            kinds = tuple(str(kind) for kind in tree["kinds"])
            selection = cls(kinds, first, last, int(tree["number"]), int(tree["of"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ParseError("no `kinds`, `first`, `last`, `number` and `of`", layer="replay") from error
        if not 0 <= selection.number < selection.of <= len(BUCKETS):
            raise ParseError(f"not a shard of at most {len(BUCKETS)}", layer="replay", field="number")
        return selection

    def document(self) -> dict[str, Any]:
        """Give it, ready for JSON."""
        days = {name: day and day.isoformat() for name, day in (("first", self.first), ("last", self.last))}
        return {"kinds": list(self.kinds), **days, "number": self.number, "of": self.of}

    def has(self, key: str) -> bool:
        """Tell whether a job of the selection's days is in it."""
        return not self.kinds or JobRef.from_key(key).kind in self.kinds

    def shards(self, of: int) -> list[Selection]:
        """Divide it."""
        return [replace(self, number=number, of=of) for number in range(of)]

    def name(self, kinds: Mapping[str, Kind], *, deliver: bool) -> str:
        """Name the run over it: who asks for the same again goes on where that stopped."""
        versions = {name: kinds[name].normalizer_version for name in self.kinds or kinds if name in kinds}
        wanted = json.dumps([self.document(), versions, deliver], sort_keys=True)
        return f"replay.{hashlib.sha256(wanted.encode()).hexdigest()[:16]}.{self.number}-of-{self.of}"

    def places(self, now: int) -> Iterator[_Place]:
        """Give the partitions of the index in order, day by day; one day more, for clocks ahead of ours."""
        today = datetime.fromtimestamp(now / 1000, timezone.utc).date()
        last = self.last or today + timedelta(days=1)
        first = self.first or today - timedelta(days=MOST_DAYS)
        for number in range((last - first).days + 1):
            day = (first + timedelta(days=number)).isoformat()
            for bucket in BUCKETS[self.number :: self.of]:
                yield day, bucket


def _day(text: object) -> date | None:
    return None if text is None else date.fromisoformat(str(text))


@dataclass(frozen=True)
class Cursor:
    """How far a selection was read: a place, and the last row that was read there; None for all of them."""

    place: _Place
    after: Row | None

    @classmethod
    def read(cls, text: str) -> Cursor:
        """Read what `text` wrote; raise `ParseError` for anything else."""
        match json.loads(text):
            case {"place": [str(day), str(bucket)], "after": None | dict() as after}:
                return cls((day, bucket), after)
        raise ParseError("no cursor of a replay", layer="replay")

    @property
    def text(self) -> str:
        """Write it down."""
        return json.dumps({"place": self.place, "after": self.after})


@dataclass(frozen=True)
class Batch:
    """Keys of jobs, and the cursor when they are done."""

    keys: Sequence[str]
    cursor: Cursor


def batches(services: Services, selection: Selection, begin: Cursor | None = None) -> Iterator[Batch]:
    """Read a selection from the index, from a cursor on. What the index lags behind with is not seen."""
    for place in selection.places(services.clock.now()):
        if begin is None or place > begin.place:
            yield from _of_place(services.ledger, selection, place, None)
        elif place == begin.place and begin.after is not None:
            yield from _of_place(services.ledger, selection, place, begin.after)


def _of_place(ledger: Ledger, selection: Selection, place: _Place, after: Row | None) -> Iterator[Batch]:
    day, bucket = place
    while True:
        page = ledger.scan(JOBS, JOBS_BY_DAY, f"{bucket}.{day}", upto=_END_OF_TIME, limit=BATCH, after=after)
        after = page.after
        keys = [str(hint["job_key"]) for hint in page.rows]
        chosen = [key for key in keys if selection.has(key)]
        if chosen:
            yield Batch(chosen, Cursor(place, after))
        if after is None:
            return
