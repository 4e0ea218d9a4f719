"""The overview counts what the indexes hold, and says where it stopped."""

from __future__ import annotations

from datetime import date

import pytest

from shared import overview as overviews
from shared.jobs import State
from shared.overview import Count, overview
from shared.policy import DAY, HOUR
from shared.tables import EVIDENCE, Row
from tests.listed_jobs import UNDELIVERED, put_job
from tests.world import KIND, START, World, ref


def test_an_empty_ledger_counts_nothing_and_names_all_that_could_be() -> None:
    told = overview(World(None).services, now=START)

    assert (told.now, told.day) == (START, date(2025, 11, 20))
    counts = (told.jobs, told.lost_callbacks, told.due, told.attention, told.evidence)
    assert set(counts) == {Count(0)}
    assert told.oldest_due_at is None
    assert told.by_state == dict.fromkeys([state.value for state in State], 0)
    assert told.by_need == dict.fromkeys(["quarantined", "unknown", "undelivered", "drift", "evidence"], 0)
    assert list(told.by_slack.items()) == [
        (name, 0) for name in ("overdue", "1 day", "3 days", "7 days", "more")
    ]
    assert (told.by_verdict, told.by_kind) == ({}, {})


def test_todays_jobs_are_told_apart_and_older_ones_left_out() -> None:
    world = World(None)
    put_job(world, 1, State.SUCCEEDED, at=START, suggestion="pass")
    put_job(world, 2, State.SUCCEEDED, at=START, suggestion="block", lost_callback=1)
    put_job(world, 3, State.SUCCEEDED, at=START, suggestion="pass", lost_callback=2)
    put_job(world, 4, State.RUNNING, at=START, kind="mts.video_quality", query_at=START + 1)
    put_job(world, 5, State.FAILED, at=START - DAY, lost_callback=1)

    told = overview(world.services, now=START)

    assert told.jobs == Count(4)
    assert {state: count for state, count in told.by_state.items() if count} == {"succeeded": 3, "running": 1}
    assert told.by_verdict == {"pass": 2, "block": 1}
    assert told.by_kind == {KIND: 3, "mts.video_quality": 1}
    assert told.lost_callbacks == Count(1)


def test_what_is_due_is_counted_with_the_oldest() -> None:
    world = World(None)
    for number, due in enumerate((START + 1, START, START - HOUR)):
        put_job(world, number, State.RUNNING, at=START - DAY, query_at=due)

    told = overview(world.services, now=START)

    assert (told.due, told.oldest_due_at) == (Count(2), START - HOUR)


def test_a_job_that_needs_a_person_counts_under_every_reason() -> None:
    world = World(None)
    put_job(world, 1, State.SUCCEEDED, at=START, undelivered=UNDELIVERED, drifts=1)
    put_job(world, 2, State.QUARANTINED, at=START - DAY)
    put_job(world, 3, State.SUCCEEDED, at=START, drifts=1, drift_seen=1)

    told = overview(world.services, now=START)

    assert told.attention == Count(2)
    counted = {name: count for name, count in told.by_need.items() if count}
    assert counted == {"quarantined": 1, "undelivered": 1, "drift": 1}


def test_evidence_is_told_apart_by_how_long_it_can_be_had() -> None:
    world = World(None)
    left = (-1, 0, 1, DAY, DAY + 1, 3 * DAY, 5 * DAY, 8 * DAY)
    for number, slack in enumerate(left):
        row: Row = {"due_bucket": f"{number:x}", "due_at": START + 9 * DAY, "expires_at": START + slack}
        world.ledger.insert(EVIDENCE, (ref("job-1").key, str(number)), row)

    told = overview(world.services, now=START)

    assert told.evidence == Count(8)
    assert dict(told.by_slack) == {"overdue": 2, "1 day": 2, "3 days": 2, "7 days": 1, "more": 1}


def test_more_than_is_counted_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overviews, "MOST", 32)
    world = World(None)
    for number in range(200):
        put_job(world, number, State.RUNNING, at=START, query_at=START)

    told = overview(world.services, now=START)

    assert (told.jobs.at_least, told.due.at_least) == (True, True)
    assert told.jobs.number <= 32
    assert not told.attention.at_least
