"""Lists of submitted jobs in files: a table (CSV) with a heading, or one JSON object in each line.

`track` announces what stands in them, `report` looks whether all of it is in the ledger.
"""

from __future__ import annotations

import csv
import sys
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import BinaryIO

from cli.terminal import Exit, complain, printable
from shared.announcements import FIELDS, MAX_BYTES, Item, Refusal, read_item, read_line
from shared.toolkit.strict_json import Tree

_TOO_LONG = f"the line is longer than {MAX_BYTES} bytes"


@dataclass(frozen=True)
class Line:
    """An item and where it stands: `file:line`, or `argument n`."""

    place: str
    item: Item


@contextmanager
def lines_of_file(file: str, defaults: Mapping[str, str] | None = None) -> Iterator[Iterator[Line]]:
    """Give the items of a file, or of standard input for `-`, read as they are asked for.

    `defaults` are fields for lines that do not say them.
    """
    with nullcontext(sys.stdin.buffer) if file == "-" else _opened(file) as stream:
        yield _of_file(printable(file), stream, defaults or {})


def _opened(file: str) -> BinaryIO:
    try:
        return Path(file).open("rb")
    except OSError as error:
        complain(f"{file}: {error.strerror or error}", Exit.WRONG_USE)


def _of_file(name: str, stream: BinaryIO, defaults: Mapping[str, str]) -> Iterator[Line]:
    """Read a table or JSON lines, told apart by the first line: an object begins with a brace."""
    numbered = _numbered(name, stream)
    first = next(numbered, None)
    if first is None:
        return iter(())
    place, line = first
    if line is None:
        complain(f"{place}: {_TOO_LONG}", Exit.WRONG_USE)
    if line.removeprefix(BOM_UTF8).lstrip().startswith(b"{"):
        return _of_objects(chain([first], numbered), defaults)
    return _of_table(_columns(place, line, defaults), numbered, defaults)


def _numbered(name: str, stream: BinaryIO) -> Iterator[tuple[str, bytes | None]]:
    """Give each line that is not blank, with its place; None for one that is too long to be held."""
    for number in count(1):
        line = stream.readline(MAX_BYTES + 1)
        if not line:
            return
        is_held = len(line) <= MAX_BYTES
        while len(line) > MAX_BYTES and not line.endswith(b"\n"):
            line = stream.readline(MAX_BYTES + 1)
        if not is_held or line.strip():
            yield f"{name}:{number}", line if is_held else None


def _of_objects(lines: Iterable[tuple[str, bytes | None]], defaults: Mapping[str, str]) -> Iterator[Line]:
    for place, line in lines:
        yield Line(place, Refusal("", _TOO_LONG) if line is None else read_line(line, defaults))


def _columns(place: str, heading: bytes, defaults: Mapping[str, str]) -> list[str]:
    """Read the heading of a table."""
    columns = [name.strip() for name in _cells(heading) or ()]
    if not set(columns) & set(FIELDS):
        what = f"neither CSV with a heading nor JSON lines, in UTF-8: columns can be {', '.join(FIELDS)}"
        complain(f"{place}: {what}", Exit.WRONG_USE)
    if len(set(columns)) < len(columns) or not set(columns) <= set(FIELDS):
        complain(f"{place}: columns can be {', '.join(FIELDS)}, each once", Exit.WRONG_USE)
    for name in ("kind", "job_id"):
        if name not in columns and name not in defaults:
            complain(f"{place}: there is no column {name}", Exit.WRONG_USE)
    return columns


def _of_table(
    columns: list[str], rows: Iterable[tuple[str, bytes | None]], defaults: Mapping[str, str]
) -> Iterator[Line]:
    for place, row in rows:
        if row is None:
            yield Line(place, Refusal("", _TOO_LONG))
            continue
        cells = _cells(row)
        if cells is None or len(cells) != len(columns):
            yield Line(place, Refusal("", f"not a row of {len(columns)} cells"))
        else:
            said: dict[str, Tree] = {
                name: cell for name, cell in zip(columns, cells, strict=True) if cell.strip()
            }
            yield Line(place, read_item(said, defaults))


def _cells(row: bytes) -> list[str] | None:
    """Read one row; None if it is none. Row by row, a quote that is never closed spoils its own alone."""
    # What is not UTF-8 is refused with the field that it stands in.
    text = row.removeprefix(BOM_UTF8).decode(errors="surrogateescape")
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error:
        return None
