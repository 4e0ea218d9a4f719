"""What is due, in a fair order, however much it is.

Jobs that keep failing gather at one end of the order in which jobs are due: a vendor that is away leaves a
prefix of them behind. So a run works from both ends, the oldest and the newest, and charges each end for
what its jobs cost: 1 for a job that went forward, `_FAILED` for one that did not. The next job is always of
the end that was charged less. Two good ends take turns, and so do two bad ones; a bad end beside a good one
gets one job in `_FAILED + 1`, which keeps it moving and shows when it is good again. Nothing else is
remembered: what is done is not due any more, so a run that is broken off needs no checkpoint.

Rows are read a page at a time, each at most once but where the two ends meet.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from shared.ports import Ledger
from shared.tables import JOBS, JOBS_DUE, Row

BUCKETS = "0123456789abcdef"
"""Partitions of `jobs_due`: first digits of job keys."""

End = Literal["oldest", "newest"]

_ENDS: tuple[End, End] = ("oldest", "newest")
_PAGE = 200
_FAILED = 16


@dataclass(frozen=True)
class Hint:
    """What the index says is due, and from which end it was taken. The row decides: an index lags."""

    key: str
    due_at: int
    end: End


class DueJobs:
    """Jobs that are due by `now`; each is given once. `page` is how many rows are read at a time."""

    def __init__(
        self, ledger: Ledger, *, now: int, buckets: Sequence[str] = BUCKETS, page: int = _PAGE
    ) -> None:
        self._buckets = [_Bucket(ledger, name, upto=now, page=page) for name in buckets]
        self._charged: dict[End, int] = dict.fromkeys(_ENDS, 0)

    def oldest_due_at(self) -> int | None:
        """Tell since when the longest due job is due; None when nothing is left."""
        hint = self._peek("oldest")
        return None if hint is None else hint[0].due_at

    def are_at_least(self, count: int) -> bool:
        """Tell whether so many are left, reading no further than to be sure."""
        found = 0
        for bucket in self._buckets:
            found += bucket.count(count - found)
            if found >= count:
                return True
        return False

    def take(self, count: int) -> list[Hint]:
        """Take at most so many jobs, in their fair order."""
        taken: list[Hint] = []
        while len(taken) < count:
            found = self._peek(min(_ENDS, key=self._charged.__getitem__))
            if found is None:
                break
            hint, bucket = found
            bucket.drop(hint.end)
            self._charged[hint.end] += 1
            taken.append(hint)
        return taken

    def charge_failure(self, hint: Hint) -> None:
        """Charge the end that a job came from for its having failed."""
        self._charged[hint.end] += _FAILED - 1

    def _peek(self, end: End) -> tuple[Hint, _Bucket] | None:
        found = [(hint, bucket) for bucket in self._buckets if (hint := bucket.peek(end)) is not None]
        choose = min if end == "oldest" else max
        return choose(found, key=lambda pair: (pair[0].due_at, pair[0].key), default=None)


class _Bucket:
    """The due rows of one partition, read from both ends until these meet."""

    def __init__(self, ledger: Ledger, name: str, *, upto: int, page: int) -> None:
        self._ledger = ledger
        self._name = name
        self._upto = upto
        self._page = page
        # Each in the order of its end: the next one first.
        self._read: dict[End, deque[tuple[int, str]]] = {"oldest": deque(), "newest": deque()}
        self._last_read: dict[End, Row | None] = {"oldest": None, "newest": None}
        self._is_all_read = False

    def peek(self, end: End) -> Hint | None:
        """Give the next job of an end; None when the bucket is empty."""
        mine, others = self._read[end], self._read[_other(end)]
        while not mine and not self._is_all_read:
            self._read_page(end)
        if not mine and not others:
            return None
        due_at, key = mine[0] if mine else others[-1]
        return Hint(key, due_at, end)

    def drop(self, end: End) -> None:
        """Remove the job that `peek` gave."""
        mine, others = self._read[end], self._read[_other(end)]
        if mine:
            mine.popleft()
        else:
            others.pop()

    def count(self, enough: int) -> int:
        """Count the jobs that are left, up to about `enough`."""
        while not self._is_all_read and sum(map(len, self._read.values())) < enough:
            self._read_page("oldest")
        return sum(map(len, self._read.values()))

    def _read_page(self, end: End) -> None:
        page = self._ledger.scan(
            JOBS,
            JOBS_DUE,
            self._name,
            upto=self._upto,
            limit=self._page,
            after=self._last_read[end],
            newest_first=end == "newest",
        )
        met = self._last_read[_other(end)]
        places = [_place(row) for row in page.rows]
        new = [place for place in places if met is None or _comes_before(place, _place(met), end)]
        self._read[end].extend(new)
        self._last_read[end] = page.after
        self._is_all_read = page.after is None or len(new) < len(places)


def _other(end: End) -> End:
    return "newest" if end == "oldest" else "oldest"


def _place(row: Row) -> tuple[int, str]:
    at = row["due_at"]
    return (at if isinstance(at, int) else 0, str(row["job_key"]))


def _comes_before(place: tuple[int, str], met: tuple[int, str], end: End) -> bool:
    return place < met if end == "oldest" else place > met
