"""What an answer, or its absence, means for a job: pure decisions, no effect of any kind."""

from __future__ import annotations

from shared import drift, lost_callbacks
from shared.answers import Answered, Did, Moment, version_columns, with_effects
from shared.documents.urls import without_query
from shared.errors import (
    CrashLoopError,
    JobNotFoundError,
    MisconfiguredError,
    NoTimeLeftError,
    PermanentError,
    TemporaryError,
    VendorRefusedError,
)
from shared.job_row import JobRow
from shared.jobs import State
from shared.policy import DAY, Policy
from shared.ports import Change
from shared.record import JobRecord
from shared.tables import Value
from shared.toolkit.masking import Masker

_REASON_LENGTH = 500


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
        change, did = drift.check_again(row, answered, moment)
    elif record.status == "running":
        change, did = _still_running(row, record, moment), "waiting"
    elif record.incomplete and _may_become_complete(row, moment):
        change, did = _incomplete(row, record, moment), "waiting"
    else:
        change, did = _settle(row, answered, moment), "settled"
    return {**asked, **change}, did


def excuse(row: JobRow, error: Exception, moment: Moment) -> tuple[Change, Did]:
    """Decide what an error does to a job: nothing but a wait, unless it is about the job itself."""
    # Masked first: a cut may leave half a secret that no rule knows.
    reason = Masker().text(without_query(f"{type(error).__name__}: {error}"))[:_REASON_LENGTH]
    change, did = _excuse(row, error, reason, moment)
    # A misconfiguration stops before the vendor hears of the job, or is refused before it looks.
    unasked = isinstance(error, MisconfiguredError | NoTimeLeftError | CrashLoopError)
    asked = {} if unasked else {"queries": row.count("queries") + 1}
    return {**asked, **change}, did


def _excuse(row: JobRow, error: Exception, reason: str, moment: Moment) -> tuple[Change, Did]:
    if row.state.is_terminal and isinstance(error, PermanentError):
        told: Change = {"failures": None, "reason": None}  # what differed says more
        return {**told, **drift.after_check(row, None, moment, reason)}, "drifted"
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
    # What is wrong with our settings says nothing of the job; a refusal may be about this one alone.
    if isinstance(error, VendorRefusedError) or not isinstance(error, MisconfiguredError):
        change["failures"] = failures + 1
    return change, "postponed"


def _settle(row: JobRow, answered: Answered, moment: Moment) -> Change:
    record = answered.record
    change: dict[str, Value | None] = {
        **version_columns(row, answered, moment),
        "state": State(record.status).value,
        "vendor_status": record.vendor_status,
        "settled_at": moment.now,
        "settled_by": moment.by,
        "incomplete_since": None,
    }
    settled = row.changed(change)
    change |= with_effects(settled, lost_callbacks.watch(settled, answered.digest, moment))
    return {**change, **drift.after_check(row.changed(change), record, moment)}


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
    return moment.now - moment.since(row, "incomplete_since") < moment.policy.incomplete_for


def _incomplete(row: JobRow, record: JobRecord, moment: Moment) -> Change:
    polls = row.count("polls") if row.number("incomplete_since") is not None else 0
    return {
        "state": State.RUNNING.value,
        "vendor_status": record.vendor_status,
        "incomplete_since": moment.since(row, "incomplete_since"),
        "polls": polls + 1,
        "query_at": (
            moment.now if moment.came_before_marks(row) else moment.after(moment.policy.early, polls)
        ),
    }


def _not_found(row: JobRow, moment: Moment, reason: str) -> tuple[Change, Did]:
    """Wait out the grace period, which every mark begins anew: a callback can be ahead of the query store.

    After it the job is only nominated: one job cannot tell whether it is lost or we ask in the wrong place.
    """
    since, failures = moment.since(row, "not_found_since"), row.count("failures")
    # What anybody can invent is asked about when a verdict is possible, not before: after the grace period,
    # and after a day, which is believed even if the vendor knows no other job (`vendor_health`).
    waits = (moment.policy.not_found_grace, DAY) if row.is_hearsay else moment.policy.retries
    at = moment.after(waits, failures)
    return {
        "not_found_since": since,
        "failures": failures + 1,
        "query_at": moment.now if moment.came_before_marks(row) else at,
        "reason": reason,
    }, "missing" if moment.now - since >= moment.policy.not_found_grace else "waiting"


def is_unknown(row: JobRow, now: int, policy: Policy) -> bool:
    """Tell whether the vendor still did not know an open job when its grace period was over.

    A mark begins the period anew, so none has come since.
    """
    since = row.number("not_found_since")
    is_open = row.state in (State.TRACKED, State.RUNNING)
    return is_open and since is not None and now - since >= policy.not_found_grace


def give_up(row: JobRow, moment: Moment) -> tuple[Change, Did]:
    """Decide whether a job is unknown to the vendor for good."""
    if not is_unknown(row, moment.now, moment.policy):
        return {}, "waiting"
    return {"state": State.UNKNOWN.value, "query_at": None}, "unknown"
