"""The stores' contracts in dictionaries, for tests that live through thousands of histories.

`tests/shared/test_histories.py` shows that a history ends alike over these and over the local adapters.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from shared.errors import ObjectNotFoundError
from shared.ports import Change, Done, ObjectInfo, Page, When
from shared.tables import Index, Key, Row, Table, Value


class MemoryObjectStore:
    """Objects in a dictionary."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put(self, key: str, body: bytes, *, content_type: str) -> None:
        """See `ObjectStore.put`."""
        self.objects[key] = body

    def put_new(self, key: str, body: bytes, *, content_type: str) -> bool:
        """See `ObjectStore.put_new`."""
        return self.objects.setdefault(key, body) is body

    def get(self, key: str) -> bytes:
        """See `ObjectStore.get`."""
        if key not in self.objects:
            raise ObjectNotFoundError("no object stands there", key=key)
        return self.objects[key]

    def has(self, key: str) -> bool:
        """See `ObjectStore.has`."""
        return key in self.objects

    def put_file(self, key: str, file: BinaryIO, *, content_type: str) -> bool:
        """See `ObjectStreams.put_file`."""
        file.seek(0)
        return self.put_new(key, file.read(), content_type=content_type)

    def chunks(self, key: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """See `ObjectStreams.chunks`."""
        yield self.get(key)[start:end]

    def info(self, key: str) -> ObjectInfo:
        """See `ObjectStreams.info`."""
        return ObjectInfo(len(self.get(key)), 0, None)

    def link(self, key: str, *, seconds: int, saved_as: str | None = None) -> str:
        """See `ObjectLinks.link`."""
        return f"memory:{key}?seconds={seconds}"

    def remove(self, key: str) -> None:
        """See `ObjectRemoval.remove`."""
        self.objects.pop(key, None)

    def keys(self, folder: str) -> Iterator[str]:
        """See `ObjectStore.keys`."""
        return iter(sorted(key for key in self.objects if key.startswith(f"{folder}/")))


class MemoryLedger:
    """Rows in dictionaries. Indexes do not lag here."""

    BATCH_LIMIT: int = 200
    PAGE_LIMIT: int = 5_000

    def __init__(self) -> None:
        self._rows: defaultdict[str, dict[Key, Row]] = defaultdict(dict)

    def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def get(self, table: Table, key: Key) -> Row | None:
        """See `Ledger.get`."""
        return self._rows[table.name].get(key)

    def insert(self, table: Table, key: Key, row: Row) -> bool:
        """See `Ledger.insert`."""
        if key in self._rows[table.name]:
            return False
        self._rows[table.name][key] = _typed(table, row)
        return True

    def insert_many(self, table: Table, rows: Sequence[tuple[Key, Row]]) -> list[Done[bool]]:
        """See `Ledger.insert_many`."""
        return [Done(value=self.insert(table, key, row)) for key, row in rows]

    def update(self, table: Table, key: Key, change: Change, when: Sequence[When]) -> bool:
        """See `Ledger.update`."""
        row = self._rows[table.name].get(key)
        if row is None or not all(_holds(row, condition) for condition in when):
            return False
        merged = {**row, **change}
        kept = {name: value for name, value in merged.items() if value is not None}
        self._rows[table.name][key] = _typed(table, kept)
        return True

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
        """See `Ledger.scan`."""
        group, position = index.columns
        names = (*index.columns, *table.key, *index.covers)
        past = None if after is None else (after[position], tuple(after[name] for name in table.key))
        found: list[tuple[tuple[int, Key], Row]] = []
        for key, row in self._rows[table.name].items():
            at = row.get(position)
            if row.get(group) == partition and isinstance(at, int) and at <= upto:
                whole = {**row, **dict(zip(table.key, key, strict=True))}
                found.append(((at, key), {n: whole[n] for n in names if n in whole}))
        found.sort(key=lambda pair: pair[0], reverse=newest_first)
        rows = [
            row for place, row in found if past is None or (place < past if newest_first else place > past)
        ]
        return Page(rows[:limit], rows[limit - 1] if len(rows) > limit else None)

    def under(
        self,
        table: Table,
        first: str,
        *,
        columns: Sequence[str],
        limit: int,
        after: Row | None = None,
    ) -> Page:
        """See `Ledger.under`."""
        past = (first,) if after is None else tuple(str(after[name]) for name in table.key)
        keys = sorted(key for key in self._rows[table.name] if key[0] == first and key > past)
        rows: list[Row] = []
        for key in keys[:limit]:
            row = self._rows[table.name][key]
            rows.append(
                {**dict(zip(table.key, key, strict=True)), **{n: row[n] for n in columns if n in row}}
            )
        return Page(rows, rows[-1] if len(keys) > limit else None)


def _holds(row: Row, when: When) -> bool:
    value = row.get(when.column)
    if value is None:
        return when.missing_passes
    if when.op == "==":
        return value == when.value
    return isinstance(value, int) and isinstance(when.value, int) and value <= when.value


def _typed(table: Table, row: Row) -> dict[str, Value]:
    for name, value in row.items():
        if type(value) is not table.columns.get(name):
            raise ValueError(f"{table.name}.{name} does not hold {type(value).__name__}")
    return dict(row)
