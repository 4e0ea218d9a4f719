"""Missing jobs in a run of the timer: given up, or held because the fault may be ours."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared import reconciliation
from shared.due import DueJobs
from shared.errors import StoreUnavailableError
from shared.jobs import State
from shared.policy import DAY, MINUTE
from shared.tables import Value
from tests.faults import UNAVAILABLE, Fault, Faults, first
from tests.scripted_vendor import answer, callback
from tests.shared.test_reconciliation import due_row
from tests.world import START, World


def missing(count: int, **columns: Value) -> World:
    """Begin with jobs that the vendor still does not know, though their grace is over."""
    world = World(None)
    for number in range(count):
        world.put(due_row(number, not_found_since=START - DAY, **columns))
    return world


def states(world: World, count: int) -> set[State]:
    """Give the states of the jobs that a world began with."""
    return {world.row(f"job-{number}").state for number in range(count)}


def test_what_was_learned_is_told_even_when_the_ledger_fails_later() -> None:
    world = missing(1)
    for number in range(1, 100):
        world.put(due_row(number))
        world.vendor.know(f"job-{number}", answer(f"job-{number}"))
    broken = Faults(lambda call: UNAVAILABLE if call.method == "scan" and world.vendor.calls else None)
    services = world.through(broken)

    with pytest.raises(StoreUnavailableError):
        reconciliation.settle_due(services, DueJobs(services, page=1, ahead=64))
    assert world.row("job-0").state is State.UNKNOWN


def test_a_run_with_a_limit_gives_nobody_up() -> None:
    world = missing(1)

    assert world.run_timer(limit=5).outcomes == {"missing": 1}
    assert states(world, 1) == {State.RUNNING}


def test_who_settles_jobs_by_name_gives_nobody_up() -> None:
    world = missing(1)
    summary = reconciliation.settle_named(world.services, [world.row("job-0").key])

    assert summary.outcomes == {"missing": 1}
    assert states(world, 1) == {State.RUNNING}


@pytest.mark.parametrize(
    ("seen", "is_doubted"),
    [
        ({"first_seen_by": "track"}, True),
        ({"first_seen_by": "mns-topic", "notified": 1}, True),
        ({"first_seen_by": "settle"}, False),
        ({"first_seen_by": "http", "notified": 1}, False),
        ({"first_seen_by": "http", "notified": 1, "vendor_status": "processing"}, True),
    ],
    ids=["announced", "called back", "named by a person", "hearsay", "hearsay that was true"],
)
def test_jobs_that_are_certain_to_exist_speak_against_our_settings(
    seen: dict[str, Value], is_doubted: bool
) -> None:
    world = missing(10, **seen)
    summary = world.run_timer()

    assert summary.misconfigured == (["vod"] if is_doubted else [])
    assert states(world, 10) == {State.RUNNING if is_doubted else State.UNKNOWN}


def test_announced_jobs_that_are_found_speak_for_our_settings() -> None:
    world = missing(10, first_seen_by="track")
    for number in range(10, 50):
        world.put(due_row(number, first_seen_by="track"))
        world.vendor.know(f"job-{number}", answer(f"job-{number}"))

    assert world.run_timer().outcomes == {"settled": 40, "unknown": 10}


def test_a_missing_job_that_cannot_be_given_up_is_asked_about_again() -> None:
    world = missing(2)
    # The fourth: a claim and a release of each come before.
    updates = iter(range(100))
    broken = Faults(lambda call: UNAVAILABLE if call.method == "update" and next(updates) == 4 else None)
    summary = world.run_timer(world.through(broken))

    assert summary.outcomes == {"unknown": 1, "missing": 1}
    world.run_until_quiet()
    assert states(world, 2) == {State.UNKNOWN}


def test_nobody_is_given_up_when_there_is_no_time_left_for_it() -> None:
    world = missing(1)
    late = Fault(before=lambda: world.clock.advance(MINUTE))
    services = world.through(Faults(first("query", late)))
    summary = world.run_timer(replace(services, deadline=START + MINUTE))

    assert summary.outcomes == {"missing": 1}


def test_a_job_that_the_vendor_does_not_know_is_unknown_after_the_grace_period() -> None:
    world = World(None)
    world.deliver(callback("job-1"))
    world.run_until_quiet()

    assert world.row("job-1").state is State.UNKNOWN
    assert world.clock.now() - START >= world.services.policy.not_found_grace
    assert world.broken() == []
