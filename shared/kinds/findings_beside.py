"""Findings that a record has no room for: lines beside it, of which it tells how many and their hash."""

from __future__ import annotations

import hashlib
from typing import Protocol

from shared.record import Finding, FindingsMore, finding_line


class Lines(Protocol):
    """Takes lines, each with its end."""

    def write(self, lines: bytes, /) -> object:
        """Take some more."""
        ...

    def clear(self) -> None:
        """Forget what was written: it belongs to a document that cannot be read to its end."""
        ...


class Nowhere:
    """Keeps nothing, for whoever wants the record alone."""

    def write(self, lines: bytes, /) -> None:
        """See `Lines.write`."""

    def clear(self) -> None:
        """See `Lines.clear`."""


NOWHERE = Nowhere()

_BLOCK = 64 * 1024


class FindingsBeside:
    """Writes findings as lines, and tells of them what the record tells."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._hashed = hashlib.sha256()
        self._pending = bytearray()
        self._count = 0

    def add(self, finding: Finding) -> None:
        """Write one more."""
        self._count += 1
        self._pending += finding_line(finding)
        if len(self._pending) >= _BLOCK:
            self._flush()

    def end(self) -> FindingsMore | None:
        """Write what is pending; None when there was nothing at all."""
        self._flush()
        return FindingsMore(count=self._count, sha256=self._hashed.hexdigest()) if self._count else None

    def _flush(self) -> None:
        block = bytes(self._pending)
        self._pending.clear()
        self._hashed.update(block)
        self._lines.write(block)
