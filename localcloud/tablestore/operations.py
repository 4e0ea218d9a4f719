"""The operations of the protocol: a message in, a message out, for every name in a request's path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from localcloud.tablestore import messages
from localcloud.tablestore.conditions import read_condition
from localcloud.tablestore.instance import Instance
from localcloud.tablestore.plain_buffer import WireRow, decode_row, encode_rows
from localcloud.tablestore.protobuf import Message, Values
from localcloud.tablestore.refusals import RefusedError, invalid, unsupported
from localcloud.tablestore.rows import Selection, Write

RowTrouble: TypeAlias = "Callable[[int], RefusedError | None]"
"""Tells for the place of a row in a batch whether it is refused, for a test's sake."""

MAX_WRITTEN_ROWS = 200  # of one batch: tablestore-oss.md 1.2
MAX_READ_ROWS = 100

_PUT, _UPDATE, _DELETE = 1, 2, 3
_RETURN_KEY, _RETURN_COLUMNS = 1, 2
_BACKWARD = 1
_ACTIVE = 1
# What a call costs is not imitated: one unit, whatever it does.
_CONSUMED = {"capacity_unit": {"read": 1, "write": 1}}
_THROUGHPUT = {"capacity_unit": {"read": 0, "write": 0}, "last_increase_time": 0}


def perform(instance: Instance, name: str, body: bytes, row_trouble: RowTrouble) -> bytes:
    """Do what a request asks for and give the body of its answer."""
    if name == "BatchWriteRow":
        answered = _write_batch(instance, messages.BATCH_WRITE.decode(body), row_trouble)
        return messages.BATCH_ANSWER.encode(answered)
    if name not in _OPERATIONS:
        raise invalid(f"Unsupported operation: '{name}'.")
    asked, answer, handle = _OPERATIONS[name]
    return answer.encode(handle(instance, asked.decode(body)))


def _create_table(instance: Instance, asked: Values) -> Values:
    instance.create_table(asked)
    return {}


def _list_tables(instance: Instance, asked: Values) -> Values:
    return {"table_names": instance.list_tables()}


def _describe_table(instance: Instance, asked: Values) -> Values:
    table = instance.describe_table(asked["table_name"])
    # The vendor shows an index with the whole of its key.
    metas = [
        {**meta, "primary_key": index.key}
        for meta, index in zip(table.message["index_metas"], table.indexes, strict=True)
    ]
    return {
        **table.message,
        "reserved_throughput_details": _THROUGHPUT,
        "table_status": _ACTIVE,
        "index_metas": metas,
    }


def _update_table(instance: Instance, asked: Values) -> Values:
    changed = instance.update_table(asked["table_name"], asked)
    return {"reserved_throughput_details": _THROUGHPUT, "table_options": changed}


def _delete_table(instance: Instance, asked: Values) -> Values:
    instance.delete_table(asked["table_name"])
    return {}


def _create_index(instance: Instance, asked: Values) -> Values:
    instance.create_index(
        asked["main_table_name"], asked["index_meta"], with_rows=asked.get("include_base_data", False)
    )
    return {}


def _drop_index(instance: Instance, asked: Values) -> Values:
    instance.drop_index(asked["main_table_name"], asked["index_name"])
    return {}


def _put_row(instance: Instance, asked: Values) -> Values:
    return _write(instance, asked, "row")


def _update_row(instance: Instance, asked: Values) -> Values:
    return _write(instance, asked, "row_change", is_update=True)


def _delete_row(instance: Instance, asked: Values) -> Values:
    return _write(instance, asked, "primary_key", is_deletion=True)


def _write(
    instance: Instance, asked: Values, field: str, *, is_update: bool = False, is_deletion: bool = False
) -> Values:
    if asked.get("transaction_id"):
        raise unsupported("local transaction")
    write = _write_of(asked, field, is_update=is_update, is_deletion=is_deletion)
    key = instance.write(asked["table_name"], write)
    return {"consumed": _CONSUMED, "row": _returned(asked, key)}


def _write_of(asked: Values, field: str, *, is_update: bool, is_deletion: bool) -> Write:
    row = decode_row(asked[field])
    if row.is_deletion != is_deletion:
        raise invalid("The row does not fit the operation.")
    if not is_update and any(cell.operation for cell in row.cells):
        raise invalid("Only an update changes single cells.")
    condition = asked["condition"]
    column_condition = read_condition(condition.get("column_condition"))
    return Write(row, condition["row_existence"], column_condition, is_update=is_update)


def _returned(asked: Values, key: WireRow) -> bytes | None:
    wanted = asked.get("return_content", {}).get("return_type")
    if wanted == _RETURN_COLUMNS:
        raise unsupported("answer with columns after a write")
    return encode_rows([key]) if wanted == _RETURN_KEY else None


