"""Calls of the vendor's client, as tests of the local Tablestore make them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.adapters.aliyun.tablestore_sdk import load_sdk

sdk = load_sdk()
KEY = [("k", "a")]
INVALID = "OTSParameterInvalid"


def create(
    client: Any,
    name: str = "t",
    *,
    key: Sequence[tuple[str, str]] = (("k", "STRING"),),
    defined: Sequence[tuple[str, str]] = (("n", "INTEGER"), ("s", "STRING"), ("f", "DOUBLE")),
    indexes: Sequence[Any] = (),
    **options: Any,
) -> None:
    """Create a table."""
    meta = sdk.TableMeta(name, list(key), list(defined))
    throughput = sdk.ReservedThroughput(sdk.CapacityUnit(0, 0))
    client.create_table(meta, sdk.TableOptions(**options), throughput, list(indexes))


def index(name: str = "i", columns: Sequence[str] = ("n",), covers: Sequence[str] = (), **more: Any) -> Any:
    """Describe an index."""
    return sdk.SecondaryIndexMeta(name, list(columns), list(covers), **more)


def put(client: Any, columns: Sequence[tuple[str, Any]] = (), key: Any = KEY, table: str = "t") -> None:
    """Put a row, whatever is there."""
    client.put_row(table, sdk.Row(key, list(columns)), sdk.Condition("IGNORE"))


def update(client: Any, changes: dict[str, Any], condition: Any = None, table: str = "t") -> None:
    """Update a row, whatever is there."""
    client.update_row(table, sdk.Row(KEY, changes), sdk.Condition("IGNORE", condition))


def code_of(attempt: Any, *arguments: Any, **options: Any) -> str | None:
    """Give the code that an attempt is refused with, None when it is not."""
    try:
        attempt(*arguments, **options)
    except sdk.OTSServiceError as error:
        return str(error.code)
    return None


def columns_of(client: Any, **options: Any) -> dict[str, Any] | None:
    """Read the columns of the row `KEY` of table `t`."""
    _, row, _ = client.get_row("t", KEY, **options)
    return None if row is None else {name: value for name, value, _ in row.attribute_columns}
