"""Leases in a dictionary: for one process, and for tests."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from shared.toolkit.lease_store import Change, Row, When, changed, check_values


class MemoryLeaseStore:
    """Keeps rows as long as the process lives; safe with threads. Another instance knows nothing of them."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self._changing = threading.Lock()

    def get(self, key: str) -> Row | None:
        """See `LeaseStore.get`."""
        # Rows are replaced, never changed: what was handed out stays as it was.
        return self._rows.get(key)

    def insert(self, key: str, row: Row) -> bool:
        """See `LeaseStore.insert`."""
        if key in self._rows:
            return False
        check_values(row.values())
        put = dict(row)
        return self._rows.setdefault(key, put) is put

    def update(self, key: str, change: Change, when: Sequence[When]) -> bool:
        """See `LeaseStore.update`."""
        check_values(change.values())
        with self._changing:
            row = self._rows.get(key)
            if row is None:
                return False
            for condition in when:
                if not condition.holds(row):
                    return False
            self._rows[key] = changed(row, change)
            return True
