"""Keys, rows, changes and conditions in the SDK's words, and back. Pure.

In the SDK `bytes` are text, and binary values are `bytearray`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shared.adapters.aliyun.tablestore_sdk import load_sdk
from shared.errors import CorruptRowError
from shared.ports import Change, When
from shared.tables import Key, Row, Table, Value

MAX_WRITE_BYTES = 4_000_000  # of one request, whichever MB is meant: tablestore-oss.md 1.3
# What a cell takes beside its name and value, generously: tags, lengths, checksums.
_CELL_OVERHEAD = 32
_ROW_OVERHEAD = 64

SdkKey = list[tuple[str, Any]]


def key_columns(table: Table, key: Key) -> SdkKey:
    """Give a key as pairs."""
    return list(zip(table.key, key, strict=True))


def columns(row: Row) -> SdkKey:
    """Give the other columns of a row as pairs."""
    return [(name, _sent(value)) for name, value in row.items()]


def change_columns(change: Change) -> Mapping[str, list[Any]]:
    """Give a change: what to put and what to remove."""
    put = [(name, _sent(value)) for name, value in change.items() if value is not None]
    removed = [name for name, value in change.items() if value is None]
    return {kind: cells for kind, cells in (("PUT", put), ("DELETE_ALL", removed)) if cells}


def condition(existence: str, when: Sequence[When] = ()) -> Any:
    """Give a condition on a row; each column is compared with a constant."""
    sdk = load_sdk()
    parts = [
        sdk.SingleColumnCondition(
            one.column,
            _sent(one.value),
            sdk.ComparatorType.EQUAL if one.op == "==" else sdk.ComparatorType.LESS_EQUAL,
            # The SDK's own default lets a missing column pass every fence.
            pass_if_missing=one.missing_passes,
        )
        for one in when
    ]
    if len(parts) < 2:
        return sdk.Condition(existence, parts[0] if parts else None)
    all_of_them = sdk.CompositeColumnCondition(sdk.LogicalOperator.AND)
    for part in parts:
        all_of_them.add_sub_condition(part)
    return sdk.Condition(existence, all_of_them)


def row_of(table: Table, cells: Iterable[Sequence[Any]], *, key: str) -> Row:
    """Give what was read, as far as the table has such columns: a newer version may have written more.

    Raise `CorruptRowError` for a value of another type, which only somebody else can have written.
    """
    row: dict[str, Value] = {}
    for name, value, *_ in cells:
        expected = str if name in table.key else table.columns.get(name)
        if expected is None:
            continue
        received = bytes(value) if isinstance(value, bytearray) else value
        if type(received) is not expected:
            raise CorruptRowError(
                "a ledger row holds a value of another type", key=key, table=table.name, column=name
            )
        row[name] = received
    return row


def hint_of(table: Table, cells: Iterable[Sequence[Any]]) -> Row:
    """Give a row of an index; a value of another type is left out: it must not hide the other rows."""
    row: dict[str, Value] = {}
    for cell in cells:
        try:
            row.update(row_of(table, [cell], key=""))
        except CorruptRowError:
            continue
    return row


def check_size(table: Table, key: Key, values: Mapping[str, Value | None]) -> int:
    """Give the size of a row on the wire; raise `ValueError` when it is too large for one write."""
    size = _ROW_OVERHEAD + sum(
        _CELL_OVERHEAD + len(name) + _size(value)
        for name, value in (*zip(table.key, key, strict=True), *values.items())
    )
    if size > MAX_WRITE_BYTES:
        raise ValueError(f"one write of {table.name} takes at most {MAX_WRITE_BYTES} bytes, not {size}")
    return size


def _size(value: Value | None) -> int:
    if isinstance(value, str):
        return len(value.encode())
    return len(value) if isinstance(value, bytes) else 8


def _sent(value: Value) -> Any:
    return bytearray(value) if isinstance(value, bytes) else value