def _write_batch(instance: Instance, asked: Values, row_trouble: RowTrouble) -> Values:
    _check_batch(asked, "rows", limit=MAX_WRITTEN_ROWS)
    for table in asked["tables"]:
        keys = Counter(decode_row(row["row_change"]).key for row in table["rows"])
        if keys and max(keys.values()) > 1:
            raise invalid("The input parameter is invalid: rows with the same primary key.")
        instance.describe_table(table["table_name"])
    places = iter(range(MAX_WRITTEN_ROWS))
    return {
        "tables": [
            {
                "table_name": table["table_name"],
                "rows": [
                    _written(instance, table["table_name"], row, row_trouble(next(places)))
                    for row in table["rows"]
                ],
            }
            for table in asked["tables"]
        ]
    }


def _written(instance: Instance, table: str, asked: Values, trouble: RefusedError | None) -> Values:
    kind = asked["type"]
    try:
        if trouble is not None:
            raise trouble
        write = _write_of(asked, "row_change", is_update=kind == _UPDATE, is_deletion=kind == _DELETE)
        key = instance.write(table, write)
    except RefusedError as refused:
        return _failed(refused)
    return {"is_ok": True, "consumed": _CONSUMED, "row": _returned(asked, key)}


def _get_row(instance: Instance, asked: Values) -> Values:
    key = decode_row(asked["primary_key"]).key
    row = instance.get(asked["table_name"], key, _selection(asked))
    return {"consumed": _CONSUMED, "row": encode_rows([row] if row else [])}


def _get_batch(instance: Instance, asked: Values) -> Values:
    _check_batch(asked, "primary_key", limit=MAX_READ_ROWS)
    return {
        "tables": [
            {"table_name": table["table_name"], "rows": list(_read(instance, table))}
            for table in asked["tables"]
        ]
    }


def _read(instance: Instance, table: Values) -> Iterator[Values]:
    for key in table["primary_key"]:
        try:
            row = instance.get(table["table_name"], decode_row(key).key, _selection(table))
        except RefusedError as refused:
            yield _failed(refused)
        else:
            yield {"is_ok": True, "consumed": _CONSUMED, "row": encode_rows([row] if row else [])}


def _get_range(instance: Instance, asked: Values) -> Values:
    rows, following = instance.read_range(
        asked["table_name"],
        decode_row(asked["inclusive_start_primary_key"]).key,
        decode_row(asked["exclusive_end_primary_key"]).key,
        _selection(asked),
        limit=asked.get("limit"),
        backward=asked["direction"] == _BACKWARD,
    )
    return {
        "consumed": _CONSUMED,
        "rows": encode_rows(rows),
        "next_start_primary_key": encode_rows([following]) if following else None,
    }


def _selection(asked: Values) -> Selection:
    return Selection(frozenset(asked["columns_to_get"]), read_condition(asked.get("filter")))


def _check_batch(asked: Values, rows: str, *, limit: int) -> None:
    if asked.get("transaction_id"):
        raise unsupported("local transaction")
    counts = [len(table[rows]) for table in asked["tables"]]
    names = {table["table_name"] for table in asked["tables"]}
    if not counts or not all(counts) or len(names) < len(counts):
        raise invalid("No row is specified in the request, or a table twice.")
    if sum(counts) > limit:
        raise invalid(f"The total row count {sum(counts)} exceeded the limit {limit}.")


def _failed(refused: RefusedError) -> Values:
    return {"is_ok": False, "error": {"code": refused.code, "message": refused.message}}


_OPERATIONS: Mapping[str, tuple[Message, Message, Callable[[Instance, Values], Values]]] = {
    "CreateTable": (messages.CREATE_TABLE, messages.NOTHING, _create_table),
    "ListTable": (messages.NOTHING, messages.TABLES_LISTED, _list_tables),
    "DescribeTable": (messages.NAMED_TABLE, messages.TABLE_DESCRIBED, _describe_table),
    "UpdateTable": (messages.UPDATE_TABLE, messages.TABLE_UPDATED, _update_table),
    "DeleteTable": (messages.NAMED_TABLE, messages.NOTHING, _delete_table),
    "CreateIndex": (messages.CREATE_INDEX, messages.NOTHING, _create_index),
    "DropIndex": (messages.DROP_INDEX, messages.NOTHING, _drop_index),
    "PutRow": (messages.PUT_ROW, messages.ROW_WRITTEN, _put_row),
    "UpdateRow": (messages.UPDATE_ROW, messages.ROW_WRITTEN, _update_row),
    "DeleteRow": (messages.DELETE_ROW, messages.ROW_WRITTEN, _delete_row),
    "GetRow": (messages.GET_ROW, messages.ROW_READ, _get_row),
    "BatchGetRow": (messages.BATCH_GET, messages.BATCH_ANSWER, _get_batch),
    "GetRange": (messages.GET_RANGE, messages.RANGE_READ, _get_range),
}
