"""Whether a job needs a person, and why: what the index `jobs_attention` holds, as it follows from a row.

Every write that touches one of `INPUTS` writes `attention` anew, on condition that those of the others
that somebody else may write meanwhile are as read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from shared.jobs import State
from shared.tables import Row, Value

Reason = Literal["quarantined", "unknown", "undelivered", "drift", "evidence"]
"""Why: nobody can read its answer, the vendor does not know it, a target never took a version, it differs
from what was said later and nobody has seen that, or its evidence may be lost soon."""

REASONS: tuple[Reason, ...] = ("quarantined", "unknown", "undelivered", "drift", "evidence")
"""In the order in which they stand in a row."""

INPUTS = ("state", "undelivered", "drifts", "drift_seen", "at_risk")
UNLEASED_INPUTS = ("undelivered", "drift_seen", "at_risk")
"""Those that are written without the lease of the job; no job has any before it is settled."""

_STATES: Mapping[object, Reason] = {State.QUARANTINED.value: "quarantined", State.UNKNOWN.value: "unknown"}


def reasons(columns: Mapping[str, Value | None]) -> tuple[Reason, ...]:
    """Say why a job needs a person; nothing if it does not."""
    holds: dict[Reason, bool] = {
        "undelivered": columns.get("undelivered") is not None,
        # Counted: two may come in one millisecond, and the later one by the slower clock.
        "drift": _number(columns, "drifts") > _number(columns, "drift_seen"),
        "evidence": _number(columns, "at_risk") > 0,
    }
    found = {_STATES.get(columns.get("state")), *(reason for reason, is_so in holds.items() if is_so)}
    return tuple(reason for reason in REASONS if reason in found)


def columns(key: str, row: Row, change: Mapping[str, Value | None]) -> dict[str, Value | None]:
    """Give what a change makes of the columns of `jobs_attention`; nothing where they stay.

    Whoever needs a person for another reason than before does so since the change's `updated_at`.
    """
    if change.keys().isdisjoint(INPUTS):
        return {}
    after = {**row, **change}
    told = ",".join(reasons(after)) or None
    if told == row.get("attention"):
        return {}
    if told is None:
        return {"attention": None, "attention_at": None, "attention_bucket": None}
    return {"attention": told, "attention_at": _number(after, "updated_at"), "attention_bucket": key[0]}


def _number(columns: Mapping[str, Value | None], name: str) -> int:
    value = columns.get(name)
    return value if isinstance(value, int) else 0
