"""Stay within what another side allows per second, each instance with a share of its own.

Instances do not talk to each other: the shares of all of them together are what the account may use.
Who is served first is the caller's business.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

from shared.toolkit.errors import TemporaryError

_NS_PER_MS = 1_000_000


class NoBudgetLeftError(TemporaryError):
    """No call is allowed before the deadline; `retry_after_ms` tells when the next one is."""


def share(per_second: float, *, part: float = 1.0, among: int) -> float:
    """Give what each of `among` instances may use of `part` of a rate.

    Rounded down, so that all shares together never exceed that part. Raise `ValueError` for a rate
    that is not positive, a part outside (0, 1], or nobody to share among.
    """
    _check_rate(per_second)
    if not 0 < part <= 1:
        raise ValueError(f"part: {part} is not above 0 and at most 1")
    if among < 1:
        raise ValueError(f"among: {among} is not 1 or more")
    rate_over, rate_under = per_second.as_integer_ratio()
    part_over, part_under = part.as_integer_ratio()
    over, under = rate_over * part_over, rate_under * part_under * among
    nearest = over / under
    # Compared exactly, as a float is a ratio of integers.
    nearest_over, nearest_under = nearest.as_integer_ratio()
    return math.nextafter(nearest, 0.0) if nearest_over * under > over * nearest_under else nearest


class TokenBucket:
    """Allows `per_second` calls, and at most `burst` at once after a rest; safe with threads.

    It starts empty, so that instances which start together do not burst together. In every stretch
    of time, at most `burst + per_second * seconds` calls are allowed: exactly, as arithmetic is in
    integers and rounds against the caller.

    `clock` gives milliseconds. A clock that jumps back stands still at that moment: nothing is
    allowed for the jump, and nobody waits for the clock to come back to where it was.
    """

    def __init__(self, per_second: float, *, clock: Callable[[], int], burst: int = 1) -> None:
        _check_rate(per_second)
        if burst < 1:
            raise ValueError(f"burst: {burst} is not 1 or more")
        self._clock = clock
        over, under = per_second.as_integer_ratio()
        self._interval_ns = -(-1_000 * _NS_PER_MS * under // over)  # rounded up
        self._tolerance_ns = (burst - 1) * self._interval_ns
        self._changing = threading.Lock()
        self._seen_ms = clock()
        # When the bucket is full if nobody takes any more: the "theoretical arrival time" of the generic
        # cell rate algorithm, which is all there is to keep.
        self._full_ns = self._seen_ms * _NS_PER_MS + burst * self._interval_ns

    def reserve(self, *, until_ms: int) -> int:
        """Take a token, and tell in how many milliseconds it may be used; 0 means now.

        Raise `NoBudgetLeftError`, and take nothing, when that is later than `until_ms`.
        """
        with self._changing:
            now_ms = self._clock()
            if now_ms < self._seen_ms:
                self._full_ns -= (self._seen_ms - now_ms) * _NS_PER_MS
            self._seen_ms = now_ms
            free_ms = -((self._tolerance_ns - self._full_ns) // _NS_PER_MS)  # rounded up
            use_ms = max(now_ms, free_ms)
            if use_ms > until_ms:
                raise NoBudgetLeftError(
                    "no call is allowed before the deadline", retry_after_ms=use_ms - now_ms
                )
            self._full_ns = max(self._full_ns, use_ms * _NS_PER_MS) + self._interval_ns
            return use_ms - now_ms

    def take(self, *, until_ms: int, sleep: Callable[[int], object]) -> None:
        """Take a token and wait, by `sleep(milliseconds)`, until it may be used.

        Raise `NoBudgetLeftError`, without waiting, when that is later than `until_ms`.
        """
        wait_ms = self.reserve(until_ms=until_ms)
        if wait_ms:
            sleep(wait_ms)


def _check_rate(per_second: float) -> None:
    if not 0 < per_second < math.inf:
        raise ValueError(f"per_second: {per_second} is not above 0 and finite")
