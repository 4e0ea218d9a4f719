"""The ledger in one SQLite file: every conditional write is one statement, so SQLite decides it."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Generic, TypeVar

from shared.adapters.local.sqlite_schema import ForeignFileError, listed, prepare, quoted, transaction
from shared.adapters.row_checks import (
    check_change,
    check_columns,
    check_conditions,
    check_key,
    check_place,
    check_row,
)
from shared.errors import CorruptRowError, MisconfiguredError, StoreUnavailableError
from shared.ports import Change, Done, Page, When
from shared.tables import TABLES, Index, Key, Row, Table, Value

T = TypeVar("T")

_OPERATORS = {"==": "=", "<=": "<="}


class SqliteLedger:
    """Keeps rows in the SQLite file at `path`, which is made where there is none.

    Safe with several threads, which share one object and its one connection, and with several
    processes, each of which opens its own. Indexes do not lag here. Raise `MisconfiguredError` for a
    file that is no ledger, is damaged, or has a table of another shape, and `CorruptRowError` for a row
    with text that is not UTF-8, which only somebody else can have written.
    """

    BATCH_LIMIT: int = 200  # BatchWriteRow: tablestore-oss.md 1.2
    PAGE_LIMIT: int = 5_000  # GetRange: tablestore-oss.md 1.3

    def __init__(
        self, path: Path, *, tables: Sequence[Table] = TABLES, busy_timeout_ms: int = 10_000
    ) -> None:
        self._path = path
        self._tables = {table.name: table for table in tables}
        # Of all statements, this one is the most frequent and the longest to write.
        self._select_row = {table.name: _select_row(table) for table in tables}
        self._lock = threading.Lock()
        self._wanted: deque[_Write[Any]] = deque()
        with _translated(path):
            _make(path, tables)
            self._connection = _open(path, tables, busy_timeout_ms=busy_timeout_ms)

    def close(self) -> None:
        """Close the file; what was written stays. Closing twice is fine."""
        with self._lock:
            self._connection.close()

    def get(self, table: Table, key: Key) -> Row | None:
        """Read one row, without its key; None when it does not exist."""
        self._check_table(table)
        check_key(table, key)
        with self._database(key) as database:
            found = database.execute(self._select_row[table.name], key).fetchone()
        return None if found is None else _row(tuple(table.columns), found[: len(table.columns)])

    def insert(self, table: Table, key: Key, row: Row) -> bool:
        """Put the row if absent; tell whether this call put it."""
        self._check_table(table)
        check_key(table, key)
        check_row(table, row)
        return self._write(lambda database: _insert(database, table, key, row))

    def insert_many(self, table: Table, rows: Sequence[tuple[Key, Row]]) -> list[Done[bool]]:
        """Put each row if absent; a row that cannot be one has its `ValueError` as outcome."""
        self._check_table(table)
        if len(rows) > self.BATCH_LIMIT:
            raise ValueError(f"a batch has at most {self.BATCH_LIMIT} rows, not {len(rows)}")
        refused = [_refusal(table, key, row) for key, row in rows]

        def insert(database: sqlite3.Connection) -> list[Done[bool]]:
            return [
                Done(error=error) if error else Done(value=_insert(database, table, key, row))
                for error, (key, row) in zip(refused, rows, strict=True)
            ]

        return self._write(insert)

    def update(self, table: Table, key: Key, change: Change, when: Sequence[When]) -> bool:
        """Change columns of an existing row if all conditions hold; tell whether they did."""
        self._check_table(table)
        check_key(table, key)
        check_change(table, change)
        check_conditions(table, when)
        changes = ", ".join(f"{quoted(column)} = ?" for column in change)
        conditions = " AND ".join([_equals(table.key), *map(_condition, when)])
        statement = f"UPDATE {quoted(table.name)} SET {changes} WHERE {conditions}"
        values = (*change.values(), *key, *(condition.value for condition in when))
        return self._write(lambda database: database.execute(statement, values).rowcount == 1)

    def scan(
        self,
        table: Table,
        index: Index,
        partition: str,
        *,
        upto: int,
        limit: int,
        after: Row | None = None,
        newest_first: bool = False,
    ) -> Page:
        """Read a partition of an index in ascending position, up to and including `upto`."""
        self._check_table(table)
        if index not in table.indexes:
            raise ValueError(f"table {table.name} has no index {index.name}")
        if limit < 1:
            raise ValueError(f"a page of {index.name} holds at least one row, not {limit}")
        check_row(table, dict(zip(index.columns, (partition, upto), strict=True)))
        if after is not None:
            check_place(table, index, after)
        statement, values = _range(table, index, partition, upto=upto, after=after, newest_first=newest_first)
        limit = min(limit, self.PAGE_LIMIT)

        def read(*columns: str) -> Page:
            with self._database((partition,)) as database:
                # One more than asked for tells whether anything follows.
                query = f"SELECT {listed(columns)} {statement} LIMIT ?"
                found = database.execute(query, (*values, limit + 1)).fetchall()
            rows = [_row(columns, values) for values in found[:limit]]
            return Page(rows, after=rows[-1] if len(found) > limit else None)

        places = (*index.columns, *table.key)
        try:
            return read(*places, *index.covers)
        except CorruptRowError:
            # Hints may lack what the index covers: one row that is broken there must not hide the others.
            return read(*places)

    def under(
        self,
        table: Table,
        first: str,
        *,
        columns: Sequence[str],
        limit: int,
        after: Row | None = None,
    ) -> Page:
        """Read the rows whose first key column is `first`, in order of the rest of their keys."""
        self._check_table(table)
        check_columns(table, columns)
        if limit < 1:
            raise ValueError(f"a page of {table.name} holds at least one row, not {limit}")
        names, (group, *rest) = (*table.key, *columns), table.key
        conditions, values = f"{quoted(group)} = ?", [first]
        if after is not None:
            conditions += f" AND ({listed(rest)}) > ({_marks(rest)})"
            values += [str(after[column]) for column in rest]
        statement = (
            f"SELECT {listed(names)} FROM {quoted(table.name)} WHERE {conditions}"
            f" ORDER BY {listed(rest)} LIMIT ?"
        )
        limit = min(limit, self.PAGE_LIMIT)
        with self._database((first,)) as database:
            found = database.execute(statement, (*values, limit + 1)).fetchall()
        rows = [_row(names, one) for one in found[:limit]]
        return Page(rows, after=rows[-1] if len(found) > limit else None)

    def _check_table(self, table: Table) -> None:
        if self._tables.get(table.name) != table:
            raise ValueError(f"this ledger has no table {table.name}, or another one of that name")

    def _write(self, act: Callable[[sqlite3.Connection], T]) -> T:
        """Have a write done, in one transaction with what other threads want written by then.

        What takes long is the sync to disk, and the wait for other processes: each is once for all of them.
        """
        wanted = _Write(act)
        self._wanted.append(wanted)
        with self._database() as database:
            if not wanted.done:
                _do([self._wanted.popleft() for _ in range(len(self._wanted))], database)
            return wanted.done[0].result()

    @contextmanager
    def _database(self, key: Key = ()) -> Iterator[sqlite3.Connection]:
        with self._lock, _translated(self._path, key):
            yield self._connection


class _Write(Generic[T]):
    """A write that a thread waits for; `done` has its outcome, when there is one."""

    def __init__(self, act: Callable[[sqlite3.Connection], T]) -> None:
        self.act = act
        self.done: list[Done[T]] = []


def _do(writes: Sequence[_Write[Any]], database: sqlite3.Connection) -> None:
    """Do writes in one transaction. What goes wrong in it is about the file, and the outcome of all."""
    try:
        with transaction(database):
            outcomes = [Done(value=write.act(database)) for write in writes]
    except Exception as error:
        outcomes = [Done(error=error)] * len(writes)
    except BaseException:
        outcomes = [Done(error=sqlite3.OperationalError("interrupted"))] * len(writes)
        raise
    finally:
        for write, outcome in zip(writes, outcomes, strict=True):
            write.done.append(outcome)


def _open(path: Path, tables: Sequence[Table], *, busy_timeout_ms: int) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path,
        timeout=busy_timeout_ms / 1_000,
        isolation_level=None,  # each statement is its own transaction, unless one is begun
        check_same_thread=False,  # the lock of `SqliteLedger` sees to it
    )
    try:
        prepare(connection, tables)
    except BaseException:
        connection.close()
        raise
    return connection


def _make(path: Path, tables: Sequence[Table]) -> None:
    """Make a new file whole under another name: switching one that others open to WAL fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        return
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        new = Path(folder, path.name)
        _open(new, tables, busy_timeout_ms=0).close()
        with suppress(FileExistsError):
            path.hardlink_to(new)


