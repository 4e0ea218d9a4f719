"""Settled jobs are asked about again, and what the vendor says otherwise is told."""

from __future__ import annotations

from typing import Any

import pytest

from functions.reconcile.handler import handle
from shared import rechecking
from shared.errors import ParseError
from shared.jobs import State
from shared.policy import DAY, HOUR, MINUTE
from shared.rechecking import MOST_JOBS, Sample, make_due, make_sample_due
from tests.faults import Fault, Faults, first
from tests.scripted_vendor import NOT_FOUND, answer, callback
from tests.world import START, World, job_row

JOB = "job-1"


def settled_world(count: int = 1) -> World:
    """Begin with jobs that were settled and confirmed, an hour apart."""
    world = World(None)
    for number in range(1, count + 1):
        world.vendor.know(f"job-{number}", answer(f"job-{number}"))
        world.deliver(callback(f"job-{number}"))
        world.clock.advance(HOUR)
    world.run_until_quiet()
    world.vendor.calls.clear()
    return world


def test_a_job_that_is_made_due_is_asked_about_once() -> None:
    world = settled_world()

    assert make_due(world.services, world.row(JOB))
    world.run_until_quiet()

    assert (world.vendor.calls, world.row(JOB).count("drifts")) == ([JOB], 0)
    assert (world.row(JOB).number("due_at"), world.broken()) == (None, [])


@pytest.mark.parametrize(
    ("now", "told", "version"),
    [
        (answer(JOB, suggestion="block"), "verdict: block, was pass", 2),
        (answer(JOB, "fail"), "status: fail, recorded as succeeded", 1),
        (answer(JOB, suggestion=None), "incomplete: the answer has no result", 1),
        (NOT_FOUND, "JobNotFoundError: the vendor does not know this job", 1),
    ],
    ids=["another verdict", "another status", "no result", "gone"],
)
def test_what_the_vendor_says_otherwise_is_told_in_the_row(
    now: bytes | Exception, told: str, version: int
) -> None:
    world = settled_world()
    world.vendor.know(JOB, now)

    make_due(world.services, world.row(JOB))
    world.run_until_quiet()

    row = world.row(JOB)
    assert (row.state, row.text("drift"), row.count("drifts")) == (State.SUCCEEDED, told, 1)
    assert (row.count("version"), world.broken()) == (version, [])


@pytest.mark.parametrize("state", [state for state in State if not state.is_terminal])
def test_only_a_settled_job_is_made_due(state: State) -> None:
    world = World(None)
    world.put(job_row(state))

    assert not make_due(world.services, world.row(JOB))


def test_a_job_that_somebody_asks_about_is_left_to_them() -> None:
    world = World(None)
    world.put(job_row(State.SUCCEEDED, holder="other", lease_until=START + MINUTE))

    assert not make_due(world.services, world.row(JOB))


def test_a_row_that_is_written_meanwhile_stays_as_it_was_written() -> None:
    world = settled_world()
    meanwhile = Fault(before=lambda: world.change(JOB, {"token": 99}))

    assert not make_due(world.through(Faults(first("update", meanwhile))), world.row(JOB))
    assert world.row(JOB).number("due_at") is None


def test_a_sample_holds_settled_jobs_of_its_days_alone_each_once() -> None:
    world = settled_world(count=30)
    begin = world.clock.now()

    chosen = make_sample_due(world.services, Sample(jobs=8, days=2))

    assert len(chosen) == len(set(chosen)) == 8
    assert world.run_timer().outcomes == {"confirmed": 8}
    assert len(world.vendor.calls) == 8
    assert world.clock.now() == begin


def test_a_sample_of_more_than_there_is_takes_what_it_finds() -> None:
    world = settled_world(count=3)

    chosen = make_sample_due(world.services, Sample(jobs=50, days=30))

    assert 0 < len(chosen) <= 3


def test_the_only_job_is_found_whenever_it_came() -> None:
    world = settled_world()
    world.clock.advance(20 * DAY)

    assert make_sample_due(world.services, Sample(jobs=1, days=30)) == [world.row(JOB).key]


def test_jobs_that_were_first_seen_before_its_days_are_not_drawn() -> None:
    world = settled_world(count=5)
    world.clock.advance(10 * DAY)

    assert make_sample_due(world.services, Sample(jobs=5, days=7)) == []


def test_the_timers_payload_makes_a_sample_due() -> None:
    world = settled_world(count=20)
    event = b'{"triggerTime": "t", "triggerName": "recheck", "payload": "{\\"recheck\\": %s}"}'
    sample = b'{\\"jobs\\": 3, \\"days\\": 2}'

    told: Any = handle(event % sample, world.services)

    assert len(told["rechecked"]) == 3
    assert world.vendor.calls == []


@pytest.mark.parametrize(
    "sample",
    [
        None,
        {},
        {"jobs": 1},
        {"jobs": 0, "days": 1},
        {"jobs": True, "days": 1},
        {"jobs": 1, "days": 1.5},
        {"jobs": MOST_JOBS + 1, "days": 1},
        {"jobs": 1, "days": rechecking.MOST_DAYS + 1},
        {"jobs": 1, "days": 1, "kind": "vod.media_audit"},
    ],
)
def test_a_sample_that_nobody_means_is_refused(sample: object) -> None:
    with pytest.raises(ParseError):
        Sample.read(sample)


@pytest.mark.parametrize("payload", ["{}", "[]", '{\\"recheck\\": {}}', '{\\"check\\": 1}', "recheck"])
def test_a_payload_that_is_not_known_is_refused(payload: str) -> None:
    event = f'{{"triggerTime": "t", "triggerName": "n", "payload": "{payload}"}}'
    with pytest.raises(ParseError):
        handle(event.encode(), World(None).services)
