"""The ledger's tables in Tablestore: made once, compared ever after."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from localcloud.tablestore.service import THROTTLED, Trouble
from localcloud.template import read_template
from shared.adapters.aliyun.tablestore_instance import TablestoreInstance
from shared.adapters.aliyun.tablestore_ledger import TablestoreLedger
from shared.adapters.aliyun.tablestore_sdk import load_sdk
from shared.adapters.aliyun.tablestore_tables import create_tables, differences
from shared.adapters.clocks import ManualClock
from shared.tables import INBOX, JOBS, JOBS_BY_DAY, JOBS_DUE, LEASES, Index, Table
from tests.localcloud.tablestore.worlds import connect, new_service, present, serving
from tests.shared.adapters.rows import FOREVER, due, due_row, insert_due

OF_JOBS = ["jobs", "jobs_due", "jobs_by_day", "jobs_by_kind", "jobs_attention"]
NAMES = [*OF_JOBS, "inbox", "evidence", "evidence_due", "lookups", "leases"]


ROOT = Path(__file__).parents[4]


def update_table(client: Any, *, table: str, options: Any) -> None:
    client.update_table(table, options)


@pytest.fixture
def instance() -> Iterator[TablestoreInstance]:
    with serving(new_service()) as server, closing(connect(server.endpoint)) as instance:
        yield instance


def test_tables_are_created_once_and_are_then_as_they_should_be(instance: TablestoreInstance) -> None:
    before = differences(instance)

    assert create_tables(instance) == NAMES
    assert create_tables(instance) == []
    assert differences(instance) == []
    assert [line.split()[1] for line in before] == ["jobs", "inbox", "evidence", "lookups", "leases"]


def test_a_table_whose_creation_was_not_answered_is_there_once() -> None:
    service = new_service()
    service.plan(Trouble(refused=THROTTLED), operation="CreateTable")
    service.plan(Trouble(answer="lost"), operation="CreateTable")
    with serving(service) as server, closing(connect(server.endpoint)) as instance:
        created = create_tables(instance)

        assert created == NAMES[len(OF_JOBS) :]
        assert differences(instance) == []


def test_two_ledgers_with_prefixes_share_an_instance_and_no_row() -> None:
    with serving(new_service()) as server:
        ledgers = []
        for prefix in ("a_", "b_"):
            instance = connect(server.endpoint, prefix=prefix)
            assert create_tables(instance) == [f"{prefix}{name}" for name in NAMES]
            ledgers.append(TablestoreLedger(instance))
        insert_due(ledgers[0], ("a", 1))

        assert [due(ledger) for ledger in ledgers] == [[due_row("a", 1)], []]
        for ledger in ledgers:
            ledger.close()


def test_an_index_that_comes_later_has_the_rows_that_were_there(instance: TablestoreInstance) -> None:
    young = replace(JOBS, indexes=(JOBS_DUE, JOBS_BY_DAY))
    old = replace(JOBS, indexes=(JOBS_DUE,))
    # What an index is on has to be predefined when the table is made.
    old = replace(
        old, indexes=(replace(JOBS_DUE, covers=("seen_day", "first_seen_at", "state", "suggestion")),)
    )
    create_tables(instance, [old])
    TablestoreLedger(instance, tables=[old]).insert(old, ("a",), {"seen_day": "3.x", "first_seen_at": 5})

    assert create_tables(instance, [young]) == ["jobs_by_day"]
    page = TablestoreLedger(instance).scan(JOBS, JOBS_BY_DAY, "3.x", upto=FOREVER, limit=9)
    assert [row["job_key"] for row in page.rows] == ["a"]


@pytest.mark.parametrize(
    ("there", "told"),
    [
        (replace(INBOX, key=("job_key",)), "table inbox has the key (job_key STRING), not"),
        (
            replace(INBOX, name="jobs", key=("job_key",)),
            "table jobs has no predefined column due_bucket STRING",
        ),
        (replace(JOBS, indexes=(JOBS_DUE,)), "index jobs_by_day of table jobs does not exist"),
        (
            replace(JOBS, indexes=(replace(JOBS_DUE, columns=("seen_day", "due_at")), JOBS_BY_DAY)),
            "index jobs_due is on (seen_day, due_at, job_key), not (due_bucket, due_at, job_key)",
        ),
        (
            replace(JOBS, indexes=(JOBS_DUE, replace(JOBS_BY_DAY, covers=("state",)))),
            "index jobs_by_day does not cover suggestion",
        ),
        (
            replace(JOBS, columns={**JOBS.columns, "due_at": str}),
            "table jobs has no predefined column due_at INTEGER",
        ),
    ],
    ids=["key", "predefined column", "no index", "index columns", "cover", "type"],
)
def test_a_difference_is_told_and_nothing_is_changed(
    instance: TablestoreInstance, there: Table, told: str
) -> None:
    create_tables(instance, [there])

    found = differences(instance)

    assert [line for line in found if line.startswith(told)]
    assert differences(instance) == found


def test_options_that_would_lose_rows_or_writes_are_differences(instance: TablestoreInstance) -> None:
    create_tables(instance)
    options = load_sdk().TableOptions(86_400, 1, allow_update=False)
    for table in ("jobs", "leases"):
        instance.read(partial(update_table, table=table, options=options))

    assert differences(instance) == [
        "table jobs has time_to_live 86400, not -1",
        "table jobs does not allow updates",
        "table leases does not allow updates",
    ]


def test_tables_with_the_times_to_live_of_the_template_are_as_they_should_be(
    instance: TablestoreInstance,
) -> None:
    create_tables(instance)
    for one in read_template(ROOT / "template.yml").resources("ALIYUN::OTS::Table").values():
        # What is no number is made of a parameter, in days.
        said = one["TimeToLive"]
        options = load_sdk().TableOptions(said if isinstance(said, int) else 86_400, 1)
        instance.read(partial(update_table, table=str(one["TableName"]), options=options))

    assert differences(instance) == []


def test_an_index_shows_a_write_when_its_lag_is_over() -> None:
    clock = ManualClock(present())
    with serving(new_service(clock, index_lag_ms=500)) as server:
        instance = connect(server.endpoint)
        create_tables(instance)
        with closing(TablestoreLedger(instance)) as ledger:
            insert_due(ledger, ("a", 1))
            ledger.insert(INBOX, ("a", "1"), {})
            at_once = (due(ledger), len(ledger.under(INBOX, "a", columns=(), limit=9).rows))
            clock.advance(500)
            later = due(ledger)
            ledger.update(JOBS, ("a",), {"due_at": None}, [])
            stale = due(ledger)

    assert at_once == ([], 1)
    assert later == stale == [due_row("a", 1)]


def test_names_of_tables_and_columns_are_what_tablestore_takes() -> None:
    named: list[Table | Index] = [JOBS, INBOX, LEASES, *JOBS.indexes]
    columns = [name for table in (JOBS, INBOX, LEASES) for name in (*table.key, *table.columns)]

    assert all(name.isidentifier() and name.isascii() for name in (*columns, *(one.name for one in named)))
