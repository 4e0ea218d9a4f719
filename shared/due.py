"""What is due, in an order that is fair to products and to jobs, however much it is.

Products take turns by what the account may call of each, so that the backlog of one that is slow or away
delays no other. Within a product, jobs that keep failing gather at one end of the order in which jobs are
due: a vendor that is away leaves a prefix of them behind. So a run works from both ends, the oldest and the
newest, and charges each end for what its jobs cost: 1 for a job that went forward, `_FAILED` for one that
did not. The next job is always of the end that was charged less. Two good ends take turns, and so do two bad
ones; a bad end beside a good one gets one job in `_FAILED + 1`, which keeps it moving and shows when it is
good again. Nothing else is remembered: what is done is not due any more, so a run that is broken off needs
no checkpoint.

Rows are read a page at a time, each at most once but where the two ends meet, and ahead of their turn: how
else would a product be found behind another's backlog. `_AHEAD` bounds what that costs. Of a larger backlog
only both ends are known; what has just become due is always at the newest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from shared.errors import InvalidJobIdError
from shared.jobs import JobRef
from shared.kinds import Kind
from shared.ports import Ledger, Services
from shared.tables import JOBS, JOBS_DUE, Row

BUCKETS = "0123456789abcdef"
"""Partitions of `jobs_due`: first digits of job keys."""

End = Literal["oldest", "newest"]
Place = tuple[int, str]
"""When a job is due, and its key."""

_ENDS: tuple[End, End] = ("oldest", "newest")
_PAGE = 200
# A few MB of memory; what the requests cost is little beside what a run writes.
_AHEAD = 20_000
_FAILED = 16


@dataclass(frozen=True)
class Hint:
    """What the index says is due, of which product, and from which end it was taken.

    The row decides: an index lags.
    """

    key: str
    due_at: int
    product: str
    end: End


@dataclass
class _Lane:
    """The jobs of a product that are known to be due, in their order. The most `credit` has the next turn."""

    weight: float
    credit: float = 0.0
    places: deque[Place] = field(default_factory=deque)
    charged: dict[End, int] = field(default_factory=lambda: dict.fromkeys(_ENDS, 0))

    def take(self) -> tuple[Place, End]:
        """Take the next job from the end that was charged less."""
        end = min(_ENDS, key=self.charged.__getitem__)
        self.charged[end] += 1
        return (self.places.popleft() if end == "oldest" else self.places.pop()), end


class DueJobs:
    """Jobs that are due now; each is given once.

    `page` is how many rows are read at a time, `ahead` how many are known before any is given.
    """

    def __init__(
        self,
        services: Services,
        *,
        buckets: Sequence[str] = BUCKETS,
        page: int = _PAGE,
        ahead: int = _AHEAD,
    ) -> None:
        now = services.clock.now()
        self._buckets = [_Bucket(services.ledger, name, upto=now, page=page) for name in buckets]
        self._ahead = ahead
        self._kinds = services.kinds
        self._rates = services.policy.calls_per_second
        self._lanes: dict[str, _Lane] = {}
        # Read from each end, less what was taken from it.
        self._left: dict[End, int] = dict.fromkeys(_ENDS, 0)

    def oldest_due_at(self) -> int | None:
        """Tell since when the longest due job is due; None when nothing is left."""
        self._read_on(1)
        return min((lane.places[0][0] for lane in self._lanes.values() if lane.places), default=None)

    def are_at_least(self, count: int) -> bool:
        """Tell whether so many are left, reading no further than to be sure."""
        self._read_on(count)
        return sum(self._left.values()) >= count

    def take(self, count: int) -> list[Hint]:
        """Take at most so many jobs, in their fair order."""
        self._read_on(max(count, self._ahead))
        taken: list[Hint] = []
        while len(taken) < count and (product := self._next_product()) is not None:
            (due_at, key), end = self._lanes[product].take()
            self._left[end] -= 1
            taken.append(Hint(key, due_at, product, end))
        return taken

    def charge_failure(self, hint: Hint) -> None:
        """Charge the end that a job came from for its having failed."""
        self._lanes[hint.product].charged[hint.end] += _FAILED - 1

    def _next_product(self) -> str | None:
        """Choose by smooth weighted round-robin: who has something due gets its share of every stretch."""
        waiting = {name: lane for name, lane in self._lanes.items() if lane.places}
        if not waiting:
            return None
        for lane in waiting.values():
            lane.credit += lane.weight
        chosen = max(waiting, key=lambda name: waiting[name].credit)
        waiting[chosen].credit -= sum(lane.weight for lane in waiting.values())
        return chosen

    def _read_on(self, enough: int) -> None:
        """Read a page of every bucket at a time until enough jobs are known, or all."""
        while sum(self._left.values()) < enough:
            unread = [bucket for bucket in self._buckets if not bucket.is_all_read]
            if not unread:
                return
            end = min(_ENDS, key=self._left.__getitem__)
            found = [place for bucket in unread for place in bucket.read_page(end)]
            self._left[end] += len(found)
            self._line_up(found)

    def _line_up(self, places: Iterable[Place]) -> None:
        for place in places:
            product = _product(self._kinds, place[1])
            if product not in self._lanes:
                # As for the budget of calls: a product without a rate has the lowest of them.
                self._lanes[product] = _Lane(self._rates.get(product) or min(self._rates.values()))
            self._lanes[product].places.append(place)
        for lane in self._lanes.values():
            lane.places = deque(sorted(lane.places))


class _Bucket:
    """The due rows of one partition, read from both ends until these meet."""

    def __init__(self, ledger: Ledger, name: str, *, upto: int, page: int) -> None:
        self._ledger = ledger
        self._name = name
        self._upto = upto
        self._page = page
        self._last_read: dict[End, Row | None] = {"oldest": None, "newest": None}
        self.is_all_read = False

    def read_page(self, end: End) -> list[Place]:
        """Read the next page from an end, and give what the other has not read."""
        page = self._ledger.scan(
            JOBS,
            JOBS_DUE,
            self._name,
            upto=self._upto,
            limit=self._page,
            after=self._last_read[end],
            newest_first=end == "newest",
        )
        met = self._last_read["newest" if end == "oldest" else "oldest"]
        places = [_place(row) for row in page.rows]
        new = [place for place in places if met is None or _comes_before(place, _place(met), end)]
        self._last_read[end] = page.after
        self.is_all_read = page.after is None or len(new) < len(places)
        return new


def _product(kinds: Mapping[str, Kind], key: str) -> str:
    """Tell whose job a key names, without reading its row."""
    try:
        name = JobRef.from_key(key).kind
    except InvalidJobIdError:
        return ""
    kind = kinds.get(name)
    return name if kind is None else kind.product


def _place(row: Row) -> Place:
    at = row["due_at"]
    return (at if isinstance(at, int) else 0, str(row["job_key"]))


def _comes_before(place: Place, met: Place, end: End) -> bool:
    return place < met if end == "oldest" else place > met
