"""What becomes of log lines below the level: written in a share of the invocations, kept in the others.

Both belong to the invocation: they stand in a context variable, never in a logger's level, so that
overlapping invocations do not change each other's.
"""

from __future__ import annotations

import logging
from collections import deque
from contextvars import ContextVar, copy_context

from shared.toolkit.logger import settled_length

TYPE_CHECKING = False  # as `typing` has it, which would take 2 ms to import
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Context
    from typing import Final

    FormatLine = Callable[[logging.LogRecord], str]


class DebugLines:
    """Which lines below the level are let through, and for what.

    In a `sample_rate` share of the invocations they are written at once. In the others the last ones,
    about `buffer_bytes` of them, are kept: written before the first ERROR, dropped when the invocation
    succeeds. Every debug record of these `loggers`, and of those under them, has its price then: name your
    own rather than "", the root, as an HTTP library logs several lines per call.
    """

    __slots__ = ("buffer_bytes", "loggers", "sample_rate")

    def __init__(
        self, loggers: tuple[str, ...], sample_rate: float = 0.0, buffer_bytes: int = 20_000
    ) -> None:
        if not 0 <= sample_rate <= 1:
            raise ValueError(f"sample_rate is a share, from 0 to 1, and not {sample_rate}")
        self.loggers: Final = loggers
        self.sample_rate: Final = sample_rate
        self.buffer_bytes: Final = buffer_bytes

    def of_invocation(self, draw: Callable[[int], int]) -> KeptLines:
        """Decide about one invocation; `draw` gives that many random bits."""
        return KeptLines(sampled=draw(32) / 2**32 < self.sample_rate, limit=self.buffer_bytes)


class KeptLines:
    """The lines below the level that one invocation keeps. Its user holds a lock."""

    def __init__(self, *, sampled: bool, limit: int) -> None:
        self.sampled = sampled
        self._limit = limit
        self._length = 0
        self._dropped = 0
        # A line that can still change is kept as text, any other as its record and where it came from.
        self._lines: deque[tuple[int, str | tuple[Context, logging.LogRecord]]] = deque()

    def keep(self, record: logging.LogRecord, format_line: FormatLine) -> None:
        """Keep a line; the oldest give way, and are counted."""
        length = settled_length(record)
        if length is None:
            text = format_line(record)
            self._lines.append((len(text), text))
            self._length += len(text)
        else:
            self._lines.append((length, (copy_context(), record)))
            self._length += length
        while self._length > self._limit:
            self._length -= self._lines.popleft()[0]
            self._dropped += 1

    def take(self, format_line: FormatLine) -> list[str]:
        """Give the lines in order and forget them; the first tells how many were dropped."""
        lines = [
            kept if isinstance(kept, str) else kept[0].run(format_line, kept[1]) for _, kept in self._lines
        ]
        if self._dropped:
            lines.insert(0, format_line(_told_of(self._dropped)))
        self._lines.clear()
        self._length = self._dropped = 0
        return lines


current_kept: ContextVar[KeptLines | None] = ContextVar("kept_debug_lines", default=None)


def _told_of(dropped: int) -> logging.LogRecord:
    told = {"name": "toolkit.logger", "levelno": logging.DEBUG, "levelname": "DEBUG"}
    return logging.makeLogRecord({**told, "msg": "older lines were dropped", "dropped_lines": dropped})
