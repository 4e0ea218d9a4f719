"""Checks keys, rows, changes and conditions against `shared/tables.py` before a store is asked. Pure.

Everything raises `ValueError` that names table and column, never the value: it may be a whole body.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.ports import Change, When
from shared.tables import Index, Row, Table, Value

MAX_KEY_BYTES = 1_024  # of one key column: tablestore-oss.md 1.3
MAX_VALUE_BYTES = 2 * 1024 * 1024  # of one other column: tablestore-oss.md 1.3
_MAX_INTEGER = 2**63 - 1


def check_key(table: Table, key: Sequence[Value]) -> None:
    """Refuse a key that does not give a text for each key column of the table."""
    if len(key) != len(table.key):
        raise ValueError(f"a key of {table.name} is ({', '.join(table.key)}), not {len(key)} values")
    for column, value in zip(table.key, key, strict=True):
        _check(f"{table.name}.{column}", value, str, limit=MAX_KEY_BYTES)


def check_row(table: Table, row: Row) -> None:
    """Refuse a row with a column that the table does not have, or a value of another type."""
    for column, value in row.items():
        _check_column(table, column, value)


def check_columns(table: Table, columns: Sequence[str]) -> None:
    """Refuse to read a column that the table does not have, and a table whose key is one column."""
    if len(table.key) < 2:
        raise ValueError(f"a key of {table.name} is one column: there is nothing under it")
    for column in columns:
        _type_of(table, column)


def check_change(table: Table, change: Change) -> None:
    """Refuse a change of nothing, and what `check_row` refuses; `None` fits every column."""
    if not change:
        raise ValueError(f"an update of {table.name} has to change something")
    for column, value in change.items():
        if value is None:
            _type_of(table, column)
        else:
            _check_column(table, column, value)


def check_conditions(table: Table, when: Sequence[When]) -> None:
    """Refuse a condition on an unknown column, with another type or operator."""
    for condition in when:
        _check_column(table, condition.column, condition.value)
        if condition.op not in ("==", "<="):
            raise ValueError(f"a condition compares with == or <=, not {condition.op!r}")


def check_place(table: Table, index: Index, after: Row) -> None:
    """Refuse an `after` that is no row of the index."""
    missing = [column for column in (*index.columns, *table.key) if column not in after]
    if missing:
        raise ValueError(f"`after` is no row of {index.name}: no {', '.join(missing)}")
    check_key(table, [after[column] for column in table.key])
    check_row(table, {column: after[column] for column in index.columns})


def _check_column(table: Table, column: str, value: Value) -> None:
    _check(f"{table.name}.{column}", value, _type_of(table, column), limit=MAX_VALUE_BYTES)


def _type_of(table: Table, column: str) -> type:
    try:
        return table.columns[column]
    except KeyError:
        raise ValueError(f"table {table.name} has no column {column!r}") from None


def _check(place: str, value: object, expected: type, *, limit: int) -> None:
    # A `bool` is an `int` to Python, and nothing that a column holds.
    fits = isinstance(value, expected) and not isinstance(value, bool)
    if not fits:
        raise ValueError(f"{place} takes {expected.__name__}, not {type(value).__name__}")
    if isinstance(value, int):
        if not -_MAX_INTEGER - 1 <= value <= _MAX_INTEGER:
            raise ValueError(f"{place} takes an integer of 64 bits")
    elif isinstance(value, (str, bytes)) and (size := _size(place, value)) > limit:
        raise ValueError(f"{place} takes at most {limit} bytes, not {size}")


def _size(place: str, value: str | bytes) -> int:
    try:
        return len(value.encode()) if isinstance(value, str) else len(value)
    except UnicodeEncodeError:
        raise ValueError(f"{place} takes valid Unicode") from None
