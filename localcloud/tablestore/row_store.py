"""Rows in the order of their keys, in one SQLite file: what tables and indexes are made of.

A space is the rows of one table or index. The order of keys is that of their encoding.
"""

from __future__ import annotations

import base64
import json
import sqlite3
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from localcloud.tablestore.plain_buffer import Cell, Edge, KeyValue, WireRow

_SCHEMA = """
CREATE TABLE IF NOT EXISTS described (name TEXT PRIMARY KEY, description BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS row (space TEXT, key BLOB, body TEXT NOT NULL, PRIMARY KEY (space, key))
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS later (
    number INTEGER PRIMARY KEY, at INTEGER NOT NULL, space TEXT NOT NULL, key BLOB NOT NULL, body TEXT
);
"""


class RowStore:
    """Keeps spaces of rows in the SQLite file at `path`, or in memory without one.

    Everything happens within `transaction`, one thread after the other.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect(
            ":memory:" if path is None else path, isolation_level=None, check_same_thread=False
        )
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all of it or nothing."""
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def describe(self, name: str, description: bytes) -> None:
        """Keep the description of a table."""
        self._database.execute("INSERT OR REPLACE INTO described VALUES (?, ?)", (name, description))

    def descriptions(self) -> dict[str, bytes]:
        """Give what is described, by name."""
        return dict(self._database.execute("SELECT name, description FROM described ORDER BY name"))

    def forget(self, name: str) -> None:
        """Forget a description, if there is one, and the space of that name."""
        self._database.execute("DELETE FROM described WHERE name = ?", (name,))
        self._database.execute("DELETE FROM row WHERE space = ?", (name,))
        self._database.execute("DELETE FROM later WHERE space = ?", (name,))

    def get(self, space: str, key: bytes) -> WireRow | None:
        """Read a row."""
        found = self._database.execute("SELECT body FROM row WHERE space = ? AND key = ?", (space, key))
        body = found.fetchone()
        return _row(body[0]) if body else None

    def put(self, space: str, key: bytes, row: WireRow | None) -> None:
        """Write a row, or remove it."""
        self._write(space, key, None if row is None else _body(row))

    def put_later(self, space: str, key: bytes, row: WireRow | None, *, at: int) -> None:
        """Write or remove a row when its time has come."""
        self._database.execute(
            "INSERT INTO later (at, space, key, body) VALUES (?, ?, ?, ?)",
            (at, space, key, None if row is None else _body(row)),
        )

    def catch_up(self, now: int) -> None:
        """Do what was put off until now, in the order in which it was."""
        due = self._database.execute(
            "SELECT number, space, key, body FROM later WHERE at <= ? ORDER BY number", (now,)
        ).fetchall()
        for number, space, key, body in due:
            self._write(space, key, body)
            self._database.execute("DELETE FROM later WHERE number = ?", (number,))

    def scan(
        self, space: str, start: bytes, end: bytes, *, backward: bool = False, limit: int = -1
    ) -> list[WireRow]:
        """Read the rows from `start` on, up to but without `end`; below zero there is no limit."""
        condition = (
            "key <= ? AND key > ? ORDER BY key DESC" if backward else "key >= ? AND key < ? ORDER BY key"
        )
        found = self._database.execute(
            f"SELECT body FROM row WHERE space = ? AND {condition} LIMIT ?", (space, start, end, limit)
        )
        return [_row(body) for (body,) in found]

    def _write(self, space: str, key: bytes, body: str | None) -> None:
        if body is None:
            self._database.execute("DELETE FROM row WHERE space = ? AND key = ?", (space, key))
        else:
            self._database.execute("INSERT OR REPLACE INTO row VALUES (?, ?, ?)", (space, key, body))


def ordered(key: Sequence[KeyValue]) -> bytes:
    """Encode a key so that the order of bytes is that of keys."""
    return b"".join(map(_ordered, key))


def _ordered(value: KeyValue) -> bytes:
    if value is Edge.LEAST:
        return b"\x00"
    if value is Edge.MOST:
        return b"\xff"
    if isinstance(value, int):
        return b"\x01" + struct.pack(">Q", value + 2**63)
    raw = value.encode() if isinstance(value, str) else value
    if not isinstance(raw, bytes):
        raise TypeError(f"no key holds {type(value).__name__}")
    # Two zeros end it: a value is before all that begin with it.
    return b"\x02" + raw.replace(b"\x00", b"\x00\xff") + b"\x00\x00"


def _body(row: WireRow) -> str:
    cells = [[[cell.name, cell.value, cell.timestamp] for cell in part] for part in (row.key, row.cells)]
    return json.dumps(cells, default=lambda value: {"base64": base64.b64encode(value).decode()})


def _row(body: str) -> WireRow:
    key, cells = (
        tuple(Cell(name, value, timestamp=at) for name, value, at in part)
        for part in json.loads(body, object_hook=_bytes)
    )
    return WireRow(key, cells)


def _bytes(value: dict[str, Any]) -> bytes:
    return base64.b64decode(value["base64"])
