"""A target that is away, or hangs, takes nothing from others; and it has a whole day to come back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shared.errors import TargetRefusedError
from shared.policy import DAY, HOUR, MINUTE, SECOND
from tests.scripted_vendor import answer
from tests.shared.test_sending import AWAY, JOB, LIMIT, only, send, world_with
from tests.world import START, World

JOBS = [f"job-{number}" for number in range(1, 21)]


def hanging(world: World) -> Callable[[], object]:
    def hang() -> None:
        world.clock.advance(LIMIT)
        raise AWAY

    return hang


def attempts(world: World, target: str) -> int:
    return [name for name, _ in world.targets.asked].count(target)


def test_what_is_owed_to_a_target_that_is_away_is_put_off_unsent() -> None:
    world = world_with("a", "b", count=20)
    world.targets.be_away("a", AWAY)

    assert send(world, None, *JOBS) == {"put_off": 20, "delivered": 20}
    assert attempts(world, "a") == 8
    unsent = [row for row in map(world.row, JOBS) if not row.outbox[0].attempts]
    assert {row.number("deliver_at") for row in unsent} == {START + 5 * MINUTE}
    assert len(unsent) == 12


def test_a_target_that_takes_anything_is_sent_the_rest() -> None:
    world = world_with("a", count=20)
    world.targets.say("a", *[AWAY] * 7, None)

    assert send(world, None, *JOBS) == {"put_off": 7, "delivered": 13}


def test_a_target_that_hangs_is_left_alone_by_the_next_invocations_too() -> None:
    """Each brings a job or two: the jobs of one such target would keep every instance busy."""
    world = world_with("a", count=20)
    world.targets.say("a", *[hanging(world)] * 20)
    for job in JOBS:
        assert send(world, None, job) == {"put_off": 1}
    assert attempts(world, "a") == 2

    world.clock.advance(5 * MINUTE)
    for job in JOBS:
        send(world, None, job)
    assert attempts(world, "a") == 3


def test_what_was_put_off_unsent_is_sent_when_the_target_is_back() -> None:
    world = world_with("a", count=20)
    world.targets.be_away("a", AWAY)
    send(world, None, *JOBS)
    world.targets.be_back("a")
    world.clock.advance(5 * MINUTE)

    assert send(world, None, *JOBS) == {"delivered": 20}
    assert world.broken() == []


def test_a_target_that_refuses_has_answered() -> None:
    world = world_with("a", count=20)
    world.targets.be_away("a", TargetRefusedError("no job of mine"))

    assert send(world, None, *JOBS) == {"undelivered": 20}
    assert attempts(world, "a") == 20


def test_what_waits_long_for_a_target_that_is_left_alone_is_looked_at_seldom() -> None:
    world = world_with("a", count=20)
    world.targets.be_away("a", AWAY)
    send(world, None, *JOBS)
    last = JOBS[-1]
    for waited in (5 * MINUTE, 20 * MINUTE, 2 * HOUR):
        world.clock.advance(START + waited - world.clock.now())
        send(world, None, *JOBS[:-1])
        send(world, None, last)

        assert world.row(last).outbox[0].attempts == 0
        assert world.row(last).number("deliver_at") == START + waited + min(waited, HOUR)


def test_what_is_left_alone_for_a_day_is_undelivered_although_it_was_never_sent() -> None:
    world = world_with("a", count=20)
    world.targets.be_away("a", AWAY)
    send(world, None, *JOBS)
    last = JOBS[-1]
    while (at := world.row(last).number("deliver_at")) is not None:
        world.clock.advance(at - world.clock.now())
        world.services.target_health.failed("a", after_ms=2 * LIMIT, now=at)  # as other jobs' tries would
        send(world, None, last)

    assert world.clock.now() - START == DAY
    [never] = world.row(last).undelivered
    assert (never.attempts, "left alone" in never.reason) == (0, True)


def test_a_day_in_which_nobody_came_is_not_the_targets() -> None:
    world = world_with("a")
    world.clock.advance(2 * DAY)
    world.targets.say("a", AWAY)

    assert send(world) == {"put_off": 1}
    world.clock.advance(10 * SECOND)
    assert send(world) == {"delivered": 1}


@pytest.mark.parametrize("hours", [23.4, 23.9])
def test_a_target_that_comes_back_within_its_day_is_still_told(hours: float) -> None:
    world = world_with("a")
    world.targets.be_away("a", AWAY)
    back = START + int(hours * HOUR)
    while (at := int(world.row(JOB).number("deliver_at") or 0)) <= back:
        world.clock.advance(at - world.clock.now())
        assert send(world) == {"put_off": 1}
    world.targets.be_back("a")
    world.clock.advance(at - world.clock.now())

    assert send(world) == {"delivered": 1}


def test_a_version_that_waited_behind_an_older_one_has_a_day_of_its_own() -> None:
    world = world_with("a")
    world.targets.be_away("a", AWAY)
    send(world)
    world.vendor.know(JOB, answer(JOB, suggestion="block"))
    world.clock.advance(world.services.policy.confirm_after)
    world.settle(JOB)
    while len(world.row(JOB).outbox) == 2:
        world.clock.advance(max(0, int(world.row(JOB).number("deliver_at") or 0) - world.clock.now()))
        send(world)

    assert [one.version for one in world.row(JOB).undelivered] == [1]
    assert only(world.row(JOB)) != ""
    world.targets.be_back("a")
    world.clock.advance(HOUR)
    assert send(world) == {"delivered": 1}
    assert world.row(JOB).undelivered == ()
