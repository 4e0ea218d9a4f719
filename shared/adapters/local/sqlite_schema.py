"""The ledger's tables as SQLite has them, and bringing a file up to them.

Every identifier comes from `shared/tables.py`. Nothing is ever removed: a file that a newer version
has written keeps its further columns.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from shared.tables import Index, Table

APPLICATION_ID = int.from_bytes(b"MdLg", "big")
"""What marks a SQLite file as a ledger, in the header field that is meant for it."""

_TYPES = {str: "TEXT", int: "INTEGER", bytes: "BLOB"}


class ForeignFileError(Exception):
    """A SQLite file that is no ledger of ours; says what is wrong with it."""


def quoted(name: str) -> str:
    """Quote an identifier of `shared/tables.py`."""
    return f'"{name}"'


def listed(names: Sequence[str]) -> str:
    """Quote identifiers, with commas between them."""
    return ", ".join(map(quoted, names))


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Hold the write lock from the first statement on; all of it happens or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


def prepare(connection: sqlite3.Connection, tables: Sequence[Table]) -> None:
    """Create what is missing; raise `ForeignFileError` before changing a file that is not ours."""
    _refuse_foreign(connection)
    connection.execute("PRAGMA journal_mode = WAL")
    with transaction(connection):
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        for table in tables:
            connection.execute(_create_table(table))
            _add_columns(connection, table)
            for index in table.indexes:
                connection.execute(_create_index(table, index))


def _refuse_foreign(connection: sqlite3.Connection) -> None:
    # One statement, one snapshot: another process may be making the same file right now.
    question = "SELECT application_id, (SELECT count(*) FROM sqlite_master) FROM pragma_application_id"
    application_id, objects = connection.execute(question).fetchone()
    is_new = application_id == 0 and objects == 0
    if not is_new and application_id != APPLICATION_ID:
        raise ForeignFileError("it belongs to another application")


def _add_columns(connection: sqlite3.Connection, table: Table) -> None:
    info = connection.execute(f"PRAGMA table_info({quoted(table.name)})").fetchall()
    found = {name: kind for _, name, kind, _, _, at in info if at == 0}
    key = [name for *_, at, name in sorted((at, name) for _, name, *_, at in info if at > 0)]
    if tuple(key) != table.key:
        raise ForeignFileError(f"the key of its table {table.name} is {', '.join(key)}")
    for column, python_type in table.columns.items():
        kind = _TYPES[python_type]
        if column not in found:
            connection.execute(f"ALTER TABLE {quoted(table.name)} ADD COLUMN {quoted(column)} {kind}")
        elif found[column] != kind:
            raise ForeignFileError(f"its column {table.name}.{column} is {found[column]}, not {kind}")


def _create_table(table: Table) -> str:
    keys = [f"{quoted(column)} TEXT NOT NULL" for column in table.key]
    others = [f"{quoted(column)} {_TYPES[kind]}" for column, kind in table.columns.items()]
    columns = ", ".join([*keys, *others])
    # STRICT: a column holds its own type and nothing else, as it does in Tablestore.
    return (
        f"CREATE TABLE IF NOT EXISTS {quoted(table.name)} "
        f"({columns}, PRIMARY KEY ({listed(table.key)})) STRICT"
    )


def _create_index(table: Table, index: Index) -> str:
    # Partial, so that it is as sparse as Tablestore's: tablestore-oss.md 1.1.
    there = " AND ".join(f"{quoted(column)} IS NOT NULL" for column in index.columns)
    return (
        f"CREATE INDEX IF NOT EXISTS {quoted(index.name)} ON {quoted(table.name)} "
        f"({listed((*index.columns, *table.key))}) WHERE {there}"
    )