@contextmanager
def _translated(path: Path, key: Key = ()) -> Iterator[None]:
    """Turn SQLite's errors into the port's; values never get into them. `key` is what is being read."""
    try:
        yield
    except sqlite3.OperationalError as error:
        # "Could not decode to UTF-8 column 'x' with text '...'" is the one message with a value.
        reason = str(error).partition(" with text ")[0]
        if reason.startswith("Could not decode"):
            raise CorruptRowError(
                "a ledger row holds text that is not UTF-8", key="/".join(key), reason=reason
            ) from None
        raise StoreUnavailableError("the ledger file did not answer", path=str(path), reason=reason) from None
    except OSError as error:
        raise StoreUnavailableError(
            "the ledger file cannot be made", path=str(path), reason=str(error)
        ) from error
    except ForeignFileError as error:
        raise MisconfiguredError(
            "not a ledger file; name another one", path=str(path), reason=str(error)
        ) from None
    except sqlite3.DatabaseError as error:
        # This class itself says that the file is no database or is damaged; its subclasses that are
        # left (a closed connection, a wrong number of values) are mistakes of a programmer.
        if type(error) is not sqlite3.DatabaseError:
            raise
        raise MisconfiguredError(
            "not a readable SQLite file; move it away or name another one",
            path=str(path),
            reason=str(error),
        ) from None


