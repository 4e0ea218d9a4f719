"""The messages of Tablestore's protocol, from the vendor's public `table_store.proto` and its filters.

Only the fields that this imitation reads or writes; the others are passed over.
"""

from __future__ import annotations

from localcloud.tablestore.protobuf import Message, many, must, one

ERROR = Message(code=must(1, "text"), message=one(2, "text"))

# Tables.

_KEY_COLUMN = Message(name=must(1, "text"), type=must(2, "int"), option=one(3, "int"))
_DEFINED_COLUMN = Message(name=must(1, "text"), type=must(2, "int"))
_TABLE_META = Message(
    table_name=must(1, "text"),
    primary_key=many(2, _KEY_COLUMN),
    defined_column=many(3, _DEFINED_COLUMN),
)
_OPTIONS = Message(
    time_to_live=one(1, "int"),
    max_versions=one(2, "int"),
    deviation_cell_version_in_sec=one(5, "int"),
    allow_update=one(6, "bool"),
)
_INDEX_META = Message(
    name=must(1, "text"),
    primary_key=many(2, "text"),
    defined_column=many(3, "text"),
    index_update_mode=must(4, "int"),
    index_type=must(5, "int"),
)
_CAPACITY = Message(read=one(1, "int"), write=one(2, "int"))
_THROUGHPUT = Message(capacity_unit=must(1, _CAPACITY), last_increase_time=must(2, "int"))

CREATE_TABLE = Message(
    table_meta=must(1, _TABLE_META), table_options=one(3, _OPTIONS), index_metas=many(7, _INDEX_META)
)
NAMED_TABLE = Message(table_name=must(1, "text"))
UPDATE_TABLE = Message(table_name=must(1, "text"), table_options=one(3, _OPTIONS))
TABLE_UPDATED = Message(reserved_throughput_details=must(1, _THROUGHPUT), table_options=must(2, _OPTIONS))
TABLE_DESCRIBED = Message(
    table_meta=must(1, _TABLE_META),
    reserved_throughput_details=must(2, _THROUGHPUT),
    table_options=must(3, _OPTIONS),
    table_status=must(4, "int"),
    index_metas=many(8, _INDEX_META),
)
TABLES_LISTED = Message(table_names=many(1, "text"))
CREATE_INDEX = Message(
    main_table_name=must(1, "text"), index_meta=must(2, _INDEX_META), include_base_data=one(3, "bool")
)
DROP_INDEX = Message(main_table_name=must(1, "text"), index_name=must(2, "text"))
NOTHING = Message()

# Rows.

_CONDITION = Message(row_existence=must(1, "int"), column_condition=one(2, "bytes"))
_RETURN = Message(return_type=one(1, "int"))
_CONSUMED = Message(capacity_unit=must(1, _CAPACITY))

PUT_ROW = Message(
    table_name=must(1, "text"),
    row=must(2, "bytes"),
    condition=must(3, _CONDITION),
    return_content=one(4, _RETURN),
    transaction_id=one(5, "text"),
)
UPDATE_ROW = Message(
    table_name=must(1, "text"),
    row_change=must(2, "bytes"),
    condition=must(3, _CONDITION),
    return_content=one(4, _RETURN),
    transaction_id=one(5, "text"),
)
DELETE_ROW = Message(
    table_name=must(1, "text"),
    primary_key=must(2, "bytes"),
    condition=must(3, _CONDITION),
    return_content=one(4, _RETURN),
    transaction_id=one(5, "text"),
)
ROW_WRITTEN = Message(consumed=must(1, _CONSUMED), row=one(2, "bytes"))

GET_ROW = Message(
    table_name=must(1, "text"),
    primary_key=must(2, "bytes"),
    columns_to_get=many(3, "text"),
    filter=one(7, "bytes"),
)
ROW_READ = Message(consumed=must(1, _CONSUMED), row=must(2, "bytes"))

GET_RANGE = Message(
    table_name=must(1, "text"),
    direction=must(2, "int"),
    columns_to_get=many(3, "text"),
    limit=one(6, "int"),
    inclusive_start_primary_key=must(7, "bytes"),
    exclusive_end_primary_key=must(8, "bytes"),
    filter=one(10, "bytes"),
)
RANGE_READ = Message(
    consumed=must(1, _CONSUMED), rows=must(2, "bytes"), next_start_primary_key=one(3, "bytes")
)

_TABLE_TO_READ = Message(
    table_name=must(1, "text"),
    primary_key=many(2, "bytes"),
    columns_to_get=many(4, "text"),
    filter=one(8, "bytes"),
)
BATCH_GET = Message(tables=many(1, _TABLE_TO_READ))
_ROW_TO_WRITE = Message(
    type=must(1, "int"),
    row_change=must(2, "bytes"),
    condition=must(3, _CONDITION),
    return_content=one(4, _RETURN),
)
_TABLE_TO_WRITE = Message(table_name=must(1, "text"), rows=many(2, _ROW_TO_WRITE))
BATCH_WRITE = Message(tables=many(1, _TABLE_TO_WRITE), transaction_id=one(2, "text"))

_ROW_ANSWER = Message(
    is_ok=must(1, "bool"), error=one(2, ERROR), consumed=one(3, _CONSUMED), row=one(4, "bytes")
)
_TABLE_ANSWER = Message(table_name=must(1, "text"), rows=many(2, _ROW_ANSWER))
BATCH_ANSWER = Message(tables=many(1, _TABLE_ANSWER))

# Conditions and filters.

FILTER = Message(type=must(1, "int"), filter=must(2, "bytes"))
SINGLE = Message(
    comparator=must(1, "int"),
    column_name=must(2, "text"),
    column_value=must(3, "bytes"),
    filter_if_missing=must(4, "bool"),
    value_trans_rule=one(6, Message()),
)
COMPOSITE = Message(combinator=must(1, "int"), sub_filters=many(2, FILTER))
