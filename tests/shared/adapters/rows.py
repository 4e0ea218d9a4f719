"""Rows that tests of ledgers write, and how they read the index of what is due."""

from __future__ import annotations

from shared.ports import Ledger
from shared.tables import JOBS, JOBS_DUE, Row

KEY = ("3f.vod.media_audit.job-1",)
OTHER = ("3f.vod.media_audit.job-2",)
FOREVER = 2**62
ODD_TEXT = "媒体\x00审核 \U0001f3ac '\";--\n"


def due(
    ledger: Ledger, *, bucket: str = "3", upto: int = FOREVER, limit: int = 100, newest_first: bool = False
) -> list[Row]:
    """Read a whole partition of `jobs_due`, page by page."""
    rows: list[Row] = []
    after: Row | None = None
    while True:
        page = ledger.scan(
            JOBS, JOBS_DUE, bucket, upto=upto, limit=limit, after=after, newest_first=newest_first
        )
        rows += page.rows
        after = page.after
        if after is None:
            return rows


def due_row(key: str, due_at: int, bucket: str = "3") -> Row:
    """Give the row of `jobs_due` that such a job has."""
    return {"due_bucket": bucket, "due_at": due_at, "job_key": key}


def insert_due(ledger: Ledger, *places: tuple[str, int]) -> None:
    """Insert jobs that are due, as (key, due_at)."""
    for key, due_at in places:
        assert ledger.insert(JOBS, (key,), {"state": "tracked", "due_bucket": "3", "due_at": due_at})
