"""Makes the ledger's tables and indexes in Tablestore, and compares those that are there with it.

Nothing that exists is ever changed or removed: a difference is told, and a person decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from shared.adapters.aliyun.tablestore_instance import TablestoreInstance
from shared.adapters.aliyun.tablestore_sdk import load_sdk
from shared.tables import TABLES, Index, Table

_TYPES: Mapping[type, str] = {str: "STRING", int: "INTEGER", bytes: "BINARY"}
_FOREVER = -1  # a table with indexes that is updated can have no time to live: tablestore-oss.md 1.1
_THERE_ALREADY = "OTSObjectAlreadyExist"


def create_tables(instance: TablestoreInstance, tables: Sequence[Table] = TABLES) -> list[str]:
    """Create the tables and indexes that are missing; name those that this call created.

    An index that is added to a table gets the rows that are there. May be called any number of times, by
    several at once.
    """
    created = []
    for table in tables:
        name = f"{instance.prefix}{table.name}"
        if name not in _names(instance):
            created += _create_table(instance, table, name)
        there = {index.index_name for index in _described(instance, name).secondary_indexes}
        for index in table.indexes:
            if f"{instance.prefix}{index.name}" not in there:
                created += _create_index(instance, index, name)
    return created


def differences(instance: TablestoreInstance, tables: Sequence[Table] = TABLES) -> list[str]:
    """Tell, in sentences, how the tables that are there differ from the ledger's."""
    names = _names(instance)
    told: list[str] = []
    for table in tables:
        name = f"{instance.prefix}{table.name}"
        if name not in names:
            told.append(f"table {name} does not exist")
            continue
        told += _differences(instance, table, _described(instance, name))
    return told


def _create_table(instance: TablestoreInstance, table: Table, name: str) -> list[str]:
    sdk = load_sdk()
    meta = sdk.TableMeta(name, [(column, "STRING") for column in table.key], _predefined(table))
    options = sdk.TableOptions(time_to_live=_FOREVER, max_version=1, allow_update=True)
    indexes = [_index_meta(instance, index) for index in table.indexes]
    on_demand = sdk.ReservedThroughput(sdk.CapacityUnit(0, 0))
    made = _made(instance, lambda client: client.create_table(meta, options, on_demand, indexes), table=name)
    return [name, *(index.index_name for index in indexes)] if made else []


def _create_index(instance: TablestoreInstance, index: Index, table: str) -> list[str]:
    meta = _index_meta(instance, index)
    made = _made(
        instance,
        lambda client: client.create_secondary_index(table, meta, include_base_data=True),
        table=table,
    )
    return [meta.index_name] if made else []


def _made(instance: TablestoreInstance, send: Callable[[Any], object], *, table: str) -> bool:
    """Create something; False when it is there by now, be it by an earlier try of ours."""

    def create(client: Any) -> bool:
        try:
            send(client)
        except load_sdk().OTSServiceError as error:
            if error.code != _THERE_ALREADY:
                raise
            return False
        return True

    return instance.read(create, table=table)


def _names(instance: TablestoreInstance) -> Sequence[str]:
    names: Sequence[str] = instance.read(lambda client: client.list_table())
    return names


def _described(instance: TablestoreInstance, name: str) -> Any:
    return instance.read(lambda client: client.describe_table(name), table=name)


def _index_meta(instance: TablestoreInstance, index: Index) -> Any:
    sdk = load_sdk()
    # The table's own key follows by itself: tablestore-oss.md 1.1.
    return sdk.SecondaryIndexMeta(
        f"{instance.prefix}{index.name}",
        list(index.columns),
        list(index.covers),
        sdk.SecondaryIndexType.GLOBAL_INDEX,
    )


def _predefined(table: Table) -> list[tuple[str, str]]:
    """Give the columns that indexes need to know, with their types."""
    names = dict.fromkeys(name for index in table.indexes for name in (*index.columns, *index.covers))
    return [(name, _TYPES[table.columns[name]]) for name in names]


def _differences(instance: TablestoreInstance, table: Table, found: Any) -> Iterator[str]:
    name = found.table_meta.table_name
    key = [(column, "STRING") for column in table.key]
    found_key = [tuple(column) for column in found.table_meta.schema_of_primary_key]
    if found_key != key:
        yield f"table {name} has the key {_listed(found_key)}, not {_listed(key)}"
    types = dict(found.table_meta.defined_columns)
    for column, kind in _predefined(table):
        if types.get(column) != kind:
            yield f"table {name} has no predefined column {column} {kind}"
    yield from _option_differences(name, found.table_options, may_expire=table.may_expire)
    indexes = {index.index_name: index for index in found.secondary_indexes}
    for index in table.indexes:
        index_name = f"{instance.prefix}{index.name}"
        if index_name not in indexes:
            yield f"index {index_name} of table {name} does not exist"
        else:
            yield from _index_differences(index, table, indexes[index_name])


def _option_differences(name: str, options: Any, *, may_expire: bool) -> Iterator[str]:
    # How long rows that may go are kept is for whoever runs the instance to say.
    if options.time_to_live != _FOREVER and not may_expire:
        yield f"table {name} has time_to_live {options.time_to_live}, not {_FOREVER}"
    if options.max_version != 1:
        yield f"table {name} has max_versions {options.max_version}, not 1"
    if not options.allow_update:
        yield f"table {name} does not allow updates"


def _index_differences(index: Index, table: Table, found: Any) -> Iterator[str]:
    wanted = (*index.columns, *(column for column in table.key if column not in index.columns))
    if tuple(found.primary_key_names) not in (wanted, index.columns):
        names = ", ".join(found.primary_key_names)
        yield f"index {found.index_name} is on ({names}), not ({', '.join(wanted)})"
    for column in sorted(set(index.covers) - set(found.defined_column_names)):
        yield f"index {found.index_name} does not cover {column}"
    if found.index_type != load_sdk().SecondaryIndexType.GLOBAL_INDEX:
        yield f"index {found.index_name} is not a global one"


def _listed(columns: Sequence[tuple[str, ...]]) -> str:
    return "(" + ", ".join(" ".join(map(str, column)) for column in columns) + ")"
