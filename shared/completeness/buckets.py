"""What a job counts as in a completeness report: one bucket, and any number of flags. Pure.

A bucket or a flag is one line of a table here. The order of `BUCKETS` is the rule: the first that holds
is the job's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from shared.conclusions import is_unknown
from shared.evidence import Tally
from shared.job_row import DUE_INPUTS, JobRow
from shared.jobs import State
from shared.policy import DAY, MINUTE, Policy

LONG_RUNNING = DAY
"""After this a waiting job is listed for a look. A paused pipeline keeps jobs for any time (media-jobs.md
4), so age alone never makes a job lost: the vendor's own word stands beside it."""

OVERDUE = 15 * MINUTE
"""What is due for longer shows that no timer runs, or that it cannot keep up."""

FAR_OFF = 8 * DAY
"""Longer than anything waits: a job that was announced is asked about within seven days."""

TOO_OFTEN = 24
"""Failures in a row after which waiting is not enough: by the schedule of retries, about a day of them."""

DELIVERIES_LOOKED_AT = 100
"""Most stored deliveries of one job that are counted; who was told more often counts as complete."""

_OURS_TO_MEND = ("SettingError", "VendorRefusedError")


@dataclass(frozen=True)
class Sighting:
    """A job's row as the report saw it, with how many of its deliveries the inbox holds, and its evidence."""

    row: JobRow
    deliveries: int
    now: int
    policy: Policy
    evidence: Tally = field(default_factory=Tally)

    @property
    def is_waiting(self) -> bool:
        """Tell whether the vendor's last word is still to come."""
        return self.row.state in (State.TRACKED, State.RUNNING)

    @property
    def keeps_failing(self) -> bool:
        """Tell whether asking, or work that follows a settling, failed too often and is still tried."""
        asking = self.row.count("failures") if self.row.number("query_at") is not None else 0
        return max(asking, *(effect.attempts for effect in self.row.effects), 0) >= TOO_OFTEN

    @property
    def is_left_undone(self) -> bool:
        """Tell whether something is to be done for the job, and nothing will come to do it."""
        row = self.row
        has_work = self.is_waiting or row.effects or row.outbox
        is_timed = any(row.number(name) is not None for name in DUE_INPUTS)
        return bool(has_work or is_timed) and row.number("due_at") is None

    @property
    def lacks_deliveries(self) -> bool:
        """Tell whether notifications marked the job more often than the inbox has rows of it."""
        return self.deliveries < min(self.row.count("notified"), DELIVERIES_LOOKED_AT)

    @property
    def is_hold_unfinished(self) -> bool:
        """Tell whether copies under a hold are missing, or are left of one that was released."""
        hold = self.row.hold
        return hold is not None and (hold.status != "held" or hold.digest != self.row.text("digest"))

    def is_past(self, at: int | None, patience: int) -> bool:
        """Tell whether a time lies further back than `patience`."""
        return at is not None and at < self.now - patience


@dataclass(frozen=True)
class Rule:
    """A bucket or a flag: its name for machines, its title for people, and what it holds for."""

    name: str
    title: str
    holds: Callable[[Sighting], bool]
    needs_person: bool = False


BUCKETS = (
    Rule("quarantined", "quarantined", lambda s: s.row.state is State.QUARANTINED, needs_person=True),
    Rule("unknown", "unknown to the vendor", lambda s: s.row.state is State.UNKNOWN, needs_person=True),
    Rule("waiting", "waiting for the vendor", lambda s: s.is_waiting),
    Rule(
        "incomplete", "finished without a result", lambda s: s.row.count("incomplete") > 0, needs_person=True
    ),
    Rule(
        "undelivered",
        "settled, and a target never took the result",
        lambda s: bool(s.row.undelivered),
        needs_person=True,
    ),
    Rule("failed", "failed at the vendor", lambda s: s.row.state is State.FAILED),
    Rule("settled", "settled", lambda s: s.row.state is State.SUCCEEDED),
)

