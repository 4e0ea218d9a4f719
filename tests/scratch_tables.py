"""Empties and deletes the ledger's tables in a Tablestore, which the product never does."""

from __future__ import annotations

from shared.adapters.aliyun.tablestore_instance import TablestoreInstance
from shared.adapters.aliyun.tablestore_sdk import load_sdk
from shared.tables import TABLES, Table


def drop_tables(instance: TablestoreInstance) -> None:
    """Delete the tables with the instance's prefix, which must all be there, and their indexes."""
    client = instance.client()
    for table in TABLES:
        name = f"{instance.prefix}{table.name}"
        for index in table.indexes:
            client.delete_secondary_index(name, f"{instance.prefix}{index.name}")
        client.delete_table(name)


def remove_rows(instance: TablestoreInstance) -> None:
    """Delete every row of these tables."""
    for table in TABLES:
        _remove_rows(instance, table)


def _remove_rows(instance: TablestoreInstance, table: Table) -> None:
    client, sdk, name = instance.client(), load_sdk(), f"{instance.prefix}{table.name}"
    start, last = ([(column, end) for column in table.key] for end in (sdk.INF_MIN, sdk.INF_MAX))
    while start:
        _, start, rows, _ = client.get_range(name, sdk.Direction.FORWARD, start, last, max_version=1)
        for row in rows:
            client.delete_row(
                name, sdk.Row(row.primary_key), sdk.Condition(sdk.RowExistenceExpectation.IGNORE)
            )
