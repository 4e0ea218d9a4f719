"""Leases in one SQLite file: for the processes of one machine."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from shared.toolkit.errors import MisconfiguredError, TemporaryError
from shared.toolkit.lease_store import Change, Row, When, changed, check_values

# One row for each column, so that a column needs no declaration. The column '' stands for the row itself.
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS leases"
    " (key TEXT NOT NULL, name TEXT NOT NULL, value NOT NULL, PRIMARY KEY (key, name)) WITHOUT ROWID"
)


class SqliteLeaseStore:
    """Keeps rows in the SQLite file at `path`, which is made where there is none.

    Safe with several threads, which share one object and its one connection, and with several
    processes, each of which opens its own. What is slower than `busy_timeout_ms` is a `TemporaryError`;
    a file that SQLite cannot read, or that holds another table of this name, is a `MisconfiguredError`.
    """

    def __init__(self, path: Path, *, busy_timeout_ms: int = 10_000) -> None:
        self._path = path
        self._lock = threading.Lock()
        with _translated(path):
            _make(path)
            self._connection = _open(path, busy_timeout_ms=busy_timeout_ms)

    def close(self) -> None:
        """Close the file; what was written stays. Closing twice is fine."""
        with self._lock:
            self._connection.close()

    def get(self, key: str) -> Row | None:
        """See `LeaseStore.get`."""
        with self._lock, _translated(self._path):
            return _read(self._connection, key)

    def insert(self, key: str, row: Row) -> bool:
        """See `LeaseStore.insert`."""
        check_values(row.values())
        with self._writing() as database:
            if _read(database, key) is not None:
                return False
            _put(database, key, {"": 1, **row})
            return True

    def update(self, key: str, change: Change, when: Sequence[When]) -> bool:
        """See `LeaseStore.update`."""
        check_values(change.values())
        with self._writing() as database:
            row = _read(database, key)
            if row is None or not all(condition.holds(row) for condition in when):
                return False
            removed = [(key, name) for name, value in change.items() if value is None]
            database.executemany("DELETE FROM leases WHERE key = ? AND name = ?", removed)
            _put(database, key, changed({}, change))
            return True

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Hold the file's one right to write from before the row is read until it is written."""
        with self._lock, _translated(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.rollback()
                raise


def _read(database: sqlite3.Connection, key: str) -> Row | None:
    found = dict(database.execute("SELECT name, value FROM leases WHERE key = ?", (key,)))
    return {name: value for name, value in found.items() if name} if found else None


def _put(database: sqlite3.Connection, key: str, columns: Row) -> None:
    database.executemany(
        "INSERT OR REPLACE INTO leases VALUES (?, ?, ?)",
        [(key, name, value) for name, value in columns.items()],
    )


def _make(path: Path) -> None:
    """Make a new file whole under another name: switching one that others open to WAL fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        return
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        new = Path(folder, path.name)
        _open(new, busy_timeout_ms=0).close()
        with suppress(FileExistsError):
            path.hardlink_to(new)


def _open(path: Path, *, busy_timeout_ms: int) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path,
        timeout=busy_timeout_ms / 1_000,
        isolation_level=None,  # transactions are begun by hand
        check_same_thread=False,  # the lock of `SqliteLeaseStore` sees to it
    )
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(_SCHEMA)
        connection.execute("SELECT key, name, value FROM leases LIMIT 0")
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        place, reason = str(path), str(error)
        if reason.startswith("no such column"):
            raise MisconfiguredError(
                "not a lease file; name another one", path=place, reason=reason
            ) from None
        raise TemporaryError("the lease file did not answer", path=place, reason=reason) from None
    except OSError as error:
        raise TemporaryError("the lease file cannot be made", path=str(path), reason=str(error)) from error
    except sqlite3.DatabaseError as error:
        # This class itself says that the file is no database or is damaged; its subclasses that are left
        # are mistakes of a programmer.
        if type(error) is not sqlite3.DatabaseError:
            raise
        raise MisconfiguredError(
            "not a readable SQLite file; move it away or name another one", path=str(path), reason=str(error)
        ) from None
