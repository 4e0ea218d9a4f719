"""Counts what the ports of a world are called for, in the words of `cli.cost.calls`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from shared.ports import Change, Done, Invoker, Ledger, Page, ResultFiles, Services, When
from shared.tables import Index, Key, Row, Table
from tests.faults import Call, Fault, Faults, FaultyInvoker, FaultyObjectStore
from tests.scripted_downloads import FaultyDownloads
from tests.scripted_targets import FaultySender
from tests.scripted_vendor import FaultyMediaApi
from tests.world import World

OF_OBJECTS = {
    **dict.fromkeys(("put", "put_new", "put_file"), "objects.put"),
    **dict.fromkeys(("get", "has", "chunks", "info"), "objects.get"),
}


class CountedLedger:
    """A ledger that counts its calls, and what each write does to indexes."""

    def __init__(self, inner: Ledger, counted: Counter[str]) -> None:
        self._inner = inner
        self._counted = counted
        self.BATCH_LIMIT, self.PAGE_LIMIT = inner.BATCH_LIMIT, inner.PAGE_LIMIT

    def get(self, table: Table, key: Key) -> Row | None:
        """See `Ledger.get`."""
        self._counted[f"{table.name}.get"] += 1
        return self._inner.get(table, key)

    def insert(self, table: Table, key: Key, row: Row) -> bool:
        """See `Ledger.insert`."""
        self._counted[f"{table.name}.insert"] += 1
        inserted = self._inner.insert(table, key, row)
        if inserted:
            self._indexed(table, {}, row)
        return inserted

    def insert_many(self, table: Table, rows: Sequence[tuple[Key, Row]]) -> list[Done[bool]]:
        """See `Ledger.insert_many`; each row counts, as it is billed."""
        return [Done(value=self.insert(table, key, row)) for key, row in rows]

    def update(self, table: Table, key: Key, change: Change, when: Sequence[When]) -> bool:
        """See `Ledger.update`."""
        self._counted[f"{table.name}.update"] += 1
        before = self._inner.get(table, key) or {}
        updated = self._inner.update(table, key, change, when)
        if updated:
            self._indexed(table, before, self._inner.get(table, key) or {})
        return updated

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
        self._counted[f"{index.name}.scan"] += 1
        return self._inner.scan(
            table, index, partition, upto=upto, limit=limit, after=after, newest_first=newest_first
        )

    def under(
        self, table: Table, first: str, *, columns: Sequence[str], limit: int, after: Row | None = None
    ) -> Page:
        """See `Ledger.under`."""
        self._counted[f"{table.name}.under"] += 1
        return self._inner.under(table, first, columns=columns, limit=limit, after=after)

    def _indexed(self, table: Table, before: Row, after: Row) -> None:
        for index in table.indexes:
            old, new = (
                tuple(row[name] for name in index.columns) if set(index.columns) <= row.keys() else None
                for row in (before, after)
            )
            if old != new:
                self._counted[f"{index.name}.leave"] += old is not None
                self._counted[f"{index.name}.enter"] += new is not None
            elif new and any(before.get(name) != after.get(name) for name in index.covers):
                self._counted[f"{index.name}.cover"] += 1


class CountedFiles:
    """Result files whose reading is counted."""

    def __init__(self, inner: ResultFiles, counted: Counter[str]) -> None:
        self._inner = inner
        self._counted = counted

    def read(self, uri: str) -> bytes:
        """See `ResultFiles.read`."""
        self._counted["results.get"] += 1
        return self._inner.read(uri)


class Counted:
    """Services of a world that count their calls."""

    def __init__(self, world: World, invoker: Invoker) -> None:
        self._counted: Counter[str] = Counter()
        self.services: Services = replace(
            world.services,
            objects=FaultyObjectStore(world.objects, Faults(self._object_call)),
            ledger=CountedLedger(world.ledger, self._counted),
            result_files=CountedFiles(world.services.result_files, self._counted),
            downloads=FaultyDownloads(world.pictures, Faults(lambda call: self._note("pictures.get"))),
            media_api=FaultyMediaApi(world.vendor, Faults(lambda call: self._note("vendor.ask"))),
            invoker=FaultyInvoker(invoker, Faults(lambda call: self._note(f"{call.target}.invoke"))),
            sender=FaultySender(world.targets, Faults(lambda call: self._note("target.send"))),
        )

    def taken(self) -> dict[str, int]:
        """Give what was counted since this was last asked for."""
        counted = {name: number for name, number in self._counted.items() if number}
        self._counted.clear()
        return counted

    def _object_call(self, call: Call) -> Fault | None:
        return self._note(OF_OBJECTS[call.method])

    def _note(self, name: str) -> Fault | None:
        self._counted[name] += 1
        return None
