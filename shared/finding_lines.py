"""Findings as lines of JSON, which they are beside a record (`finding_line`) and can be taken for in it.

A job may have thousands of findings, of which a page shows a few. All are read at a glance, to be counted,
ordered and drawn; in full only those that are shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict  # pydantic reads that of `typing` from Python 3.12 on

from shared.errors import ParseError
from shared.record import Finding, JobRecord, finding_line, read_record

T = TypeVar("T")

_FINDINGS = b'"findings":['
_BEGIN = b'{"canonical_label":'
"""What each finding of a record begins with, and nothing else: keys are sorted."""
_END = b'],"findings_more":'


@with_config(ConfigDict(allow_inf_nan=False))
class ScoreAtAGlance(TypedDict):
    """See `Score`."""

    value: float | None


class Glance(TypedDict):
    """What counting, ordering and drawing need to know of a finding; see `Finding`.

    A dictionary takes half the time of a dataclass, and each field takes some.
    """

    check: str | None
    label: str | None
    canonical_label: str | None
    suggestion: str | None
    start_ms: int | None
    end_ms: int | None
    scores: tuple[ScoreAtAGlance, ...]


def split_record(stored: bytes) -> tuple[JobRecord, list[bytes]]:
    """Read a record but for its findings, and give these as lines that nobody has read so far.

    Raise `ParseError` as `read_record` does.
    """
    # No text of a vendor can look like these marks: a quote in it would be escaped.
    start = stored.find(_FINDINGS + _BEGIN) + len(_FINDINGS)
    end = stored.find(b"}" + _END, start)
    if len(_FINDINGS) <= start < end:
        found = stored[start + len(_BEGIN) : end].split(b"}," + _BEGIN)
        return read_record(stored[:start] + stored[end + 1 :]), [_BEGIN + one + b"}" for one in found]
    # There are none, or another version wrote it, with other fields.
    record = read_record(stored)
    return record.model_copy(update={"findings": ()}), [finding_line(one) for one in record.findings]


def glances(lines: Iterable[bytes]) -> list[Glance]:
    """Read what is needed of every finding; raise `ParseError` when one of the lines is none."""
    return _read(_adapter(Glance), lines)


def read_findings(lines: Iterable[bytes]) -> list[Finding]:
    """Read whole findings, as `read_record` does; raise `ParseError` when one of the lines is none."""
    return _read(_adapter(Finding), lines)


@cache
def _adapter(kind: type[T]) -> TypeAdapter[T]:
    return TypeAdapter(kind)


def _read(adapter: TypeAdapter[T], lines: Iterable[bytes]) -> list[T]:
    # The adapter's own method has as much to do for a line as the validator has.
    read = adapter.validator.validate_json
    try:
        return [read(line, extra="ignore") for line in lines]
    except ValidationError:
        raise ParseError("no finding that this version can read", layer="record") from None
