"""Pages of ranges of keys: as many answers as it takes, without gap and without repetition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from shared.adapters.aliyun.tablestore_instance import TablestoreInstance
from shared.adapters.aliyun.tablestore_rows import SdkKey
from shared.ports import Page
from shared.tables import Row

MOST_ROWS = 5_000  # of one answer: tablestore-oss.md 1.3


@dataclass(frozen=True)
class Range:
    """The rows from `start` on, up to, but without, `end`.

    With `is_continued` the row at `start` was read before. It may be gone by now: only what does stand
    there is left out. `columns` are all when there are none.
    """

    table: str
    start: SdkKey
    end: SdkKey
    backward: bool = False
    columns: Sequence[str] = ()
    is_continued: bool = False


def read_page(instance: TablestoreInstance, wanted: Range, *, limit: int, read: Callable[[Any], Row]) -> Page:
    """Read a page, and whether anything follows it; `read` makes a row of what the SDK gives."""
    # One more than asked for tells whether anything follows.
    rows = _rows(instance, wanted, most=limit + 1 + wanted.is_continued)
    if wanted.is_continued and rows and list(rows[0].primary_key) == wanted.start:
        del rows[0]
    page = [read(row) for row in rows[:limit]]
    return Page(page, after=page[-1] if len(rows) > limit else None)


def _rows(instance: TablestoreInstance, wanted: Range, *, most: int) -> list[Any]:
    """Read until there are enough: an answer ends at 4 MB too, and may even be empty."""
    rows: list[Any] = []
    start: SdkKey | None = wanted.start
    while start is not None and len(rows) < most:
        limit = min(most - len(rows), MOST_ROWS)
        _, start, found, _ = _answer(instance, wanted, start, limit=limit)
        rows += found
    return rows


def _answer(instance: TablestoreInstance, wanted: Range, start: SdkKey, *, limit: int) -> Any:
    return instance.read(
        lambda client: client.get_range(
            wanted.table,
            "BACKWARD" if wanted.backward else "FORWARD",
            start,
            wanted.end,
            columns_to_get=list(wanted.columns),
            limit=limit,
        ),
        table=wanted.table,
    )
