"""Clocks: the system's, and one that stands still until it is told to move."""

from __future__ import annotations

import threading
import time


class SystemClock:
    """The time of this machine."""

    def now(self) -> int:
        """Tell the present time in epoch milliseconds."""
        return time.time_ns() // 1_000_000

    def sleep(self, ms: int) -> None:
        """Wait that many milliseconds; a negative wait raises `ValueError`."""
        time.sleep(ms / 1_000)


class ManualClock:
    """A clock that moves only when somebody sleeps on it or advances it; safe with threads."""

    def __init__(self, start: int) -> None:
        self._now = start
        self._lock = threading.Lock()

    def now(self) -> int:
        """Tell the time it stands at."""
        with self._lock:
            return self._now

    def sleep(self, ms: int) -> None:
        """Advance instead of waiting: whoever sleeps wakes at the right time at once."""
        self.advance(ms)

    def advance(self, ms: int) -> None:
        """Move forward; a negative step raises `ValueError`, as a negative sleep does."""
        if ms < 0:
            raise ValueError("a clock does not go back")
        with self._lock:
            self._now += ms
