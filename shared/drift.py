"""A settled job held against what came later: another answer, another notification, or no answer at all.

Terminal never regresses. A complete answer of the same status is a new version; every other difference is
drift, and the record stays as it is. What differs is told in the row by its type (`WHAT`), and counted.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from shared import evidence
from shared.answers import Answered, Did, Moment, version_columns, with_effects
from shared.errors import JobNotFoundError
from shared.inbound.notifications.notification import Claim
from shared.job_row import Effect, JobRow
from shared.policy import Policy
from shared.ports import Change
from shared.record import JobRecord
from shared.record_changes import changes
from shared.tables import Value
from shared.toolkit import metrics

LOG = logging.getLogger(__name__)

WHAT = ("claim", "status", "incomplete", "verdict", "labels", "timeline", "counts", "missing", "unreadable")
"""Types of a difference: a notification's claim, what an answer says otherwise, or that there is none."""

_LENGTH = 300
_BETWEEN = "; "


def check_again(row: JobRow, answered: Answered, moment: Moment) -> tuple[Change, Did]:
    """Compare a settled job with a later answer.

    A record is never replaced by one that lacks a file which the present one was made from, nor by what
    an older normalizer makes of the same answer.
    """
    record = answered.record
    difference = None
    if answered.digest == row.text("digest") or record == answered.present:
        pass
    elif record.status != row.state.value:
        difference = f"status: {record.vendor_status}, recorded as {row.state.value}"
    elif record.incomplete:
        difference = "incomplete: the answer has no result"
    elif not _lacks_a_file(row, answered):
        change = version_columns(row, answered, moment)
        checked = after_check(row.changed(change), record, moment, _new_version(answered))
        return {**change, **checked, "checked_at": moment.now}, "settled"
    change = {**after_check(row, record, moment, difference), "checked_at": moment.now}
    return change, "drifted" if "drifts" in change else "confirmed"


def after_check(
    row: JobRow, record: JobRecord | None, moment: Moment, difference: str | None = None
) -> dict[str, Value | None]:
    """Absorb the marks that came since the claim, or ask for one more query; note what differs.

    `row` is as it will be; `record` is None when no answer could be had. Without such marks this very
    query is the check of whatever was claimed. With them, a claim that a complete answer bears out, or
    that was checked before, needs no further query; another one does. A checked claim that the row
    contradicts is drift, once, and is remembered, to cost no query again. Only the last one is: two that
    contradict in turn cost a query and a drift for each turn, which tells a person more than a count of one.
    """
    claimed, checked = row.text("claimed"), row.text("checked_claim")
    borne_out = (
        record is not None
        and not record.incomplete
        and _agrees(claimed, record.status, record.verdict.suggestion)
    )
    if moment.came_before_marks(row) and not borne_out and claimed != checked:
        return {"query_at": moment.now, **_noted(row, difference, moment)}
    stands = _agrees(claimed, row.state.value, row.text("suggestion"))
    if not stands and claimed != checked:
        difference = difference or f"claim: {claimed}, recorded as {_told(row)}"
    return {
        **_until_confirmed(row, moment),
        "checked_claim": checked if stands else claimed,
        **_noted(row, difference, moment),
    }


def confirm_at(row: JobRow, policy: Policy) -> int:
    """Give when a settled job is asked about once more."""
    return row.count("settled_at") + policy.confirm_after


def tell(before: JobRow, after: JobRow) -> str | None:
    """Say and count by type what a commit has noted; give its words, None if it was nothing."""
    if after.count("drifts") == before.count("drifts"):
        return None
    noted = after.text("drift") or ""
    LOG.warning("drift: %s", noted, extra={"job": after.key})
    for what in _types(noted):
        metrics.count("drifts", kind=after.ref.kind, what=what)
    return noted


def _types(noted: str) -> Iterator[str]:
    found = [one.partition(":")[0] for one in noted.split(_BETWEEN)]
    known = [what for what in WHAT if what in found]
    # Without an answer, the error's own words stand there.
    yield from known or (["missing"] if found[0] == JobNotFoundError.__name__ else ["unreadable"])


def _new_version(answered: Answered) -> str | None:
    """Tell in what a record differs from the present one, where that is the vendor's doing.

    One that was incomplete was waited for, and another normalizer reads the same answer otherwise.
    """
    present, record = answered.present, answered.record
    if present is None or present.incomplete or present.normalizer_version != record.normalizer_version:
        return None
    return _BETWEEN.join(map(str, changes(present, record))) or None


def _until_confirmed(row: JobRow, moment: Moment) -> Change:
    """Ask once more when it is time to confirm; a check from then on is the last one.

    After it the record is looked at once more too: `records/` is written by whoever drains, and one whose
    process stalled may put an older version there as long as its invocation lives. So it is with the manifest
    of evidence, of which an answer may also have given some another chance.
    """
    at = confirm_at(row, moment.policy)
    if moment.now < at:
        return {"query_at": at}
    names = ("verify", evidence.EFFECT) if row.count("evidence") else ("verify",)
    digest, at = row.text("digest") or "", moment.now + moment.policy.verify_after
    return {"query_at": None, **with_effects(row, [Effect(name, digest, 0, at) for name in names])}


def _lacks_a_file(row: JobRow, answered: Answered) -> bool:
    return bool(answered.notes) and row.text("notes") is None


def _agrees(claimed: str | None, status: str, suggestion: str | None) -> bool:
    return claimed is None or Claim.parse(claimed).agrees(status, suggestion)


def _told(row: JobRow) -> str:
    return "/".join(filter(None, (row.state.value, row.text("suggestion"))))


def _noted(row: JobRow, difference: str | None, moment: Moment) -> Change:
    if difference is None:
        return {}
    return {"drifts": row.count("drifts") + 1, "drift": difference[:_LENGTH], "drift_at": moment.now}
