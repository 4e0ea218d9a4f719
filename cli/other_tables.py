"""What another system says of jobs, as it exports it: CSV with a heading, or one JSON object in each line."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from cli.terminal import Exit, complain, printable
from shared.errors import InvalidJobIdError
from shared.job_row import JobRow
from shared.jobs import JobRef, State
from shared.kinds import KINDS
from shared.kinds.reading import is_known_status, status_of

COLUMNS = ("kind", "job_id", "status", "suggestion", "labels")
"""What is looked at of a line; the last three as far as they are there."""


@dataclass(frozen=True)
class Said:
    """What the other system says of one job. `place` is the file's name and the line; None is not said."""

    place: str
    ref: JobRef
    status: str | None
    suggestion: str | None
    labels: frozenset[str] | None

    def differences(self, row: JobRow) -> tuple[str, ...]:
        """Tell in what a settled job is another one here; words are compared without their case."""
        ours = {
            "status": row.state.value,
            "suggestion": (row.text("suggestion") or "").casefold(),
            "labels": ", ".join(sorted(_labels(row.text("labels") or ""))),
        }
        theirs = {
            "status": self.status,
            "suggestion": self.suggestion,
            "labels": None if self.labels is None else ", ".join(sorted(self.labels)),
        }
        return tuple(
            f"{name}: {said or 'none'} there, {ours[name] or 'none'} here"
            for name, said in theirs.items()
            if said is not None and said != ours[name]
        )


@dataclass(frozen=True)
class Unreadable:
    """A line that names no job."""

    place: str
    reason: str


def says(place: str, fields: Mapping[str, object], kind: str | None) -> Said | Unreadable:
    """Read one line, its columns named as `COLUMNS`; a `kind` stands in where it says none."""
    texts = {name: _text(fields.get(name)) for name in COLUMNS}
    named, job_id = texts["kind"] or kind, texts["job_id"]
    if named is None or named not in KINDS or not job_id:
        return Unreadable(place, f"no job: kind is {named or 'missing'}, job_id {job_id or 'missing'}")
    try:
        ref = JobRef(named, job_id)
    except InvalidJobIdError as error:
        return Unreadable(place, str(error))
    status = (texts["status"] or "").casefold()
    # Another system may have kept the vendor's word or, as we do, what it comes to.
    status = status_of(status) if is_known_status(status) else status
    return Said(
        place,
        ref,
        status or None,
        texts["suggestion"].casefold() if "suggestion" in fields else None,
        _labels(texts["labels"]) if "labels" in fields else None,
    )


def is_open(row: JobRow) -> bool:
    """Tell whether a job is not settled here yet, and will be without a person."""
    return row.state in (State.TRACKED, State.RUNNING)


@contextmanager
def other_table(
    file: str, columns: Mapping[str, str], kind: str | None
) -> Iterator[Iterator[Said | Unreadable]]:
    """Give what stands in a file, as it is read; `columns` gives their names for ours, where they differ."""
    try:
        with Path(file).open(encoding="utf-8-sig", newline="", errors="replace") as stream:
            yield _lines(printable(file), stream, columns, kind)
    except OSError as error:
        complain(f"{file}: {error.strerror or error}", Exit.WRONG_USE)


def _lines(
    file: str, stream: Iterable[str], columns: Mapping[str, str], kind: str | None
) -> Iterator[Said | Unreadable]:
    lines = iter(stream)
    first = next(lines, "")
    read = _objects if first.lstrip().startswith("{") else _rows
    for number, fields in read(chain([first], lines)):
        place = f"{file}:{number}"
        if isinstance(fields, str):
            yield Unreadable(place, fields)
        else:
            ours = {one: fields[columns.get(one, one)] for one in COLUMNS if columns.get(one, one) in fields}
            yield says(place, ours, kind)


def _objects(lines: Iterable[str]) -> Iterator[tuple[int, Mapping[str, object] | str]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError):
            fields = None
        yield number, fields if isinstance(fields, dict) else "not one JSON object"


def _rows(lines: Iterable[str]) -> Iterator[tuple[int, Mapping[str, object] | str]]:
    reader = csv.DictReader(lines)
    try:
        for fields in reader:
            yield reader.line_num, {name: cell for name, cell in fields.items() if cell is not None}
    except csv.Error as error:
        yield reader.line_num, f"not CSV: {error}; what follows it was not read"


def _text(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(_text, value))
    return "" if value is None else str(value).strip()


def _labels(text: str) -> frozenset[str]:
    return frozenset(label.strip().casefold() for label in text.split(",") if label.strip())
