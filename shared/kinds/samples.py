"""How much of a large answer goes into its record: all of a few things, of many the first of each group.

Things are large by the number of their characters, roughly: what matters is that it has an end.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")

WHOLE = 1_000
"""So many of a kind of things a record holds, at most."""

EACH = 50
"""So many of each group, where there are more: the first ones told."""

LARGEST = 5_000
"""So many characters has each, where there are more; and all together have at most `WHOLE` times as many."""


class Sample(Generic[T]):
    """What is kept of many things. `rest` gets the others, in the order in which they came."""

    def __init__(
        self,
        group: Callable[[T], Hashable],
        size: Callable[[T], int],
        rest: Callable[[T], object] | None = None,
    ) -> None:
        self._group = group
        self._size = size
        self._rest = rest
        self._room = WHOLE * LARGEST
        # None as long as all are kept. A group that is known has something kept, so these are few.
        self._counts: dict[Hashable, int] | None = None
        self.kept: list[T] = []
        self.dropped = 0

    def add(self, item: T) -> None:
        """Keep it, or hand it on."""
        if self._counts is None:
            self.kept.append(item)
            self._room -= self._size(item)
            if len(self.kept) > WHOLE or self._room < 0:
                self._thin_out()
        else:
            self._sort_out(item, self._counts)

    def _thin_out(self) -> None:
        self._counts, items, self.kept = {}, self.kept, []
        for item in items:
            self._sort_out(item, self._counts)

    def _sort_out(self, item: T, counts: dict[Hashable, int]) -> None:
        if len(self.kept) < WHOLE and self._size(item) <= LARGEST:
            group = self._group(item)
            if (count := counts.get(group, 0)) < EACH:
                counts[group] = count + 1
                self.kept.append(item)
                return
        self.dropped += 1
        if self._rest is not None:
            self._rest(item)
