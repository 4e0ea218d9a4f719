"""Whatever makes a job need a person, or need none any more, meets the others in every order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import pytest

from shared import effects, interventions, sending
from shared.errors import TargetRefusedError
from shared.policy import DAY
from shared.ports import Services
from shared.settlement import settle
from tests.schedules import Actor, Passing, explore
from tests.scripted_vendor import answer, callback
from tests.shared.test_sending import JOB, KEY, world_with
from tests.world import World, ref

Act = Callable[[World, Services], object]


def begin() -> World:
    """Let a job have drifted, its pictures be at risk, and its target refuse what it is to be told."""
    world = world_with("a", count=0)
    world.vendor.know(JOB, answer(JOB, pictures=["https://pictures.oss-cn-shanghai.aliyuncs.com/1.jpg"]))
    world.deliver(callback(JOB))
    world.deliver(callback(JOB, "fail", number=2))
    world.targets.say("a", TargetRefusedError("gone"))
    world.clock.advance(8 * DAY)
    assert world.row(JOB).text("attention") == "drift"
    return world


def reader(world: World, services: Services) -> None:
    """Say that a person has seen what differs."""
    interventions.acknowledge(services, ref(JOB), by="test")


def sender(world: World, services: Services) -> None:
    """Send what is due."""
    sending.deliver(services, [KEY])


def drainer(world: World, services: Services) -> None:
    """Do its effects."""
    effects.drain(services, KEY)


def settler(world: World, services: Services) -> None:
    """Ask once more, and hear something else again."""
    world.vendor.know(JOB, answer(JOB, status="fail"))
    settle(services, world.row(JOB), by="timer")


@pytest.mark.parametrize(
    ("actors", "needs"),
    [
        ((reader, sender), "undelivered"),
        ((reader, drainer), "evidence"),
        ((sender, drainer), "undelivered,drift,evidence"),
        ((reader, settler), None),
    ],
)
def test_a_job_needs_a_person_for_what_is_so_when_all_have_written(
    actors: tuple[Act, ...], needs: str | None
) -> None:
    worlds: list[World] = []

    def story() -> Sequence[Actor | Passing]:
        worlds[:] = [begin()]
        return [
            Actor(f"actor {number}", worlds[0].through, partial(act, worlds[0]))
            for number, act in enumerate(actors)
        ]

    count = 0
    for schedule in explore(story, most=2_000):
        count += 1
        assert worlds[0].broken() == [], schedule
        assert needs is None or worlds[0].row(JOB).text("attention") == needs, schedule

    assert count > 3
