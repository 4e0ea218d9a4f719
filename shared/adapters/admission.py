"""`Admission` in the memory of one instance: so many a second of each name."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable

from shared.ports import Clock

_NS_PER_MS = 1_000_000


class BudgetPerName:
    """Admits `per_second(name)` of each name, and `burst` at once after a rest; safe with threads.

    It remembers the `most` names that asked last, each by one number: when its budget is whole again. A name
    that it forgot begins anew. `toolkit.budget.TokenBucket` makes its callers wait, and begins empty.
    """

    def __init__(
        self, per_second: Callable[[str], float], *, burst: int, clock: Clock, most: int = 1_000
    ) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._most = most
        self._changing = threading.Lock()
        self._whole_at_ns: OrderedDict[str, int] = OrderedDict()

    def admits(self, name: str) -> bool:
        """See `Admission.admits`."""
        # In integers, as a float of today's time has no room for what adds up.
        interval = math.ceil(1_000 * _NS_PER_MS / self._per_second(name))
        with self._changing:
            now = self._clock.now() * _NS_PER_MS
            # Never later than a burst from now: a clock that was ahead refuses nobody for long.
            latest = now + self._burst * interval
            whole_at = min(max(self._whole_at_ns.get(name, now), now), latest)
            is_admitted = whole_at + interval <= latest
            self._whole_at_ns[name] = whole_at + interval if is_admitted else whole_at
            self._whole_at_ns.move_to_end(name)
            if len(self._whole_at_ns) > self._most:
                self._whole_at_ns.popitem(last=False)
        return is_admitted
