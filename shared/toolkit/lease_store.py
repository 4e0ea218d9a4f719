"""What a lease needs of a store: rows, and writes that are conditional on one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

from shared.toolkit.errors import TemporaryError

Value: TypeAlias = "str | int | bytes"
Row: TypeAlias = Mapping[str, Value]
Change: TypeAlias = "Mapping[str, Value | None]"
"""Columns to write; `None` removes the column."""

_LEAST, _MOST = -(2**63), 2**63 - 1


class OutcomeUnknownError(TemporaryError):
    """A write may or may not have happened: read the row before concluding anything."""


class When(NamedTuple):
    """A condition of a conditional write: one column against one constant of the same type.

    `missing_passes` says what holds for a row without the column.
    """

    column: str
    op: Literal["==", "<="]
    value: Value
    missing_passes: bool = False

    def holds(self, row: Row) -> bool:
        """Tell whether the row passes."""
        value = row.get(self.column)
        if value is None:
            return self.missing_passes
        if self.op == "==":
            return value == self.value
        same = type(value) is type(self.value)
        return same and value <= self.value  # type: ignore[operator]  # both are of one type


class LeaseStore(Protocol):
    """Keeps rows under keys of text, with conditional writes on one row and nothing across rows.

    Values are text, integers of 64 bits or bytes; anything else raises `ValueError` before anything is
    written. Every method may raise `TemporaryError`; a write may raise `OutcomeUnknownError`.
    """

    def get(self, key: str) -> Row | None:
        """Read a row, strongly consistent; None when it does not exist."""
        ...

    def insert(self, key: str, row: Row) -> bool:
        """Put the row if absent; tell whether this call put it."""
        ...

    def update(self, key: str, change: Change, when: Sequence[When]) -> bool:
        """Change an existing row if all conditions hold; tell whether they did."""
        ...


def check_values(values: Iterable[Value | None]) -> None:
    """Raise `ValueError` for what no store keeps; it names the type, never the value."""
    for value in values:
        kind = type(value)
        if kind is int:
            if not _LEAST <= value <= _MOST:  # type: ignore[operator]  # it is an integer
                raise ValueError("a column takes an integer of 64 bits")
        elif kind is not str and kind is not bytes and value is not None:
            raise ValueError(f"a column takes str, int or bytes, not {kind.__name__}")


def changed(row: Row, change: Change) -> dict[str, Value]:
    """Give a row as it is after a change that took effect."""
    after: dict[str, Any] = {**row, **change}
    for name, value in change.items():
        if value is None:
            del after[name]
    return after
