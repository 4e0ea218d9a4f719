"""What an answer, or its absence, means for a job: pure decisions, no effect of any kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from shared.errors import (
    JobNotFoundError,
    MisconfiguredError,
    NoTimeLeftError,
    PermanentError,
    TemporaryError,
)
from shared.inbound.notifications.notification import Claim
from shared.job_row import Effect, JobRow, StoredPart, effect_columns, parts_column
from shared.jobs import State
from shared.policy import Policy
from shared.ports import Change
from shared.record import JobRecord
from shared.tables import Value
from shared.vendor import Part

Did = Literal["settled", "confirmed", "waiting", "postponed", "quarantined", "unknown", "drifted", "lost"]
_REASON_LENGTH = 500


@dataclass(frozen=True)
class Answered:
    """A readable answer, normalized, with what will be stored and where."""

    record: JobRecord
    digest: str
    stored: bytes
    raw: tuple[Part, ...]
    parts: tuple[StoredPart, ...]
    notes: tuple[str, ...] = ()
    """What was missing when it was asked for: shown, counted, and no part of the record."""


@dataclass(frozen=True)
class Moment:
    """When a decision is made, and by which numbers. `stretch` is a drawn factor of at least one.

    `wanted` is the count of marks that the claim saw.
    """

    now: int
    wanted: int
    stretch: float
    policy: Policy

    def after(self, waits: Sequence[int], attempt: int) -> int:
        """Give the time of the next try; the last wait repeats."""
        return self.now + int(waits[min(attempt, len(waits) - 1)] * self.stretch)

    def came_before_marks(self, row: JobRow) -> bool:
        """Tell whether the job was marked after the claim, so perhaps after the vendor was asked."""
        return row.count("wanted") != self.wanted


def conclude(row: JobRow, answered: Answered, moment: Moment) -> tuple[Change, Did]:
    """Decide what an answer does to a job."""
    record = answered.record
    asked: dict[str, Value | None] = {
        "queries": row.count("queries") + 1,
        "failures": None,
        "not_found_since": None,
        "reason": None,
    }
    if row.state.is_terminal:
        change, did = _check_again(row, answered, moment)
    elif record.status == "running":
        change, did = _still_running(row, record, moment), "waiting"
    elif record.incomplete and _may_become_complete(row, moment):
        change, did = _incomplete(row, record, moment), "waiting"
    else:
        change, did = _settle(row, answered, moment), "settled"
    return {**asked, **change}, did


def excuse(row: JobRow, error: Exception, moment: Moment) -> tuple[Change, Did]:
    """Decide what an error does to a job: nothing but a wait, unless it is about the job itself."""
    reason = f"{type(error).__name__}: {error}"[:_REASON_LENGTH]
    change, did = _excuse(row, error, reason, moment)
    # A misconfiguration stops before the vendor hears of the job, or is refused before it looks.
    unasked = isinstance(error, MisconfiguredError | NoTimeLeftError)
    asked = {} if unasked else {"queries": row.count("queries") + 1}
    return {**asked, **change}, did


def _excuse(row: JobRow, error: Exception, reason: str, moment: Moment) -> tuple[Change, Did]:
    if row.state.is_terminal and isinstance(error, PermanentError):
        return {**_checked(row, None, moment), "drifts": row.count("drifts") + 1}, "drifted"
    if isinstance(error, NoTimeLeftError):
        return {"query_at": moment.now}, "postponed"
    if isinstance(error, JobNotFoundError):
        return _not_found(row, moment, reason)
    if isinstance(error, PermanentError):
        return {"state": State.QUARANTINED.value, "query_at": None, "reason": reason}, "quarantined"
    failures = row.count("failures")
    wished = error.retry_after_ms if isinstance(error, TemporaryError) else None
    at = moment.after(moment.policy.retries, failures)
    change: dict[str, Value | None] = {"query_at": max(at, moment.now + (wished or 0)), "reason": reason}
    if not isinstance(error, MisconfiguredError):  # which is about us: it says nothing of the job
        change["failures"] = failures + 1
    return change, "postponed"


def _settle(row: JobRow, answered: Answered, moment: Moment) -> Change:
    record = answered.record
    change: Change = {
        **_version(row, answered, moment),
        "state": State(record.status).value,
        "vendor_status": record.vendor_status,
        "settled_at": moment.now,
        "incomplete_since": None,
    }
    return {**change, **_checked(row.changed(change), record, moment)}


def _version(row: JobRow, answered: Answered, moment: Moment) -> Change:
    """Move the row to a record version. A commit adds effects and never drops one."""
    record = answered.record
    effect = Effect("record", answered.digest, 0, moment.now)
    return {
        "suggestion": record.verdict.suggestion,
        "labels": ",".join(record.verdict.labels) or None,
        "incomplete": 1 if record.incomplete else None,
        "digest": answered.digest,
        "version": row.count("version") + 1,
        "normalizer_version": record.normalizer_version,
        "raw_parts": parts_column(answered.parts),
        "notes": ", ".join(answered.notes) or None,
        **effect_columns((*row.effects, effect)),
    }


def _check_again(row: JobRow, answered: Answered, moment: Moment) -> tuple[Change, Did]:
    """Compare a settled job with a later answer. Terminal never regresses: the rest is drift.

    A record is never replaced by one that lacks a file which the present one was made from.
    """
    record = answered.record
    if answered.digest == row.text("digest"):
        return _checked(row, record, moment), "confirmed"
    if record.status != row.state.value or record.incomplete:
        return {**_checked(row, record, moment), "drifts": row.count("drifts") + 1}, "drifted"
    if answered.notes and row.text("notes") is None:
        return _checked(row, record, moment), "confirmed"
    if record.normalizer_version < row.count("normalizer_version"):
        # An older normalizer has nothing to say about a newer one's record.
        return _checked(row, record, moment), "confirmed"
    change = _version(row, answered, moment)
    return {**change, **_checked(row.changed(change), record, moment)}, "settled"


def _checked(row: JobRow, record: JobRecord | None, moment: Moment) -> dict[str, Value | None]:
    """Absorb the marks that came since the claim, or ask for one more query.

    `row` is as it will be. Without such marks this very query is the check of whatever was claimed. With
    them, a claim that a complete answer bears out, or that was checked before, needs no further query;
    another one does. A checked claim that the row contradicts is remembered, to cost no query again.
    """
    claimed, checked = row.text("claimed"), row.text("checked_claim")
    borne_out = (
        record is not None
        and not record.incomplete
        and _agrees(claimed, record.status, record.verdict.suggestion)
    )
    if moment.came_before_marks(row) and not borne_out and claimed != checked:
        return {"query_at": moment.now}
    stands = _agrees(claimed, row.state.value, row.text("suggestion"))
    return {"query_at": None, "checked_claim": checked if stands else claimed}


def _agrees(claimed: str | None, status: str, suggestion: str | None) -> bool:
    return claimed is None or Claim.parse(claimed).agrees(status, suggestion)


def _still_running(row: JobRow, record: JobRecord, moment: Moment) -> Change:
    """Ask again by the schedule; soon when a notification already claims the end."""
    polls = row.count("polls")
    policy = moment.policy
    if moment.came_before_marks(row):
        at = moment.now
    elif row.text("claimed") is not None:
        at = moment.after((*policy.early, *policy.polls, policy.poll_at_rest), polls)
    else:
        at = moment.after((*policy.polls, policy.poll_at_rest), polls)
    return {
        "state": State.RUNNING.value,
        "vendor_status": record.vendor_status,
        "polls": polls + 1,
        "query_at": at,
    }


def _may_become_complete(row: JobRow, moment: Moment) -> bool:
    since = row.number("incomplete_since")
    return since is None or moment.now - since < moment.policy.incomplete_for


def _incomplete(row: JobRow, record: JobRecord, moment: Moment) -> Change:
    since = row.number("incomplete_since")
    polls = row.count("polls") if since is not None else 0
    return {
        "state": State.RUNNING.value,
        "vendor_status": record.vendor_status,
        "incomplete_since": moment.now if since is None else since,
        "polls": polls + 1,
        "query_at": (
            moment.now if moment.came_before_marks(row) else moment.after(moment.policy.early, polls)
        ),
    }


def _not_found(row: JobRow, moment: Moment, reason: str) -> tuple[Change, Did]:
    """Wait out the grace period, which every mark begins anew: a callback can be ahead of the query store."""
    since = row.number("not_found_since")
    if since is not None and moment.now - since >= moment.policy.not_found_grace:
        return {"state": State.UNKNOWN.value, "query_at": None, "reason": reason}, "unknown"
    failures = row.count("failures")
    at = moment.after(moment.policy.retries, failures)
    return {
        "not_found_since": moment.now if since is None else since,
        "failures": failures + 1,
        "query_at": moment.now if moment.came_before_marks(row) else at,
        "reason": reason,
    }, "waiting"
