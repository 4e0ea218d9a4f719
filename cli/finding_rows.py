"""Findings as lines: one JSON object each, or one row of a table each. Pure."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
# What a spreadsheet would take for a formula, and run.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

_OF_JOB = (
    *("kind", "job_id", "media_id", "input", "user_data", "status", "job_suggestion", "completed"),
    *("digest",),
)
_OF_FINDING = (
    *("finding_id", "modality", "check", "label", "canonical_label", "suggestion", "score"),
    *("start_ms", "end_ms", "frame", "count", "text", "regions", "evidence", "source"),
)
COLUMNS = (*_OF_JOB, *_OF_FINDING)


def objects(record: dict[str, Any], digest: str, findings: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Give a line of JSON for each finding: what is to be known of its job, and `finding`, all of it."""
    job = _job(record, digest)
    for finding in findings:
        yield json.dumps({**job, "finding": finding}, ensure_ascii=False) + "\n"


def rows(record: dict[str, Any], digest: str, findings: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Give a row of CSV for each finding, its cells in the order of `COLUMNS`."""
    job = _job(record, digest)
    for finding in findings:
        cells = {**job, **finding, **_flat(finding)}
        yield row([cells[name] for name in COLUMNS])


def row(cells: Sequence[object]) -> str:
    """Write one row (RFC 4180); text that a spreadsheet would run gets an apostrophe before it."""
    line = io.StringIO()
    csv.writer(line).writerow([_cell(cell) for cell in cells])
    return line.getvalue()


def _job(record: dict[str, Any], digest: str) -> dict[str, Any]:
    job, media = record["job"], record["media"]
    return {
        "kind": job["kind"],
        "job_id": job["job_id"],
        "media_id": media["media_id"],
        "input": media["input"],
        "user_data": job["user_data"],
        "status": record["status"],
        "job_suggestion": record["verdict"]["suggestion"],
        "completed": record["times"]["completed"],
        "digest": digest,
    }


def _flat(finding: dict[str, Any]) -> dict[str, object]:
    """Give one value for what a finding has several of."""
    scores, regions = finding["scores"], finding["regions"]
    return {
        "finding_id": finding["id"],
        "score": scores[0]["text"] if scores else None,
        "regions": json.dumps(regions) if regions else None,
        "evidence": " ".join(finding["evidence"]),
    }


def _cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value
