"""Two that announce or are told of a job, in every order; and many at work on one, in drawn orders."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest

from shared.announcements import Announcement
from shared.interventions import retry
from shared.job_filter import Filter
from shared.jobs import State
from shared.listings import list_jobs
from shared.ports import Services
from shared.tracking import announce
from tests.schedules import Actor, Passing, explore, wander
from tests.scripted_vendor import answer, callback
from tests.world import World, ref

JOB = "job-1"
Act = Callable[[World, Services], object]

FULL = Announcement(
    ref(JOB),
    region="cn-beijing",
    user_id="7",
    output="oss://b.oss-cn-beijing.aliyuncs.com/k",
    media_id="media-1",
)


def track(world: World, services: Services) -> None:
    """Announce the job."""
    announce(services, [FULL])


def timer(world: World, services: Services) -> None:
    """Settle and drain the job if it is due."""
    world.settle(JOB, services)


def person(world: World, services: Services) -> None:
    """Have the job tried again."""
    retry(services, ref(JOB), by="test")


def told(status: str, number: int, suggestion: str | None = None) -> Act:
    """Deliver a callback."""
    message = callback(JOB, status, suggestion=suggestion, number=number)
    return lambda world, services: world.deliver(message, services)


def finished(world: World) -> None:
    """Let the vendor know a job that the ledger does not."""
    world.vendor.know(JOB, answer(JOB))


def settled(world: World) -> None:
    """Let a settled job have been revised since."""
    finished(world)
    world.deliver(callback(JOB, number=100))
    world.vendor.know(JOB, answer(JOB, suggestion="block"))


def begin(
    prepare: Callable[[World], None], actors: tuple[Act, ...], worlds: list[World]
) -> list[Actor | Passing]:
    world = World(None)
    worlds[:] = [world]
    prepare(world)
    acting: list[Actor | Passing] = [
        Actor(f"actor {number}", world.through, partial(act, world)) for number, act in enumerate(actors)
    ]
    return acting


def judge(world: World) -> list[str]:
    """Let the timer run out, then say what is wrong."""
    world.run_until_quiet()
    row = world.row(JOB)
    wrong = {
        f"the job ended as {row.state.value}": row.state is not State.SUCCEEDED,
        "the current record is not what the row says": world.current_record(JOB) != world.version(JOB),
        "still due": row.number("due_at") is not None,
        "it is not found by its media": _found_by_media(world) != [row.key],
    }
    return [*world.broken(), *(text for text, is_so in wrong.items() if is_so)]


def _found_by_media(world: World) -> list[str]:
    return [row.key for row in list_jobs(world.services, Filter(media_id=FULL.media_id), limit=9).rows]


@pytest.mark.parametrize(
    ("other", "least"), [(track, 2), (told("success", 1), 5)], ids=["an announcement", "a notification"]
)
def test_an_announcement_meets_another_in_every_order(other: Act, least: int) -> None:
    worlds: list[World] = []
    count = 0
    for schedule in explore(partial(begin, finished, (track, other), worlds), most=5_000):
        count += 1
        assert judge(worlds[0]) == [], schedule
        row = worlds[0].row(JOB)
        assert (row.text("region"), row.text("user_id"), row.text("output")) == (
            FULL.region,
            FULL.user_id,
            FULL.output,
        ), schedule

    assert count >= least


@dataclass(frozen=True)
class Crowd:
    """Who meets over a job, and what it says in the end."""

    prepare: Callable[[World], None]
    actors: tuple[Act, ...]
    suggestion: str


CROWDS = {
    "all at once": Crowd(finished, (track, told("success", 1), told("fail", 2), timer, timer), "pass"),
    "a revision": Crowd(
        settled, (told("success", 1, "block"), told("fail", 2), timer, timer, person, track), "block"
    ),
}


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("name", CROWDS)
def test_a_crowd_comes_to_the_same_end(name: str, seed: int) -> None:
    crowd, drawn = CROWDS[name], random.Random(seed)
    worlds: list[World] = []

    def story() -> list[Actor | Passing]:
        acting = begin(crowd.prepare, crowd.actors, worlds)
        lapses = [partial(worlds[0].clock.advance, 60_001) for _ in range(drawn.randrange(3))]
        return [*acting, *(Passing(f"lapse {number}", lapse) for number, lapse in enumerate(lapses))]

    schedule = wander(story, drawn)

    assert judge(worlds[0]) == [], schedule
    assert worlds[0].row(JOB).text("suggestion") == crowd.suggestion
