"""Look-up rows: which jobs have a label, a verdict or a media id, the newest first.

They are hints. One is put for each term of a version when its current record is written, and stays when a
later version lacks the term: whoever reads them holds each job's row against what is asked.
"""

from __future__ import annotations

import hashlib
import re
from typing import Literal

from shared.job_row import JobRow
from shared.jobs import State
from shared.lost_callbacks import LOST
from shared.ports import Ledger
from shared.tables import LOOKUPS, Key, Row

What = Literal["label", "verdict", "media", "state", "callback"]

# Fourteen digits hold milliseconds until the year 5138.
_LAST_MOMENT = 10**14 - 1
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,64}")


def terms(row: JobRow) -> list[str]:
    """Give the terms under which a settled job is found; states but `failed` are what most jobs have."""
    found: list[tuple[What, str | None]] = [
        *(("label", label) for label in labels(row)),
        ("verdict", row.text("suggestion")),
        ("media", row.text("media_id")),
        ("state", row.state.value if row.state is State.FAILED else None),
        ("callback", "lost" if row.number("lost_callback") == LOST else None),
    ]
    return [term(row.key[0], what, value) for what, value in found if value]


def labels(row: JobRow) -> list[str]:
    """Give the labels of a job's record."""
    return list(dict.fromkeys((row.text("labels") or "").split(","))) if row.text("labels") else []


def term(bucket: str, what: What, value: str) -> str:
    """Name a term in one of sixteen parts: whatever is sought often would be one range of a table.

    A value that is long, or not plain, is named by its hash.
    """
    digest = hashlib.sha256(value.encode(errors="surrogatepass")).hexdigest()
    return f"{bucket}.{what}.{value if _PLAIN.fullmatch(value) else f'~{digest}'}"


def entry(position: int, key: str) -> str:
    """Place a job by its first sight: text that grows as that gets older."""
    return f"{_LAST_MOMENT - min(max(position, 0), _LAST_MOMENT):014d}.{key}"


def place_of(entry: str) -> tuple[int, str]:
    """Read the first sight and the key of a job from what `entry` wrote."""
    inverted, _, key = entry.partition(".")
    return _LAST_MOMENT - int(inverted), key


def put(ledger: Ledger, row: JobRow, *, before: JobRow | None = None) -> None:
    """Have a row for each term of a job, or only for those that it has not had `before`."""
    name = entry(row.count("first_seen_at"), row.key)
    had = terms(before) if before else ()
    rows: list[tuple[Key, Row]] = [((term, name), {}) for term in terms(row) if term not in had]
    for start in range(0, len(rows), ledger.BATCH_LIMIT):
        for done in ledger.insert_many(LOOKUPS, rows[start : start + ledger.BATCH_LIMIT]):
            done.result()
