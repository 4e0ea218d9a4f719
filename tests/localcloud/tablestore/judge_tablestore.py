"""Use the local Tablestore with a major version of the vendor's client and print what came, as JSON.

Runs in both environments that have one, started by test_judged_by_the_vendor.py. Arguments: the endpoint,
then the signatures to use, `v2` and `v4`, of which the older client knows the first alone.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from typing import Any

warnings.simplefilter("ignore")  # the newer client warns that its native codec is for another Python

import tablestore as ots  # type: ignore[import-untyped,unused-ignore]  # noqa: E402

TABLE, INDEX, LATER = "judged", "judged_by_rank", "judged_by_grade"
KEY = [("name", "a\x00媒体"), ("number", -7), ("raw", bytearray(b"\x00\xff"))]
VALUES = [
    ("rank", 5),
    ("grade", "good"),
    ("share", 0.25),
    ("flag", True),
    ("blob", bytearray(b"\x00\x01")),
    ("empty", ""),
]


def main(endpoint: str, *schemes: str) -> None:
    json.dump({scheme: judge(endpoint, scheme) for scheme in schemes}, sys.stdout)


def judge(endpoint: str, scheme: str) -> dict[str, Any]:
    """Play the life of a table with one signature scheme."""

    def connect(
        key: str = "own-key", secret: str = "own-secret", token: str | None = None, **more: Any
    ) -> Any:
        options = {"instance_name": "local-ledger", "sts_token": token, **more}
        if scheme == "v4":
            options["region"] = "cn-hangzhou"
        return ots.OTSClient(endpoint, key, secret, **options)

    client = connect()
    seen: dict[str, Any] = {
        "tables": create(client),
        **write(client),
        **read(client),
        **change_indexes(client),
    }
    seen["temporary key"] = row(connect("STS.key", "temporary-secret", "token/+=="), 1)
    seen["wrong secret"] = failure(lambda: connect(secret="wrong").list_table())
    seen["unknown key"] = failure(lambda: connect("nobody").list_table())
    seen["without token"] = failure(lambda: connect("STS.key", "temporary-secret").list_table())
    seen["wrong instance"] = failure(lambda: connect(instance_name="another").list_table())
    client.delete_table(TABLE)
    seen["afterwards"] = list(client.list_table())
    return seen


def create(client: Any) -> dict[str, Any]:
    meta = ots.TableMeta(
        TABLE,
        [("name", "STRING"), ("number", "INTEGER"), ("raw", "BINARY")],
        [("rank", "INTEGER"), ("grade", "STRING")],
    )
    index = ots.SecondaryIndexMeta(INDEX, ["rank"], ["grade"])
    throughput = ots.ReservedThroughput(ots.CapacityUnit(0, 0))
    client.create_table(meta, ots.TableOptions(), throughput, [index])
    again = failure(lambda: client.create_table(meta, ots.TableOptions(), throughput))
    found = client.describe_table(TABLE)
    return {
        "names": list(client.list_table()),
        "key": [list(column) for column in found.table_meta.schema_of_primary_key],
        "indexes": [
            [one.index_name, list(one.primary_key_names), list(one.defined_column_names)]
            for one in found.secondary_indexes
        ],
        "again": again,
        "unknown": failure(lambda: client.describe_table("unknown")),
    }


def write(client: Any) -> dict[str, Any]:
    def put(existence: str, *condition: Any) -> Any:
        return client.put_row(TABLE, ots.Row(KEY, VALUES), ots.Condition(existence, *condition))

    def update(existence: str, changes: dict[str, Any], *conditions: Any) -> Any:
        combined = ots.CompositeColumnCondition(ots.LogicalOperator.AND)
        for condition in conditions:
            combined.add_sub_condition(condition)
        return client.update_row(TABLE, ots.Row(KEY, changes), ots.Condition(existence, combined))

    rank = ots.SingleColumnCondition("rank", 5, ots.ComparatorType.EQUAL, False)
    absent = [
        ots.SingleColumnCondition("absent", 9, ots.ComparatorType.LESS_EQUAL, passes)
        for passes in (True, False)
    ]
    seen = {
        "update of nothing": failure(lambda: update("EXPECT_EXIST", {"PUT": [("rank", 1)]}, rank, absent[0])),
        "insert": failure(lambda: put("EXPECT_NOT_EXIST")),
        "second insert": failure(lambda: put("EXPECT_NOT_EXIST")),
        "row": row(client),
        "missing does not pass": failure(
            lambda: update("EXPECT_EXIST", {"PUT": [("x", 1)]}, rank, absent[1])
        ),
    }
    changes = {"PUT": [("share", 0.5)], "DELETE_ALL": ["flag", "empty"], "INCREMENT": [("rank", 4)]}
    update("EXPECT_EXIST", changes, rank, absent[0])
    seen["updated"] = row(client)
    return {**seen, "batch": write_batch(client)}


def write_batch(client: Any) -> list[Any]:
    new = ots.Condition("EXPECT_NOT_EXIST")
    rows = [
        ots.PutRowItem(ots.Row([("name", "b"), ("number", n), ("raw", bytearray())], [("rank", n)]), new)
        for n in range(4)
    ]
    rows.append(ots.PutRowItem(ots.Row(KEY, VALUES), new))
    request = ots.BatchWriteRowRequest()
    request.add(ots.TableInBatchWriteRowItem(TABLE, rows))
    answer = client.batch_write_row(request).get_put_by_table(TABLE)
    twice = ots.BatchWriteRowRequest()
    twice.add(ots.TableInBatchWriteRowItem(TABLE, [rows[0], rows[0]]))
    return [
        *[item.is_ok or item.error_code for item in answer],
        failure(lambda: client.batch_write_row(twice)),
    ]


def read(client: Any) -> dict[str, Any]:
    request = ots.BatchGetRowRequest()
    keys = [[("name", "b"), ("number", n), ("raw", bytearray())] for n in (2, 9)]
    request.add(ots.TableInBatchGetRowItem(TABLE, keys, [], None, 1))
    items = client.batch_get_row(request).get_result_by_table(TABLE)
    filtered = ots.SingleColumnCondition("rank", 2, ots.ComparatorType.GREATER_EQUAL, False)
    return {
        "nothing there": row(client, 9),
        "batch get": [None if item.row is None else plain(item.row.attribute_columns) for item in items],
        "forward": numbers(client, TABLE, "FORWARD", limit=2),
        "backward": numbers(client, TABLE, "BACKWARD", limit=3),
        "filtered": numbers(client, TABLE, "FORWARD", column_filter=filtered),
        "by index": numbers(client, INDEX, "FORWARD"),
    }


def numbers(client: Any, table: str, direction: str, **options: Any) -> list[Any]:
    """Give the numbers of the rows whose name is `b`, or of all of an index, and where to go on."""
    key = [("name", "b")] if table == TABLE else [("rank", None), ("name", None)]
    names = [name for name, _ in key] + ["number", "raw"]
    ends = []
    for end in (ots.INF_MIN, ots.INF_MAX):
        values = [value if value is not None else end for _, value in key] + [end, end]
        ends.append(list(zip(names, values)))  # noqa: B905  # of one length
    start, end = ends if direction == "FORWARD" else reversed(ends)
    _, following, rows, _ = client.get_range(table, direction, start, end, [], max_version=1, **options)
    found = [dict(one.primary_key)["number"] for one in rows]
    return [found, dict(following)["number"] if following else None]


def change_indexes(client: Any) -> dict[str, Any]:
    undeletable = failure(lambda: client.delete_table(TABLE))
    # The older client cannot ask for the rows that are there.
    with_rows = [] if ots.__version__.startswith("5.") else [True]
    client.create_secondary_index(TABLE, ots.SecondaryIndexMeta(LATER, ["grade"], []), *with_rows)
    start = [("grade", "good"), ("name", ots.INF_MIN), ("number", ots.INF_MIN), ("raw", ots.INF_MIN)]
    end = [("grade", "good"), ("name", ots.INF_MAX), ("number", ots.INF_MAX), ("raw", ots.INF_MAX)]
    _, _, rows, _ = client.get_range(LATER, "FORWARD", start, end, [], max_version=1)
    for index in (INDEX, LATER):
        client.delete_secondary_index(TABLE, index)
    gone = failure(lambda: client.get_range(LATER, "FORWARD", start, end, [], max_version=1))
    return {"undeletable": undeletable, "later index": len(rows), "dropped index": gone}


def row(client: Any, number: int | None = None) -> Any:
    key = KEY if number is None else [("name", "b"), ("number", number), ("raw", bytearray())]
    _, found, _ = client.get_row(TABLE, key, [], None, 1)
    return None if found is None else plain(found.attribute_columns)


def plain(columns: Any) -> dict[str, Any]:
    return {name: value.hex() if isinstance(value, bytearray) else value for name, value, _ in columns}


def failure(attempt: Callable[[], object]) -> Any:
    try:
        attempt()
    except ots.OTSServiceError as error:
        return [error.get_http_status(), error.get_error_code()]
    return None


if __name__ == "__main__":
    main(*sys.argv[1:])
