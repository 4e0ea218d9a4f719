"""OSS and Tablestore themselves, for the contract tests: a scratch prefix, and scratch tables.

Only with LEDGER_E2E=1, in the places that LEDGER_OBJECTS and LEDGER_TABLES name, with the keys that the
product would take (docs/testing.md). What is made there bears one name, and is removed at the end.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace

import pytest

from shared.adapters.aliyun.oss_object_store import OssObjectStore
from shared.adapters.aliyun.tablestore_instance import TablestoreInstance
from shared.adapters.aliyun.tablestore_ledger import TablestoreLedger
from shared.adapters.aliyun.tablestore_tables import create_tables
from shared.bootstrap.basis import Basis
from shared.places import Bucket, Instance
from shared.ports import Change, Done, Ledger, Page, When
from shared.settings import Settings
from shared.tables import Index, Key, Row, Table
from tests.scratch_tables import drop_tables, remove_rows

WANTED = "LEDGER_E2E"
# How long what was written may take to be seen in an index: nobody promises anything.
INDEX_LAG = "LEDGER_E2E_INDEX_LAG_MS"
_USUAL_INDEX_LAG_MS = 3_000
OSS, TABLESTORE = "oss itself", "tablestore itself"
_NO_TEST_YET = ("function compute itself", "mns itself", "result files on oss itself", "sts itself")


def params(name: str) -> list[object]:
    """Make the parameter of a contract test that asks a real service; none where nobody wants it."""
    return [pytest.param(name, marks=pytest.mark.enable_socket)] if _is_wanted() else []


def not_run() -> Mapping[str, str]:
    """Tell which real services no test asks in this run, and why."""
    needs = f"not run: needs {WANTED}=1, places and keys (docs/testing.md)"
    unwanted = {} if _is_wanted() else dict.fromkeys((OSS, TABLESTORE), needs)
    return unwanted | dict.fromkeys(_NO_TEST_YET, "not run: no live test yet")


def scratch_name() -> str:
    """Draw the name that everything of one test bears."""
    return f"e2e_{secrets.token_hex(4)}"


@contextmanager
def real_object_store(scratch: str) -> Iterator[OssObjectStore]:
    """Open the archive below a scratch prefix; can be sent to another process."""
    basis, place = _bucket()
    with closing(
        basis.cloud.objects(replace(place, prefix=f"{place.prefix}/{scratch}".lstrip("/")))
    ) as store:
        yield store


def remove_objects(scratch: str) -> None:
    """Remove all that stands below a scratch prefix."""
    basis, place = _bucket()
    with closing(basis.cloud.objects(place)) as store:
        for key in list(store.keys(scratch)):
            store.remove(key)


@contextmanager
def scratch_tables() -> Iterator[str]:
    """Make the ledger's tables under a scratch name, and delete them at the end."""
    scratch = scratch_name()
    with closing(_instance(scratch)) as instance:
        try:
            create_tables(instance)
            yield scratch
        finally:
            drop_tables(instance)


@contextmanager
def real_ledger(scratch: str) -> Iterator[Ledger]:
    """Open the ledger in scratch tables; can be sent to another process."""
    with closing(LateIndexes(_instance(scratch))) as ledger:
        yield ledger


def remove_scratch_rows(scratch: str) -> None:
    """Empty scratch tables, for the next test."""
    with closing(_instance(scratch)) as instance:
        remove_rows(instance)


class LateIndexes(TablestoreLedger):
    """A ledger that is read by an index only when the index has had its time: the contract knows no lag."""

    def __init__(self, instance: TablestoreInstance) -> None:
        super().__init__(instance)
        self._lag_s = int(os.environ.get(INDEX_LAG) or _USUAL_INDEX_LAG_MS) / 1000
        self._written = time.monotonic()

    def insert(self, table: Table, key: Key, row: Row) -> bool:
        """See `Ledger.insert`."""
        try:
            return super().insert(table, key, row)
        finally:
            self._written = time.monotonic()

    def insert_many(self, table: Table, rows: Sequence[tuple[Key, Row]]) -> list[Done[bool]]:
        """See `Ledger.insert_many`."""
        try:
            return super().insert_many(table, rows)
        finally:
            self._written = time.monotonic()

    def update(self, table: Table, key: Key, change: Change, when: Sequence[When]) -> bool:
        """See `Ledger.update`."""
        try:
            return super().update(table, key, change, when)
        finally:
            self._written = time.monotonic()

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
        time.sleep(max(0.0, self._written + self._lag_s - time.monotonic()))
        return super().scan(
            table, index, partition, upto=upto, limit=limit, after=after, newest_first=newest_first
        )


def _is_wanted() -> bool:
    return os.environ.get(WANTED) == "1"


def _basis() -> Basis:
    return Basis.of(Settings.read(os.environ))


def _bucket() -> tuple[Basis, Bucket]:
    basis = _basis()
    assert isinstance(basis.settings.objects, Bucket), f"{WANTED} needs LEDGER_OBJECTS=oss://bucket"
    return basis, basis.settings.objects


def _instance(scratch: str) -> TablestoreInstance:
    basis = _basis()
    place = basis.settings.tables
    assert isinstance(place, Instance), f"{WANTED} needs LEDGER_TABLES=ots://instance"
    return basis.cloud.instance(replace(place, prefix=f"{place.prefix}{scratch}_"))