FLAGS = (
    Rule(
        "refused",
        "cannot be asked: key, permission or setting",
        lambda s: s.is_waiting and (s.row.text("reason") or "").startswith(_OURS_TO_MEND),
        needs_person=True,
    ),
    Rule(
        # Such verdicts are held back when they are many at once: then we may be asking the wrong place.
        "not_found",
        "not known to the vendor for too long: lost, or asked in the wrong account or region",
        lambda s: is_unknown(s.row, s.now, s.policy),
        needs_person=True,
    ),
    Rule(
        "keeps_failing",
        f"tried {TOO_OFTEN} times or more, and failed every time",
        lambda s: s.keeps_failing,
        needs_person=True,
    ),
    Rule(
        "overdue",
        "due, and nobody came",
        lambda s: s.is_past(s.row.number("due_at"), OVERDUE),
        needs_person=True,
    ),
    Rule(
        # Written by an instance whose clock was ahead.
        "far_off",
        "due at a time for which nothing waits",
        lambda s: s.row.count("due_at") > s.now + FAR_OFF,
        needs_person=True,
    ),
    Rule(
        "never_due",
        "not finished with, but nothing will come for it",
        lambda s: s.is_left_undone,
        needs_person=True,
    ),
    Rule(
        "long_running",
        "running long",
        lambda s: s.is_waiting and s.is_past(s.row.number("first_seen_at"), LONG_RUNNING),
    ),
    Rule("failing", "asked, with errors", lambda s: s.is_waiting and s.row.count("failures") > 0),
    Rule("crashed", "left behind by a crash", lambda s: s.row.count("crashes") > 0),
    Rule("drifted", "drifted: a later word differs", lambda s: s.row.count("drifts") > 0),
    Rule("lost_callback", "callback lost, healed by the timer", lambda s: s.row.count("lost_callback") == 1),
    Rule("late_callback", "callback came after all", lambda s: s.row.count("lost_callback") == 2),
    Rule(
        "callback_not_stored",
        "callback begun, none stored",
        lambda s: s.lacks_deliveries and s.deliveries == 0,
    ),
    Rule(
        # One that was sent again under its own id and one whose storing a crash cut off look alike.
        "callback_repeated",
        "callback repeated, or begun and not stored",
        lambda s: s.lacks_deliveries and s.deliveries > 0,
    ),
    Rule("held", "held: its evidence outlives the time limit", lambda s: s.row.hold is not None),
    Rule(
        "hold_unfinished",
        "to be held or released once more: cut short, or without a copy of the present version",
        lambda s: s.is_hold_unfinished,
        needs_person=True,
    ),
    Rule("noted", "recorded without a file it belongs with", lambda s: s.row.text("notes") is not None),
    Rule(
        "unconfirmed",
        "settled, to be confirmed",
        lambda s: s.row.state.is_terminal and s.row.number("query_at") is not None,
    ),
    Rule(
        "effects_failing",
        "follow-up work put off",
        lambda s: any(effect.attempts > 0 for effect in s.row.effects),
    ),
    Rule(
        "also_undelivered",
        "counted elsewhere, and a target never took the result",
        lambda s: bool(s.row.undelivered) and bucket_of(s).name != "undelivered",
        needs_person=True,
    ),
    Rule(
        "evidence_refused",
        "evidence was refused, and can still be had",
        lambda s: s.evidence.refused > 0,
        needs_person=True,
    ),
    Rule(
        "evidence_at_risk",
        "evidence is not kept, and half of its time is over",
        lambda s: s.evidence.at_risk > 0,
        needs_person=True,
    ),
    Rule(
        "evidence_untracked",
        "the record names evidence that nothing will keep",
        lambda s: s.row.count("evidence") > s.evidence.all,
        needs_person=True,
    ),
    Rule("evidence_lost", "evidence is lost", lambda s: s.evidence.lost > 0),
    Rule("evidence_pending", "evidence is still to be kept", lambda s: s.evidence.pending > 0),
    Rule("delivering", "settled, to be delivered", lambda s: bool(s.row.outbox)),
    Rule(
        "deliveries_failing",
        "deliveries put off",
        lambda s: any(delivery.last for delivery in s.row.outbox),
    ),
)


def bucket_of(sighting: Sighting) -> Rule:
    """Give the one bucket of a job."""
    return next(rule for rule in BUCKETS if rule.holds(sighting))


def flags_of(sighting: Sighting) -> list[Rule]:
    """Give every flag of a job."""
    return [rule for rule in FLAGS if rule.holds(sighting)]
