"""What happened in a run, line by line: its end to be read, all of it as one hash."""

from __future__ import annotations

import hashlib
from collections import deque

_KEPT = 60


class Trace:
    """Adds lines up to a hash and keeps the last ones."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._tail: deque[str] = deque(maxlen=_KEPT)
        self.lines = 0

    def note(self, at: int, who: str, what: str) -> None:
        """Add a line; `at` is in milliseconds from the beginning of the run."""
        line = f"{at / 1000:12.3f} {who} {what}"
        self._hash.update(f"{line}\n".encode())
        self._tail.append(line)
        self.lines += 1

    @property
    def digest(self) -> str:
        """Give the hash of all lines."""
        return self._hash.hexdigest()

    @property
    def tail(self) -> str:
        """Give the last lines."""
        return "\n".join(self._tail)