def _select_row(table: Table) -> str:
    # The key, too: a table may have nothing else.
    wanted = listed((*table.columns, *table.key))
    return f"SELECT {wanted} FROM {quoted(table.name)} WHERE {_equals(table.key)}"


def _insert(database: sqlite3.Connection, table: Table, key: Key, row: Row) -> bool:
    columns = (*table.key, *row)
    statement = (
        f"INSERT INTO {quoted(table.name)} ({listed(columns)}) VALUES ({_marks(columns)}) "
        f"ON CONFLICT ({listed(table.key)}) DO NOTHING"
    )
    return database.execute(statement, (*key, *row.values())).rowcount == 1


def _refusal(table: Table, key: Key, row: Row) -> ValueError | None:
    try:
        check_key(table, key)
        check_row(table, row)
    except ValueError as error:
        return error
    return None


def _range(
    table: Table, index: Index, partition: str, *, upto: int, after: Row | None, newest_first: bool
) -> tuple[str, list[Value]]:
    """Give the part of a scan from FROM to ORDER BY, and the values to bind in it."""
    group, position = index.columns
    place = (position, *table.key)
    conditions = f"{quoted(group)} = ? AND {quoted(position)} <= ?"
    values: list[Value] = [partition, upto]
    if after is not None:
        conditions += f" AND ({listed(place)}) {'<' if newest_first else '>'} ({_marks(place)})"
        values += [after[column] for column in place]
    direction = " DESC" if newest_first else ""
    order = ", ".join(f"{quoted(column)}{direction}" for column in place)
    return f"FROM {quoted(table.name)} WHERE {conditions} ORDER BY {order}", values


def _condition(when: When) -> str:
    column = quoted(when.column)
    # A comparison with NULL is not true: without the first half a missing column never passes.
    missing = f"{column} IS NULL OR " if when.missing_passes else ""
    return f"({missing}{column} {_OPERATORS[when.op]} ?)"


def _equals(columns: Sequence[str]) -> str:
    return " AND ".join(f"{quoted(column)} = ?" for column in columns)


def _marks(columns: Sequence[str]) -> str:
    return ", ".join("?" * len(columns))


def _row(columns: Sequence[str], values: Sequence[Value | None]) -> Row:
    """Pair columns and values; a column that is NULL is not in the row at all."""
    found = zip(columns, values, strict=True)
    return {column: value for column, value in found if value is not None}
