"""Who delivers meets whoever else writes the row, in every order of their port calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import pytest

from shared import effects, sending, settlement
from shared.errors import TargetRefusedError
from shared.interventions import retry
from shared.job_row import read_job
from shared.ports import Services
from shared.redelivery import redeliver
from tests.schedules import Actor, Passing, explore
from tests.scripted_vendor import answer, callback
from tests.shared.test_sending import AWAY, JOB, KEY, LIMIT, send, world_with
from tests.world import World, ref

Act = Callable[[World, Services], object]
TARGETS = ("a", "b")
# Of a claim: after this another may try.
LAPSED = LIMIT + 15_001


def sender(world: World, services: Services) -> None:
    """Send what is due."""
    sending.deliver(services, [KEY])


def settler(world: World, services: Services) -> None:
    """Settle the job, if it is time to, and leave its effects."""
    row = read_job(services.ledger, KEY)
    if row is not None:
        settlement.settle(services, row, by="timer")


def drainer(world: World, services: Services) -> None:
    """Do its effects."""
    effects.drain(services, KEY)


def contradiction(world: World, services: Services) -> None:
    """Deliver a callback that says something else."""
    world.deliver(callback(JOB, "fail", number=7), services)


def person(world: World, services: Services) -> None:
    """Have it tried again."""
    retry(services, ref(JOB), by="test")


def redeliverer(world: World, services: Services) -> None:
    """Have it delivered again."""
    redeliver(services, ref(JOB), by="test", targets=("a",))


def one_target() -> World:
    """Begin with one version that one target is to be told of."""
    return world_with("a")


def two_targets() -> World:
    """Begin with one version that two targets are to be told of."""
    return world_with(*TARGETS)


def to_be_revised() -> World:
    """Begin with one version to be told, and another to be found by the confirming query."""
    world = world_with("a")
    world.vendor.know(JOB, answer(JOB, suggestion="block"))
    world.clock.advance(world.services.policy.confirm_after)
    return world


def failed_once() -> World:
    """Begin with an attempt that failed."""
    world = world_with("a")
    world.targets.say("a", AWAY)
    send(world)
    world.clock.advance(10_000)
    return world


def refused() -> World:
    """Begin with a target that refused one version, and is to be told of it again."""
    world = world_with("a")
    world.targets.say("a", TargetRefusedError("gone"))
    send(world)
    redeliverer(world, world.services)
    return world


@dataclass(frozen=True)
class Story:
    """Who meets in which situation, and how many schedules there are at least."""

    begin: Callable[[], World]
    actors: tuple[Act, ...]
    least: int
    claim_lapses: bool = False


STORIES = {
    "two senders": Story(one_target, (sender, sender), 14),
    "two senders, the claim lapses": Story(one_target, (sender, sender), 260, claim_lapses=True),
    "two senders to two targets": Story(two_targets, (sender, sender), 350),
    "a sender and the settling of a new version": Story(to_be_revised, (sender, settler), 40),
    "a sender and a drain": Story(two_targets, (sender, drainer), 130),
    "a sender and a contradiction": Story(one_target, (sender, contradiction), 40),
    "a sender and a person": Story(failed_once, (sender, person), 9),
    "a sender and a redelivery": Story(refused, (sender, redeliverer), 9),
}


@pytest.mark.parametrize("name", STORIES)
def test_every_version_is_taken_in_every_order(name: str) -> None:
    story = STORIES[name]
    worlds: list[World] = []

    def begin() -> Sequence[Actor | Passing]:
        world = story.begin()
        worlds[:] = [world]
        actors: list[Actor | Passing] = [
            Actor(f"actor {number}", world.through, partial(act, world))
            for number, act in enumerate(story.actors)
        ]
        if story.claim_lapses:
            actors.append(Passing("the claim lapses", partial(world.clock.advance, LAPSED)))
        return actors

    count = 0
    for schedule in explore(begin, most=5_000):
        count += 1
        wrong = judge(worlds[0], sends_once=name in ("two senders", "two senders to two targets"))
        assert not wrong, (wrong, schedule)

    assert count >= story.least


def judge(world: World, *, sends_once: bool) -> list[str]:
    """Let the timer run out, then say what is wrong."""
    world.run_until_quiet()
    row = world.row(JOB)
    targets = [target.name for target in world.services.policy.delivery.targets]
    versions = {name: world.targets.versions(name) for name in targets}
    wrong = {
        f"taken: {versions}": any(
            set(v) != set(range(1, row.count("version") + 1)) for v in versions.values()
        ),
        f"not in order: {versions}": any(first_sights(v) != sorted(set(v)) for v in versions.values()),
        f"sent more than once: {versions}": sends_once and any(len(v) > 1 for v in versions.values()),
        "a consumer knows another version": any(
            world.targets.known(name) != {KEY: row.text("digest")} for name in targets
        ),
        "something is left": bool(row.outbox or row.undelivered or row.number("due_at") is not None),
    }
    return [*world.broken(), *(text for text, is_so in wrong.items() if is_so)]


def first_sights(versions: list[int]) -> list[int]:
    """Give the versions in the order in which they first came."""
    return list(dict.fromkeys(versions))
