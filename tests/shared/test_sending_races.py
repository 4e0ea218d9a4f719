"""Whoever else is at work on an outbox, or ends while at work: an entry is sent at least once."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from shared import sending
from shared.adapters.parallel import ThreadParallel
from shared.errors import TargetRefusedError
from shared.policy import DAY, HOUR, SECOND, Policy
from tests.faults import ANSWER_LOST, Fault, Faults, first
from tests.scripted_targets import plan_to
from tests.scripted_vendor import answer, callback
from tests.shared.test_sending import AWAY, JOB, KEY, LIMIT, revise, send, world_with
from tests.world import START, Crash, World, ref


def test_two_instances_do_not_both_send() -> None:
    world = world_with("a")
    world.targets.say("a", lambda: sending.deliver(world.services, [KEY]))

    assert send(world) == {"delivered": 1}
    assert world.targets.versions("a") == [1]


@pytest.mark.parametrize("method", ["get", "update"])
def test_a_claim_that_another_wins_is_not_sent(method: str) -> None:
    world = world_with("a")
    other = Faults(first(method, Fault(before=lambda: sending.deliver(world.services, [KEY])), target="jobs"))
    assert send(world, other) == {}
    assert world.targets.versions("a") == [1]


def test_an_attempt_that_outlived_its_claim_leaves_the_entry_to_who_has_it() -> None:
    world = world_with("a")

    def stall() -> None:
        world.clock.advance(LIMIT + 15 * SECOND)
        world.targets.say("a", AWAY)
        sending.deliver(world.services, [KEY])

    world.targets.say("a", stall)
    assert send(world) == {"overtaken": 1}
    assert world.row(JOB).outbox[0].attempts == 2


def test_a_claim_whose_answer_was_lost_is_sent_when_it_lapses() -> None:
    world = world_with("a")

    assert send(world, Faults(first("update", ANSWER_LOST))) == {}
    world.clock.advance(LIMIT + 15 * SECOND)
    assert send(world) == {"delivered": 1}


@pytest.mark.parametrize("outcome", ["delivered", "undelivered"])
def test_a_removal_whose_answer_was_lost_is_told_all_the_same(outcome: str) -> None:
    world = world_with("a")
    if outcome == "undelivered":
        world.targets.say("a", TargetRefusedError("gone"))
    lost = iter((None, ANSWER_LOST))
    faults = Faults(lambda call: next(lost, None) if call.method == "update" else None)

    assert send(world, faults) == {outcome: 1}
    assert world.row(JOB).outbox == ()


def test_a_version_that_is_committed_meanwhile_is_sent_too() -> None:
    world = world_with("a")
    world.targets.say("a", lambda: revise(world))

    assert send(world) == {"delivered": 2}
    assert world.targets.versions("a") == [1, 2]
    assert world.broken() == []


def test_a_target_that_hangs_holds_up_no_other(tmp_path: Path) -> None:
    jobs = [f"job-{number}" for number in range(12)]
    policy = Policy(jitter=0.0, delivery=plan_to("hanging", "other"))
    world = World(tmp_path, policy=policy)
    for job in jobs:
        world.vendor.know(job, answer(job))
        world.deliver(callback(job))
    others_are_told, taken = threading.Event(), count(1)
    was_in_time: list[bool] = []

    def tell_other() -> None:
        if next(taken) == len(jobs):
            others_are_told.set()

    world.targets.say("hanging", *[lambda: was_in_time.append(others_are_told.wait(30))] * len(jobs))
    world.targets.say("other", *[tell_other] * len(jobs))
    services = replace(world.services, parallel=ThreadParallel(4))

    assert sending.deliver(services, [ref(job).key for job in jobs]) == {"delivered": 2 * len(jobs)}
    assert was_in_time == [True] * len(jobs)
    world.close()


def test_who_crashes_leaves_an_attempt_that_is_repeated_with_growing_waits_and_not_for_ever() -> None:
    world = world_with("a")
    waits = []
    while (at := world.row(JOB).number("deliver_at")) is not None:
        waits.append(at - world.clock.now())
        world.clock.advance(waits[-1])
        crash_once(world)

    assert waits[:4] == [0, *(LIMIT + 15 * SECOND + wait for wait in (0, 10 * SECOND, 30 * SECOND))]
    assert DAY < world.clock.now() - START < DAY + 2 * HOUR
    assert "without a word" in world.row(JOB).undelivered[0].reason


def test_who_fails_and_then_only_crashes_is_given_up_too() -> None:
    world = world_with("a")
    world.targets.say("a", AWAY)
    send(world)
    world.clock.advance(10 * SECOND)
    crash_once(world)
    world.clock.advance(DAY)

    assert send(world) == {"undelivered": 1}


def crash_once(world: World) -> None:
    """Let the process end while it sends."""

    def end() -> None:
        raise Crash

    world.targets.say("a", end)
    with suppress(Crash):
        sending.deliver(world.services, [KEY])
