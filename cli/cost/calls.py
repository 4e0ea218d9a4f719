"""What the code calls in each step of a job's life; tests/cli/test_cost_calls.py counts the same.

A call is named after what it is made to and what is done there: `jobs.update` changes a row of a table,
`jobs_due.enter` is the row of an index that such a write makes, `objects.put` writes to the archive.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Calls = Mapping[str, float]

RUN_OF = {
    "reconcile": {"jobs_due.scan": 16},
    "archive": {"evidence_due.scan": 16},
}
"""A run of a function's timer, whatever is due."""

RUN_WITH_WORK = {"leases.get": 1, "leases.update": 2}
"""What a run of `reconcile` that finds jobs does besides."""

# `jobs_due` holds when a job is due next: a change of that takes one row out, and puts one in.
_DUE_MOVES_TWICE = {"jobs_due.leave": 2, "jobs_due.enter": 2}
_ASKED = {"jobs.get": 2, "jobs.update": 2, **_DUE_MOVES_TWICE, "vendor.ask": 1}
_SETTLED = {"inbox.insert": 1, "jobs.get": 1, "jobs_by_day.cover": 1, "objects.put": 2, "vendor.ask": 1}

# Every job stands in these from its first sight on.
_SEEN = {"jobs_by_day.enter": 1, "jobs_by_kind.enter": 1}

ANNOUNCED = {"jobs.insert": 1, **_SEEN, "jobs_due.enter": 1}
CALLBACK_OF_ANNOUNCED = {**_SETTLED, "jobs.update": 2, **_DUE_MOVES_TWICE}
CALLBACK_FIRST = {
    **_SETTLED,
    **{"jobs.insert": 1, "jobs.update": 1, **_SEEN, "jobs_due.enter": 2, "jobs_due.leave": 1},
}
CALLBACK_AGAIN = {"inbox.insert": 1, "jobs.get": 1, "jobs.update": 1}
STILL_RUNNING = _ASKED
"""A query of the timer that finds the job still running."""

RECORD = {
    **{"jobs.get": 4, "jobs.update": 1, "jobs_due.leave": 1, "jobs_due.enter": 1},
    **{"objects.get": 2, "objects.put": 1},
}
PER_TERM = {"lookups.insert": 1}
"""Written with the current record: what the job is found by."""
CONFIRMED = _ASKED
VERIFIED = {"jobs.get": 4, "jobs.update": 1, "jobs_due.leave": 1, "objects.get": 1}
TIMER = (RECORD, CONFIRMED, VERIFIED)
"""What the timer comes to a settled job for: its current record, the confirming query, a check."""

DELIVERY = {"deliver.invoke": 1, "jobs.get": 1}
PER_TARGET = {"jobs.get": 1, "jobs.update": 2, "objects.get": 1, "target.send": 1}

EVIDENCE = {
    **{"archive.invoke": 2, "evidence.under": 7, "jobs.get": 7, "jobs.update": 2},
    **{"jobs_due.leave": 1, "jobs_due.enter": 1, "objects.get": 3, "objects.put": 1},
}
PER_PICTURE = {
    **{"evidence.insert": 1, "evidence_due.enter": 1, "evidence.update": 1, "evidence_due.leave": 1},
    **{"pictures.get": 1, "objects.put": 1},
}

OF_KIND: Mapping[str, Calls] = {"mts.video_quality": {"results.get": 2, "objects.put": 1}}
"""What jobs of a kind need on top: the findings of a quality review are in a file, asked for twice."""


@dataclass(frozen=True)
class Habits:
    """What an average job is like. Shares and numbers are per job, `mix` has the share of each kind."""

    mix: Mapping[str, float] = field(default_factory=lambda: {"vod.media_audit": 1.0})
    announced: float = 1.0
    callbacks: float = 1.0
    polls: float = 0.0
    pictures: float = 3.0
    targets: float = 1.0
    terms: float = 2.0
    """What a job is found by: its verdict, each label, its media, and that it failed."""


def per_job(habits: Habits) -> dict[str, float]:
    """Add up the calls of an average job, from its announcement until nothing of it is due."""
    steps: list[tuple[float, Calls]] = [
        (habits.announced, ANNOUNCED),
        (habits.announced, CALLBACK_OF_ANNOUNCED),
        (1 - habits.announced, CALLBACK_FIRST),
        (habits.callbacks - 1, CALLBACK_AGAIN),
        (habits.polls, STILL_RUNNING),
        *((1, step) for step in TIMER),
        (habits.terms, PER_TERM),
        (min(1, habits.targets), DELIVERY),
        (habits.targets, PER_TARGET),
        (min(1, habits.pictures), EVIDENCE),
        (habits.pictures, PER_PICTURE),
        *((share, OF_KIND.get(kind, {})) for kind, share in habits.mix.items()),
    ]
    return added(steps)


def added(parts: Iterable[tuple[float, Calls]]) -> dict[str, float]:
    """Add up calls, each part so many times; leave out what is never called."""
    total: dict[str, float] = {}
    for times, calls in parts:
        for call, number in calls.items():
            total[call] = total.get(call, 0) + times * number
    return {call: number for call, number in total.items() if number}
