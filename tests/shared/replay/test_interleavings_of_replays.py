"""Who replays a job meets whoever else writes its row, in every order of their port calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import pytest

from shared import effects, settlement
from shared.job_row import read_job
from shared.ports import Services
from shared.replay.one_job import replay
from tests.newer_kinds import suggesting, with_normalizer
from tests.schedules import Actor, Passing, explore
from tests.scripted_vendor import answer, callback
from tests.world import KIND, World, ref

Act = Callable[[World, Services], object]
JOB = "job-1"
KEY = ref(JOB).key
NEWER = with_normalizer(KIND, suggesting("review"))


def replayer(world: World, services: Services) -> None:
    """Replay the job with a newer normalizer."""
    replay(replace(services, kinds=NEWER), KEY, deliver=True)


def old_settler(world: World, services: Services) -> None:
    """Ask the vendor to confirm, with the normalizer of the release before."""
    row = read_job(services.ledger, KEY)
    if row is not None:
        settlement.settle(services, row, by="timer")


def new_settler(world: World, services: Services) -> None:
    """Ask the vendor to confirm, with the newer normalizer."""
    old_settler(world, replace(services, kinds=NEWER))


def drainer(world: World, services: Services) -> None:
    """Do the effects of the job."""
    effects.drain(services, KEY)


def notifier(world: World, services: Services) -> None:
    """Deliver a callback that says something else."""
    world.deliver(callback(JOB, "fail", number=7), services)


def to_be_confirmed() -> World:
    """Begin with a job whose confirming query is due."""
    world = World(None)
    world.vendor.know(JOB, answer(JOB))
    world.deliver(callback(JOB))
    drainer(world, world.services)
    world.clock.advance(world.services.policy.confirm_after)
    return world


STORIES: dict[str, tuple[Act, Act]] = {
    "another replay": (replayer, replayer),
    "the confirming query of the old code": (replayer, old_settler),
    "the confirming query of the new code": (replayer, new_settler),
    "a drain": (replayer, drainer),
    "a contradicting callback": (replayer, notifier),
}


@pytest.mark.parametrize("name", STORIES)
def test_a_replay_and_whoever_comes_between_lose_nothing(name: str) -> None:
    worlds: list[World] = []

    def begin() -> Sequence[Actor | Passing]:
        world = to_be_confirmed()
        worlds[:] = [world]
        return [
            Actor(f"actor {number}", world.through, partial(act, world))
            for number, act in enumerate(STORIES[name])
        ]

    count = 0
    for schedule in explore(begin, most=5_000):
        count += 1
        wrong = judge(worlds[0])
        assert not wrong, (wrong, schedule)

    assert count > 10


def judge(world: World) -> list[str]:
    """Let old code run out, replay what was busy, then say what is wrong."""
    world.run_until_quiet()
    replayer(world, world.services)
    world.run_until_quiet()
    row = world.row(JOB)
    wrong = {
        "not the newest record": (row.text("suggestion"), row.count("normalizer_version")) != ("review", 2),
        "more versions than normalizers": row.count("version") != 2,
        "a stale current record": world.current_record(JOB) != world.version(JOB),
        "something is left": row.number("due_at") is not None,
    }
    return [*world.broken(), *(text for text, is_so in wrong.items() if is_so)]
