"""Rows, conditions, batches and ranges, beyond what the judges ask for."""

from __future__ import annotations

from typing import Any

import pytest

from shared.adapters.aliyun.tablestore_sdk import load_sdk
from tests.localcloud.tablestore.calls import INVALID, KEY, code_of, columns_of, create, index, put, update

sdk = load_sdk()


@pytest.mark.parametrize(
    ("columns", "key", "expected"),
    [
        ([("x", "v")], KEY, None),
        ([("x", "v")], [("k", "")], None),
        ([("x", "v")], [("k", 1)], "OTSInvalidPK"),
        ([("x", "v")], [("other", "a")], "OTSInvalidPK"),
        ([("x", "v")], [("k", "a"), ("l", "a")], "OTSInvalidPK"),
        ([("x", "v")], [("k", sdk.INF_MIN)], "OTSInvalidPK"),
        ([("x", "v")], [("k", "x" * 1_025)], INVALID),
        ([("k", "v")], KEY, INVALID),
        ([("a-b", "v")], KEY, INVALID),
        ([("n", "text")], KEY, INVALID),
        ([("x", "v" * (2 * 1024 * 1024 + 1))], KEY, INVALID),
        ([(f"c{n}", 1) for n in range(1_025)], KEY, INVALID),
    ],
)
def test_a_row_has_limits(client: Any, columns: Any, key: Any, expected: str | None) -> None:
    assert code_of(put, client, columns, key) == expected


def test_an_update_writes_removes_adds_and_keeps_the_rest(client: Any) -> None:
    put(client, [("kept", "k"), ("old", 1), ("count", 5), ("text", "t")])
    update(
        client,
        {"PUT": [("new", b"n".decode())], "DELETE_ALL": ["old", "absent"], "INCREMENT": [("count", -7)]},
    )

    assert columns_of(client) == {"kept": "k", "new": "n", "count": -2, "text": "t"}
    assert code_of(update, client, {"INCREMENT": [("text", 1)]}) == INVALID
    assert code_of(update, client, {"DELETE": [("kept", None, 1)]}) == "OTSUnsupportOperation"
    assert code_of(update, client, {}) == INVALID


def test_a_row_shows_the_columns_asked_for_and_without_any_of_them_nothing(client: Any) -> None:
    put(client, [("a", 1), ("b", 2)])

    assert columns_of(client, columns_to_get=["b", "absent"]) == {"b": 2}
    assert columns_of(client, columns_to_get=["k", "absent"]) == {}
    assert columns_of(client, columns_to_get=["absent"]) is None


def test_conditions_combine_and_compare_in_every_way(client: Any) -> None:
    put(client, [("n", 5), ("s", "m")])
    compare, combine = sdk.ComparatorType, sdk.LogicalOperator

    def one(column: str, value: Any, how: Any, *, passes: bool = False) -> Any:
        return sdk.SingleColumnCondition(column, value, how, passes)

    def all_of(how: Any, *parts: Any) -> Any:
        whole = sdk.CompositeColumnCondition(how)
        for part in parts:
            whole.add_sub_condition(part)
        return whole

    yes, no = one("n", 5, compare.EQUAL), one("n", 5, compare.NOT_EQUAL)
    holding = [
        yes,
        one("n", 4, compare.GREATER_THAN),
        one("n", 6, compare.LESS_THAN),
        one("s", "l", compare.GREATER_EQUAL),
        one("n", "5", compare.NOT_EQUAL),
        one("absent", 1, compare.EQUAL, passes=True),
        all_of(combine.NOT, no),
        all_of(combine.OR, no, yes),
        all_of(combine.AND, yes, all_of(combine.OR, no, yes)),
    ]
    failing = [
        no,
        one("n", "5", compare.EQUAL),
        one("absent", 1, compare.NOT_EQUAL),
        all_of(combine.NOT, yes),
        all_of(combine.AND, yes, no),
    ]

    assert {code_of(update, client, {"PUT": [("x", 1)]}, condition) for condition in holding} == {None}
    assert {code_of(update, client, {"PUT": [("x", 1)]}, condition) for condition in failing} == {
        "OTSConditionCheckFail"
    }
    assert code_of(update, client, {"PUT": [("x", 1)]}, all_of(combine.AND, *[yes] * 33)) == INVALID
    assert code_of(update, client, {"PUT": [("x", 1)]}, all_of(combine.AND, yes)) == INVALID


def test_a_deleted_row_is_gone_from_table_and_index(client: Any) -> None:
    client.create_secondary_index("t", index(), True)
    put(client, [("n", 1)])
    client.delete_row("t", KEY, sdk.Condition("EXPECT_EXIST"))
    ends = [[("n", end), ("k", end)] for end in (sdk.INF_MIN, sdk.INF_MAX)]

    assert columns_of(client) is None
    assert client.get_range("i", "FORWARD", *ends)[2] == []
    assert code_of(client.delete_row, "t", KEY, sdk.Condition("EXPECT_EXIST")) == "OTSConditionCheckFail"


def test_a_batch_has_limits_and_each_row_its_own_error(client: Any) -> None:
    def send(*counts: int, name: str = "t") -> Any:
        request = sdk.BatchWriteRowRequest()
        for table, count in enumerate(counts):
            rows = [sdk.Row([("k", f"{n}")], [("n", 1 if n else "text")]) for n in range(count)]
            items = [sdk.PutRowItem(row, sdk.Condition("IGNORE")) for row in rows]
            request.add(sdk.TableInBatchWriteRowItem(f"{name}{table or ''}", items))
        return client.batch_write_row(request)

    create(client, "t1")

    assert [row.error_code for row in send(2).get_put_by_table("t")] == [INVALID, None]
    assert code_of(send, 100, 100) is None
    assert code_of(send, 100, 101) == INVALID
    assert code_of(send, 1, 0) == INVALID
    assert code_of(send, 1, name="absent") == "OTSObjectNotExist"


def test_a_batch_read_has_limits_and_each_row_its_own_error(client: Any) -> None:
    def read(count: int, table: str = "t") -> Any:
        request = sdk.BatchGetRowRequest()
        keys = [[("k", f"{n}")] for n in range(count)]
        request.add(sdk.TableInBatchGetRowItem(table, keys, [], None, 1))
        return client.batch_get_row(request).get_result_by_table(table)

    assert code_of(read, 100) is None
    assert code_of(read, 101) == INVALID
    assert [row.error_code for row in read(1, "absent")] == ["OTSObjectNotExist"]


def test_a_put_can_give_the_key_back(client: Any) -> None:
    row = sdk.Row(KEY, [("x", 1)])
    _, returned = client.put_row("t", row, sdk.Condition("IGNORE"), sdk.ReturnType.RT_PK)

    assert returned.primary_key == KEY


def test_a_range_ends_at_4_megabytes_and_says_where_to_go_on(client: Any) -> None:
    for name in "abcd":
        put(client, [("x", "v" * 1_900_000)], [("k", name)])
    ends = [[("k", end)] for end in (sdk.INF_MIN, sdk.INF_MAX)]

    _, following, rows, _ = client.get_range("t", "FORWARD", *ends)

    assert ([dict(row.primary_key)["k"] for row in rows], following) == (["a", "b", "c"], [("k", "d")])
    assert code_of(client.get_range, "t", "BACKWARD", *ends) == INVALID
    assert code_of(client.get_range, "t", "FORWARD", *ends, limit=0) == INVALID
