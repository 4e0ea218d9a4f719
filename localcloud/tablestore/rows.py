"""What becomes of a row: written on a condition, shown by an index, selected by a reader. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from localcloud.tablestore.conditions import Columns, Condition
from localcloud.tablestore.plain_buffer import Cell, KeyValue, Operation, Value, WireRow
from localcloud.tablestore.refusals import invalid
from localcloud.tablestore.schema import IndexSchema

MAX_RANGE_BYTES = 4 * 1024 * 1024  # of one answer: tablestore-oss.md 1.3

_EXPECT_EXIST, _EXPECT_NOT_EXIST = 1, 2


@dataclass(frozen=True)
class Write:
    """What to do to one row, and when: a put, an update or a deletion."""

    row: WireRow
    existence: int
    condition: Condition
    is_update: bool = False


@dataclass(frozen=True)
class Selection:
    """What to read of rows: `columns` are all when there are none."""

    columns: Collection[str]
    condition: Condition


def may_write(write: Write, before: WireRow | None) -> bool:
    """Tell whether the conditions of a write hold for the row as it is."""
    if write.existence == _EXPECT_EXIST and before is None:
        return False
    if write.existence == _EXPECT_NOT_EXIST and before is not None:
        return False
    return write.condition(_columns_of(before.cells) if before is not None else {})


def written(write: Write, before: WireRow | None, *, now: int) -> WireRow | None:
    """Give the row as it is after a write, None when it is gone."""
    if write.row.is_deletion:
        return None
    cells = {cell.name: cell for cell in before.cells} if before and write.is_update else {}
    for cell in write.row.cells:
        if cell.operation is Operation.DELETE_ALL:
            cells.pop(cell.name, None)
            continue
        value = value_of(cell)
        if cell.operation is Operation.INCREMENT:
            value = _sum(cells.get(cell.name), value)
        cells[cell.name] = Cell(cell.name, value, timestamp=now)
    return WireRow(write.row.key, tuple(cells[name] for name in sorted(cells)))


def _columns_of(cells: Sequence[Cell]) -> Columns:
    """Give the columns of a row by name."""
    return {cell.name: value_of(cell) for cell in cells}


def value_of(cell: Cell) -> Value:
    """Give the value of a cell that needs one."""
    if not isinstance(cell.value, (str, int, float, bytes)):
        raise invalid(f"The column '{cell.name}' has no value.")
    return cell.value


def _sum(cell: Cell | None, increment: Value) -> int:
    before = 0 if cell is None else cell.value
    if type(before) is not int or type(increment) is not int:
        raise invalid("Only a column of INTEGER can be incremented.")
    return before + increment


def selected(row: WireRow, selection: Selection) -> WireRow | None:
    """Give what is to be read of a row; a row with none of the columns asked for is not there."""
    if not selection.condition(_columns_of(row.cells)):
        return None
    if not selection.columns:
        return row
    cells = tuple(cell for cell in row.cells if cell.name in selection.columns)
    is_seen = cells or any(cell.name in selection.columns for cell in row.key)
    return WireRow(row.key, cells) if is_seen else None


def fitting(rows: Sequence[WireRow]) -> int:
    """Count the rows of one answer: the one that passes 4 MB is the last."""
    total = 0
    for count, row in enumerate(rows, 1):
        total += sum(map(_size, (*row.key, *row.cells)))
        if total >= MAX_RANGE_BYTES:
            return count
    return len(rows)


def _size(cell: Cell) -> int:
    return len(cell.name) + (len(cell.value) if isinstance(cell.value, (str, bytes)) else 8)


def indexed(index: IndexSchema, row: WireRow | None) -> WireRow | None:
    """Give the row of an index, None while the table's row lacks one of the index's columns."""
    if row is None:
        return None
    cells = {cell.name: cell for cell in (*row.key, *row.cells)}
    if any(name not in cells for name in index.key):
        return None
    key = tuple(Cell(name, cells[name].value) for name in index.key)
    return WireRow(key, tuple(cells[name] for name in index.covers if name in cells))


def key_of(row: WireRow) -> tuple[KeyValue, ...]:
    """Give the key of a row that is stored."""
    return tuple(value_of(cell) for cell in row.key)
