"""A job that the timer settled and no notification ever named: its callback is lost, or only late.

`lost_callback` in the row is missing, then 1 (lost), then 2 (it came after all).
"""

from __future__ import annotations

import logging

from shared.answers import Moment
from shared.job_row import Effect, JobRow
from shared.ports import Change
from shared.toolkit import metrics

LOG = logging.getLogger(__name__)

EFFECT = "callback"
RESTS_ON = ("notified", "lost_callback")
"""Columns that both verdicts rest on: whoever writes one must have them as read."""

LOST, LATE = 1, 2
"""Values of `lost_callback`."""


def watch(row: JobRow, digest: str, moment: Moment) -> list[Effect]:
    """Decide to look once more for a callback, if the timer settles a job before any came."""
    if moment.by != "timer" or row.count("notified"):
        return []
    return [Effect(EFFECT, digest, 0, moment.now + moment.policy.callback_grace)]


def when_time_is_up(row: JobRow, now: int) -> Change:
    """Decide whether the callback is lost."""
    return {} if row.count("notified") else {"lost_callback": LOST, "lost_at": now}


def when_notified(row: JobRow) -> Change:
    """Decide whether a notification is one that was taken for lost."""
    return {"lost_callback": LATE} if row.number("lost_callback") == LOST else {}


def stands_in(row: JobRow | None, change: Change) -> bool:
    """Tell whether the row has the verdict of a change whose write nobody knows the outcome of.

    Another's same verdict looks alike: one may be told twice, but none is never told.
    """
    verdict = change.get("lost_callback")
    return row is not None and verdict is not None and row.number("lost_callback") == verdict


def tell(row: JobRow, change: Change) -> None:
    """Say and count what one of the decisions has written; nothing if it was nothing."""
    verdict = change.get("lost_callback")
    if verdict == LOST:
        LOG.warning("the callback of a settled job never came", extra={"job": row.key})
        metrics.count("lost_callbacks", kind=row.ref.kind)
    elif verdict == LATE:
        LOG.warning("a callback that was taken for lost came late", extra={"job": row.key})
        metrics.count("late_callbacks", kind=row.ref.kind)
