"""Tables, their rows and their indexes: what an instance of Tablestore does, without wire and signatures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from localcloud.tablestore.messages import CREATE_TABLE
from localcloud.tablestore.plain_buffer import Cell, Operation, WireRow
from localcloud.tablestore.protobuf import Values
from localcloud.tablestore.refusals import RefusedError, invalid, lost, no_such_table, unsupported
from localcloud.tablestore.row_store import RowStore, ordered
from localcloud.tablestore.rows import (
    Selection,
    Write,
    fitting,
    indexed,
    key_of,
    may_write,
    selected,
    value_of,
    written,
)
from localcloud.tablestore.schema import (
    MAX_COLUMNS,
    MAX_TABLES,
    IndexSchema,
    TableSchema,
    index_as_table,
    new_table,
    options,
    with_index,
    without_index,
)

if TYPE_CHECKING:
    from shared.ports import Clock

MAX_RANGE_ROWS = 5_000  # of one answer: tablestore-oss.md 1.3


class Instance:
    """Keeps tables in `store`. An index shows a write `index_lag_ms` after it happened.

    Every method happens whole or not at all, and raises `RefusedError`.
    """

    def __init__(self, store: RowStore, *, clock: Clock, index_lag_ms: int = 0) -> None:
        self._store = store
        self._clock = clock
        self._index_lag_ms = index_lag_ms

    # Tables.

    def create_table(self, message: Values) -> None:
        """Make a table with its indexes."""
        table = new_table(message)
        with self._store.transaction():
            names = self._spaces()
            wanted = [table.name, *(index.name for index in table.indexes)]
            if names.intersection(wanted):
                raise _already_there()
            if len(names) + len(wanted) > MAX_TABLES:
                raise RefusedError(403, "OTSQuotaExhausted", "Number of tables exceeded the quota.")
            self._describe(table)

    def list_tables(self) -> list[str]:
        """Name tables and indexes, as the vendor does in one list."""
        with self._store.transaction():
            return sorted(self._spaces())

    def describe_table(self, name: str) -> TableSchema:
        """Describe a table."""
        with self._store.transaction():
            return self._table(name)

    def update_table(self, name: str, message: Values) -> Values:
        """Change the options of a table; give them as they are then."""
        with self._store.transaction():
            table = self._table(name)
            changed = options(message, table.message["table_options"])
            self._describe(TableSchema({**table.message, "table_options": changed}))
            return changed

    def delete_table(self, name: str) -> None:
        """Remove a table and its rows; first its indexes have to go."""
        with self._store.transaction():
            if self._table(name).indexes:
                raise invalid("Please delete the secondary indexes of the table first.")
            self._store.forget(name)

    def create_index(self, name: str, meta: Values, *, with_rows: bool) -> None:
        """Add an index; without the rows that are there, it holds only what is written from now on."""
        with self._store.transaction():
            if meta["name"] in self._spaces():
                raise _already_there()
            table = with_index(self._table(name), meta)
            self._describe(table)
            index = table.indexes[-1]
            for row in self._store.scan(name, b"", b"\xff") if with_rows else ():
                self._show(index, None, row)

    def drop_index(self, name: str, index: str) -> None:
        """Remove an index."""
        with self._store.transaction():
            table = self._table(name)
            if all(one.name != index for one in table.indexes):
                raise RefusedError(404, "OTSObjectNotExist", "Requested index does not exist.")
            self._describe(without_index(table, index))
            self._store.forget(index)

    # Rows.

    def write(self, name: str, write: Write) -> WireRow:
        """Write a row if its conditions hold; give its key."""
        with self._store.transaction():
            table = self._table(name)
            key = table.check_key(write.row.key)
            self._check_cells(table, write)
            space_key = ordered(key)
            before = self._store.get(name, space_key)
            if not may_write(write, before):
                raise lost()
            after = written(write, before, now=self._clock.now())
            self._store.put(name, space_key, after)
            for index in table.indexes:
                self._show(index, before, after)
        return WireRow(write.row.key)

    def get(self, name: str, key: Sequence[Cell], selection: Selection) -> WireRow | None:
        """Read a row of a table or of an index."""
        with self._store.transaction():
            place = ordered(self._readable(name).check_key(key))
            row = self._store.get(name, place)
        return None if row is None else selected(row, selection)

    def read_range(
        self,
        name: str,
        start: Sequence[Cell],
        end: Sequence[Cell],
        selection: Selection,
        *,
        limit: int | None,
        backward: bool,
    ) -> tuple[list[WireRow], WireRow | None]:
        """Read from `start` up to, but without, `end`; give the key to go on from, if anything follows."""
        if limit is not None and limit < 1:
            raise invalid("The limit must be greater than 0.")
        with self._store.transaction():
            table = self._readable(name)
            first, last = (ordered(table.check_key(key, edges=True)) for key in (start, end))
            if first < last if backward else first > last:
                raise invalid(
                    "Begin key must more than end key in BACKWARD"
                    if backward
                    else "Begin key must less than end key in FORWARD"
                )
            most = min(limit or MAX_RANGE_ROWS, MAX_RANGE_ROWS)
            found = self._store.scan(name, first, last, backward=backward, limit=most + 1)
        count = fitting(found[:most])
        rows = [selected(row, selection) for row in found[:count]]
        following = WireRow(found[count].key) if len(found) > count else None
        return [row for row in rows if row is not None], following

    # Within a transaction.

    def _spaces(self) -> set[str]:
        tables = map(self._table, self._store.descriptions())
        return {name for table in tables for name in (table.name, *(one.name for one in table.indexes))}

    def _table(self, name: str) -> TableSchema:
        description = self._store.descriptions().get(name)
        if description is None:
            raise no_such_table()
        return TableSchema(CREATE_TABLE.decode(description))

    def _describe(self, table: TableSchema) -> None:
        self._store.describe(table.name, CREATE_TABLE.encode(table.message))

    def _readable(self, name: str) -> TableSchema:
        """Give the table of that name; an index is read as if it were one."""
        self._store.catch_up(self._clock.now())
        for base in self._store.descriptions():
            table = self._table(base)
            if base == name:
                return table
            for index in table.indexes:
                if index.name == name:
                    return index_as_table(table, index)
        raise no_such_table()

    def _check_cells(self, table: TableSchema, write: Write) -> None:
        if write.is_update and not write.row.cells:
            raise invalid("No attribute column specified to update row.")
        if len(write.row.cells) > MAX_COLUMNS:
            raise invalid(f"The number of attribute columns exceeded the limit:{MAX_COLUMNS}.")
        for cell in write.row.cells:
            if cell.operation is Operation.DELETE_ONE:
                raise unsupported("deletion of one version")
            if cell.operation is not Operation.DELETE_ALL:
                table.check_column(cell.name, value_of(cell))
        if write.is_update and not table.message["table_options"]["allow_update"]:
            raise invalid("Update operation is not allowed on this table.")

    def _show(self, index: IndexSchema, before: WireRow | None, after: WireRow | None) -> None:
        """Have an index follow a change of a row: at once, or when its lag is over."""
        old, new = indexed(index, before), indexed(index, after)
        changes = {ordered(key_of(row)): None for row in (old,) if row is not None} | {
            ordered(key_of(row)): row for row in (new,) if row is not None
        }
        for key, row in changes.items():
            if self._index_lag_ms:
                self._store.put_later(index.name, key, row, at=self._clock.now() + self._index_lag_ms)
            else:
                self._store.put(index.name, key, row)


def _already_there() -> RefusedError:
    return RefusedError(409, "OTSObjectAlreadyExist", "Requested table already exists.")
