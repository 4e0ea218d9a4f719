"""The ledger in Tablestore: every conditional write is one call, so the service decides it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.adapters.aliyun.tablestore_batches import Insertion, insert_all
from shared.adapters.aliyun.tablestore_instance import TablestoreInstance
from shared.adapters.aliyun.tablestore_ranges import Range, read_page
from shared.adapters.aliyun.tablestore_rows import (
    change_columns,
    check_size,
    columns,
    condition,
    hint_of,
    key_columns,
    row_of,
)
from shared.adapters.aliyun.tablestore_sdk import load_sdk
from shared.adapters.row_checks import (
    check_change,
    check_columns,
    check_conditions,
    check_key,
    check_place,
    check_row,
)
from shared.ports import Change, Done, Page, When
from shared.tables import TABLES, Index, Key, Row, Table
from shared.toolkit.lease_store import changed


class TablestoreLedger:
    """Keeps rows in the tables of `instance`; `tablestore_tables` makes them.

    Safe with several threads. Indexes lag. Raise `MisconfiguredError` for what a person has to mend: a
    table that is missing or has another key, credentials, permissions, the clock; and `CorruptRowError`
    for a row that this version cannot read.
    """

    BATCH_LIMIT: int = 200  # BatchWriteRow: tablestore-oss.md 1.2
    PAGE_LIMIT: int = 5_000  # GetRange: tablestore-oss.md 1.3

    def __init__(self, instance: TablestoreInstance, *, tables: Sequence[Table] = TABLES) -> None:
        self._instance = instance
        self._tables = {table.name: table for table in tables}

    def close(self) -> None:
        """Close the connections. Closing twice is fine."""
        self._instance.close()

    def get(self, table: Table, key: Key) -> Row | None:
        """Read one row, without its key; None when it does not exist."""
        self._check_table(table)
        check_key(table, key)
        name = self._name(table)
        _, found, _ = self._instance.read(
            lambda client: client.get_row(name, key_columns(table, key)), table=name
        )
        return None if found is None else row_of(table, found.attribute_columns, key="/".join(key))

    def insert(self, table: Table, key: Key, row: Row) -> bool:
        """Put the row if absent; tell whether this call put it."""
        self._check_table(table)
        _checked(table, key, row)
        name = self._name(table)

        def send(client: Any) -> None:
            new = load_sdk().Row(key_columns(table, key), columns(row))
            client.put_row(name, new, condition("EXPECT_NOT_EXIST"))

        return self._instance.write(send, table=name, happens_once=True)

    def insert_many(self, table: Table, rows: Sequence[tuple[Key, Row]]) -> list[Done[bool]]:
        """Put each row if absent; a row that cannot be one has its `ValueError` as outcome."""
        self._check_table(table)
        if len(rows) > self.BATCH_LIMIT:
            raise ValueError(f"a batch has at most {self.BATCH_LIMIT} rows, not {len(rows)}")
        outcomes: dict[int, Done[bool]] = {}
        insertions = []
        for place, (key, row) in enumerate(rows):
            try:
                size = _checked(table, key, row)
            except ValueError as error:
                outcomes[place] = Done(error=error)
            else:
                insertions.append(Insertion(place, key, key_columns(table, key), columns(row), size))
        if insertions:
            outcomes.update(insert_all(self._instance, self._name(table), insertions))
        return [outcomes[place] for place in range(len(rows))]

    def update(self, table: Table, key: Key, change: Change, when: Sequence[When]) -> bool:
        """Change columns of an existing row if all conditions hold; tell whether they did."""
        self._check_table(table)
        check_key(table, key)
        check_change(table, change)
        check_conditions(table, when)
        check_size(table, key, change)
        name = self._name(table)

        def send(client: Any) -> None:
            row = load_sdk().Row(key_columns(table, key), change_columns(change))
            client.update_row(name, row, condition("EXPECT_EXIST", when))

        return self._instance.write(send, table=name, happens_once=_happens_once(change, when))

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
        wanted = self._index_range(table, index, (partition, upto), after, newest_first=newest_first)
        if wanted is None:
            return Page([])
        return read_page(
            self._instance,
            wanted,
            limit=min(limit, self.PAGE_LIMIT),
            read=lambda row: hint_of(table, (*row.primary_key, *row.attribute_columns)),
        )

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
        sdk, (group, *rest) = load_sdk(), table.key
        wanted = Range(
            self._name(table),
            [(group, first), *((name, sdk.INF_MIN if after is None else after[name]) for name in rest)],
            [(group, first), *((name, sdk.INF_MAX) for name in rest)],
            # Without the key, a row that has none of the columns would not come at all.
            columns=(*table.key, *columns),
            is_continued=after is not None,
        )
        return read_page(
            self._instance,
            wanted,
            limit=min(limit, self.PAGE_LIMIT),
            read=lambda row: row_of(table, (*row.primary_key, *row.attribute_columns), key=first),
        )

    def _index_range(
        self,
        table: Table,
        index: Index,
        last: tuple[str, int],
        after: Row | None,
        *,
        newest_first: bool,
    ) -> Range | None:
        """Give the range of a scan up to and including `last`; None when `after` lies beyond it."""
        sdk, (partition, upto) = load_sdk(), last
        group, position = index.columns
        bottom = [(group, partition), (position, sdk.INF_MIN), *((name, sdk.INF_MIN) for name in table.key)]
        top = [(group, partition), (position, upto), *((name, sdk.INF_MAX) for name in table.key)]
        start, end = (top, bottom) if newest_first else (bottom, top)
        is_beyond = after is not None and When(position, "<=", upto).holds(after) is False
        if is_beyond and not newest_first:
            return None
        is_continued = after is not None and not is_beyond
        if after is not None and is_continued:
            start = [(group, partition), *((name, after[name]) for name in (position, *table.key))]
        return Range(
            f"{self._instance.prefix}{index.name}",
            start,
            end,
            backward=newest_first,
            is_continued=is_continued,
        )

    def _name(self, table: Table) -> str:
        return f"{self._instance.prefix}{table.name}"

    def _check_table(self, table: Table) -> None:
        if self._tables.get(table.name) != table:
            raise ValueError(f"this ledger has no table {table.name}, or another one of that name")


def _checked(table: Table, key: Key, row: Row) -> int:
    """Refuse a row that does not fit; give its size."""
    check_key(table, key)
    check_row(table, row)
    return check_size(table, key, row)


def _happens_once(change: Change, when: Sequence[When]) -> bool:
    """Tell whether a change, once it happened, makes one of its own conditions fail."""
    after = changed({}, change)
    return any(one.column in change and not one.holds(after) for one in when)
