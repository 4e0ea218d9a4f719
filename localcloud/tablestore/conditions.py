"""Conditions of writes and filters of reads: one language, from its bytes to an answer for one row."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import TypeAlias

from localcloud.tablestore.messages import COMPOSITE, FILTER, SINGLE
from localcloud.tablestore.plain_buffer import Value, decode_value
from localcloud.tablestore.refusals import invalid, unsupported

Columns: TypeAlias = Mapping[str, Value]
Condition: TypeAlias = Callable[[Columns], bool]

MAX_COMPARISONS = 32  # tablestore-oss.md 1.2

_SINGLE, _COMPOSITE = 1, 2
_NOT, _AND, _OR = 1, 2, 3
_COMPARISONS: Mapping[int, Callable[[Value, Value], bool]] = {
    1: operator.eq,
    2: operator.ne,
    3: operator.gt,
    4: operator.ge,
    5: operator.lt,
    6: operator.le,
}


def read_condition(data: bytes | None) -> Condition:
    """Read a condition on columns; without one, every row passes."""
    if not data:
        return lambda columns: True
    comparisons: list[str] = []
    condition = _read(data, comparisons)
    if len(comparisons) > MAX_COMPARISONS:
        raise invalid(f"The number of conditions is {len(comparisons)}, more than {MAX_COMPARISONS}.")
    return condition


def _read(data: bytes, comparisons: list[str]) -> Condition:
    values = FILTER.decode(data)
    if values["type"] == _SINGLE:
        return _comparison(values["filter"], comparisons)
    if values["type"] == _COMPOSITE:
        return _combination(values["filter"], comparisons)
    raise unsupported(f"filter of type {values['type']}")


def _comparison(data: bytes, comparisons: list[str]) -> Condition:
    single = SINGLE.decode(data)
    compare = _COMPARISONS.get(single["comparator"])
    if compare is None or "value_trans_rule" in single:
        raise unsupported("such comparison")
    name, constant = single["column_name"], decode_value(single["column_value"])
    passes_if_missing = not single["filter_if_missing"]
    comparisons.append(name)

    def holds(columns: Columns) -> bool:
        value = columns.get(name)
        if value is None:
            return passes_if_missing
        # What the vendor says of two types is not documented: nothing is equal, nothing is in order.
        if type(value) is not type(constant):
            return compare is operator.ne
        return compare(value, constant)

    return holds


def _combination(data: bytes, comparisons: list[str]) -> Condition:
    composite = COMPOSITE.decode(data)
    parts = [_read(FILTER.encode(part), comparisons) for part in composite["sub_filters"]]
    combinator = composite["combinator"]
    if combinator == _NOT and len(parts) == 1:
        return lambda columns: not parts[0](columns)
    if combinator == _AND and len(parts) > 1:
        return lambda columns: all(part(columns) for part in parts)
    if combinator == _OR and len(parts) > 1:
        return lambda columns: any(part(columns) for part in parts)
    raise invalid("Invalid number of sub-conditions.")
