"""Rows of the Tablestore ledger that this version did not write."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from localcloud.loopback import LoopbackServer
from shared.adapters.aliyun.tablestore_ledger import TablestoreLedger
from shared.adapters.aliyun.tablestore_sdk import load_sdk
from shared.errors import CorruptRowError
from shared.tables import INBOX, JOBS, JOBS_BY_DAY
from tests.localcloud.tablestore.worlds import connect
from tests.shared.adapters.rows import FOREVER, KEY


def put(
    server: LoopbackServer, table: str, key: list[tuple[str, str]], columns: list[tuple[str, Any]]
) -> None:
    """Write a row past the ledger."""
    sdk = load_sdk()
    with closing(connect(server.endpoint)) as instance:
        instance.client().put_row(table, sdk.Row(key, columns), sdk.Condition("IGNORE"))


def test_columns_of_a_newer_version_are_passed_over(server: LoopbackServer, ledger: TablestoreLedger) -> None:
    put(server, "jobs", [("job_key", KEY[0])], [("token", 1), ("new_in_2030", 0.5)])

    assert ledger.get(JOBS, KEY) == {"token": 1}


def test_a_value_of_another_type_is_a_corrupt_row_that_is_named(
    server: LoopbackServer, ledger: TablestoreLedger
) -> None:
    put(server, "jobs", [("job_key", KEY[0])], [("token", 0.5)])
    put(server, "inbox", [("job_key", "a"), ("message_id", "1")], [("received_at", "late")])

    with pytest.raises(CorruptRowError, match=f"key={KEY[0]}.*column=token"):
        ledger.get(JOBS, KEY)
    with pytest.raises(CorruptRowError, match="column=received_at"):
        ledger.under(INBOX, "a", columns=("received_at",), limit=1)


def test_a_corrupt_row_does_not_hide_the_others_of_an_index(
    server: LoopbackServer, ledger: TablestoreLedger
) -> None:
    """What Tablestore has predefined cannot be of another type; what this version expects can."""
    for name in ("a", "b"):
        ledger.insert(JOBS, (name,), {"seen_day": "3.x", "first_seen_at": 1, "state": "running"})
    columns = {**JOBS.columns, "state": int}
    table = type(JOBS)(JOBS.name, JOBS.key, columns, JOBS.indexes)
    newer = TablestoreLedger(connect(server.endpoint), tables=[table])

    page = newer.scan(table, JOBS_BY_DAY, "3.x", upto=FOREVER, limit=9)
    newer.close()

    assert [dict(row) for row in page.rows] == [
        {"seen_day": "3.x", "first_seen_at": 1, "job_key": name} for name in ("a", "b")
    ]
