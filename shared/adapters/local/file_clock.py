"""Time that stands in a file, so that several processes of a demonstration share it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from shared.errors import SettingError


class FileClock:
    """Tells the epoch milliseconds that its file holds; they move when somebody moves them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._moving = threading.Lock()

    def now(self) -> int:
        """Tell the present time; raise `SettingError` when the file does not hold one."""
        try:
            return int(self._path.read_text())
        except (OSError, ValueError) as error:
            raise SettingError(
                "LEDGER_CLOCK must name a file that holds epoch milliseconds", file=str(self._path)
            ) from error

    def sleep(self, ms: int) -> None:
        """Let that much time pass at once."""
        with self._moving:
            self._set(self.now() + ms)

    def set(self, now: int) -> None:
        """Move time; a reader sees the old or the new one, never half of it."""
        with self._moving:
            self._set(now)

    def _set(self, now: int) -> None:
        fresh = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        fresh.write_text(f"{now}\n")
        fresh.replace(self._path)
