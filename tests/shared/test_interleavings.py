"""Two at work on one job, in every order of their port calls: no rule is broken, and the end is the same.

Exhaustive up to calls that cannot feel each other (`tests/schedules.py`): 1,443 schedules in all when this
was written. `least` is there so that an exploration which has quietly become empty does not pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import pytest

from shared import effects, intake, interventions, settlement
from shared.errors import VendorUnavailableError
from shared.job_row import JobRow, read_job
from shared.jobs import State
from shared.marks import Mark, mark
from shared.ports import Services
from tests.schedules import Actor, Passing, explore
from tests.scripted_vendor import NOT_FOUND, answer, callback
from tests.world import World, ref

JOB = "job-1"
Act = Callable[[World, Services], object]


def settler(world: World, services: Services) -> None:
    """Do what the timer does for the job."""
    world.settle(JOB, services)


def settler_who_does_not_drain(world: World, services: Services) -> None:
    """Do the part of it that needs the lease."""
    row = read_job(services.ledger, ref(JOB).key)
    if row is not None:
        settlement.settle(services, row, by="timer")


def drainer(world: World, services: Services) -> None:
    """Do the part of it that needs no lease."""
    effects.drain(services, ref(JOB).key)


def declarer(world: World, services: Services) -> None:
    """Give up a job that was found missing."""
    settlement.declare_unknown(services, ref(JOB).key, by="timer")


def person(world: World, services: Services) -> None:
    """Have the job tried again."""
    interventions.retry(services, ref(JOB), by="test")


def notification(status: str = "success", suggestion: str | None = None, *, number: int) -> Act:
    """Deliver a callback."""
    message = callback(JOB, status, suggestion=suggestion, number=number)
    return lambda world, services: world.deliver(message, services)


def callback_over_http(status: str = "success", suggestion: str | None = None, *, number: int) -> Act:
    """Deliver one that is only marked: somebody else settles the job."""
    message = callback(JOB, status, suggestion=suggestion, number=number)._replace(transport="http")
    return lambda world, services: intake.take_in(services, message, settles=False)


def unseen(world: World) -> None:
    """Let the vendor know a job that the ledger does not."""
    world.vendor.know(JOB, answer(JOB))


def due(world: World) -> None:
    """Let a callback have come while the vendor was away, and let it be time to ask again."""
    world.vendor.say(JOB, VendorUnavailableError("away"))
    world.vendor.know(JOB, answer(JOB))
    world.deliver(callback(JOB, number=100))
    due_at = world.next_due()
    assert due_at is not None
    world.clock.advance(due_at - world.clock.now())


def due_and_stale_once(world: World) -> None:
    """Let the vendor fall back once, as a replica that lags does, after it has told the end."""
    due(world)
    world.vendor.say(JOB, answer(JOB), answer(JOB, "processing"))


def due_and_garbled_once(world: World) -> None:
    """Let the vendor's next answer be one that nobody can read."""
    due(world)
    world.vendor.say(JOB, b"<html>")


def running(world: World) -> None:
    """Let a job be polled, and be due."""
    due(world)
    world.vendor.say(JOB, answer(JOB, "processing"))


def not_found_for_long(world: World) -> None:
    """Let the grace period of a job that the vendor does not know be over with the next query."""
    world.deliver(callback(JOB, number=100))
    world.clock.advance(world.services.policy.not_found_grace)
    world.vendor.say(JOB, NOT_FOUND)
    world.vendor.know(JOB, answer(JOB))


def missing(world: World) -> None:
    """Let a job that the vendor finds only now have been missing after its grace period."""
    world.deliver(callback(JOB, number=100))
    world.clock.advance(world.services.policy.not_found_grace)
    world.settle(JOB)
    assert world.row(JOB).number("not_found_since") is not None
    world.vendor.know(JOB, answer(JOB))


def never_called_back(world: World) -> None:
    """Let the timer have settled and confirmed a job, and let its callback have had its time."""
    unseen(world)
    mark(world.services, Mark(ref(JOB), by="test", is_notification=False))
    for wait in (world.services.policy.lease, world.services.policy.confirm_after):
        world.clock.advance(wait)
        world.settle(JOB)
    world.clock.advance(world.services.policy.callback_grace)


def settled(world: World) -> None:
    """Let a job have succeeded."""
    unseen(world)
    world.deliver(callback(JOB, number=100))
    effects.drain(world.services, ref(JOB).key)


def to_be_confirmed(world: World) -> None:
    """Let it be time for the confirming query of a job."""
    settled(world)
    world.clock.advance(world.services.policy.confirm_after)


def to_be_recorded(world: World) -> None:
    """Let a settled job be drained, of which the vendor has changed its mind since."""
    unseen(world)
    world.deliver(callback(JOB, number=100))
    world.vendor.know(JOB, answer(JOB, suggestion="block"))


@dataclass(frozen=True)
class Story:
    """Who meets over a job in which situation, and how many schedules there are at least."""

    prepare: Callable[[World], None]
    actors: tuple[Act, ...]
    least: int
    lease_lapses: bool = False
    ends: tuple[State, ...] = (State.SUCCEEDED,)
    most_queries: int = 4


CONTRADICTION = partial(notification, "fail")

STORIES = {
    "two settlers": Story(due, (settler, settler), 300),
    "two settlers, the lease lapses": Story(
        due, (settler_who_does_not_drain, settler_who_does_not_drain), 60, lease_lapses=True
    ),
    "a settler and a notification": Story(due, (settler, notification(number=1)), 80),
    "a settler and a notification, the lease lapses": Story(
        due, (settler_who_does_not_drain, notification(number=1)), 140, lease_lapses=True
    ),
    "two notifications of an unseen job": Story(unseen, (notification(number=1), notification(number=2)), 18),
    "a poll and a notification of the end": Story(
        running, (settler, notification(number=1)), 25, most_queries=5
    ),
    "a last look for an unknown job and a notification": Story(
        not_found_for_long, (settler, notification(number=1)), 25
    ),
    "a contradiction twice": Story(settled, (CONTRADICTION(number=1), CONTRADICTION(number=2)), 18),
    "a contradiction and an agreement": Story(settled, (CONTRADICTION(number=1), notification(number=2)), 13),
    "two contradictions": Story(
        settled, (CONTRADICTION(number=1), notification("success", "block", number=2)), 18
    ),
    "a confirming query and a contradiction": Story(
        to_be_confirmed, (settler_who_does_not_drain, CONTRADICTION(number=1)), 11
    ),
    "two confirming queries, the lease lapses": Story(
        to_be_confirmed,
        (settler_who_does_not_drain, settler_who_does_not_drain),
        80,
        lease_lapses=True,
        most_queries=5,
    ),
    "a drain and a new version": Story(
        to_be_recorded, (drainer, notification("success", "block", number=1)), 25
    ),
    "two drains of a lost callback": Story(never_called_back, (drainer, drainer), 6),
    "a lost callback and its late arrival": Story(never_called_back, (drainer, notification(number=1)), 7),
    "a declaration and a notification": Story(missing, (declarer, notification(number=1)), 11),
    "a settler and a person": Story(due, (settler_who_does_not_drain, person), 9),
    "a settler and a callback over HTTP, the lease lapses": Story(
        due, (settler_who_does_not_drain, callback_over_http(number=1)), 80, lease_lapses=True
    ),
    "two callbacks over HTTP of an unseen job": Story(
        unseen, (callback_over_http(number=1), callback_over_http(number=2)), 8
    ),
    "a notification and a callback over HTTP of an unseen job": Story(
        unseen, (notification(number=1), callback_over_http(number=2)), 13
    ),
    "a poll and a callback over HTTP of the end": Story(
        running, (settler, callback_over_http(number=1)), 15, most_queries=5
    ),
    "a confirming query and a contradiction over HTTP": Story(
        to_be_confirmed, (settler_who_does_not_drain, callback_over_http("fail", number=1)), 9
    ),
    "a drain and a contradiction over HTTP": Story(
        to_be_recorded, (drainer, callback_over_http("success", "block", number=1)), 8
    ),
    "a lost callback and its late arrival over HTTP": Story(
        never_called_back, (drainer, callback_over_http(number=1)), 7
    ),
    "a declaration and a callback over HTTP": Story(missing, (declarer, callback_over_http(number=1)), 9),
    "an answer behind the first, the lease lapses": Story(
        due_and_stale_once, (settler, settler_who_does_not_drain), 150, lease_lapses=True, most_queries=5
    ),
    "an unreadable answer, the lease lapses": Story(
        due_and_garbled_once,
        (settler_who_does_not_drain, settler_who_does_not_drain),
        50,
        lease_lapses=True,
        ends=(State.SUCCEEDED, State.QUARANTINED),
    ),
}


@pytest.mark.parametrize(("keys", "schedules"), [(("a", "a"), 6), (("a", "b"), 1)])
def test_only_calls_that_feel_each_other_are_put_in_every_order(keys: Sequence[str], schedules: int) -> None:
    def put_twice(key: str, services: Services) -> None:
        for body in (b"1", b"2"):
            services.objects.put(key, body, content_type="text/plain")

    def begin() -> list[Actor]:
        through = World(None).through
        return [Actor(f"actor {at}", through, partial(put_twice, key)) for at, key in enumerate(keys)]

    assert len({tuple(schedule) for schedule in explore(begin, most=10)}) == schedules


@pytest.mark.parametrize("name", STORIES)
def test_the_end_is_the_same_in_every_order(name: str) -> None:
    story = STORIES[name]
    worlds: list[World] = []

    def begin() -> list[Actor | Passing]:
        world = World(None)
        worlds[:] = [world]
        story.prepare(world)
        actors: list[Actor | Passing] = [
            Actor(f"actor {number}", world.through, partial(act, world))
            for number, act in enumerate(story.actors)
        ]
        if story.lease_lapses:
            actors.append(Passing("the lease lapses", partial(world.clock.advance, 60_001)))
        return actors

    count = 0
    for schedule in explore(begin, most=5_000):
        count += 1
        wrong = judge(worlds[0], story)
        assert not wrong, (wrong, schedule)

    assert count >= story.least


def judge(world: World, story: Story) -> list[str]:
    """Let the timer run out, then say what is wrong."""
    world.run_until_quiet()
    row = world.row(JOB)
    wrong = {
        f"the job ended as {row.state.value}": row.state not in story.ends,
        "the current record is not what the row says": world.current_record(JOB) != world.version(JOB),
        f"{len(world.vendor.calls)} queries": len(world.vendor.calls) > story.most_queries,
        f"{row.count('notified')} of {deliveries(story)} notifications counted": (
            row.count("notified") != deliveries(story)
        ),
        "still due": row.number("due_at") is not None,
        "a callback was neither lost nor late nor in time": (
            story.prepare is never_called_back and row.number("lost_callback") not in expected_losses(row)
        ),
    }
    return [*world.broken(), *(text for text, is_so in wrong.items() if is_so)]


def expected_losses(row: JobRow) -> tuple[int | None, ...]:
    """Say what may be told of a job that was watched for its callback: never 1 when one came."""
    return (None, 2) if row.count("notified") else (1,)


def deliveries(story: Story) -> int:
    """Count the notifications that a story delivers."""
    others = (settler, settler_who_does_not_drain, drainer, declarer, person)
    before = 0 if story.prepare in (unseen, never_called_back) else 1
    return before + sum(act not in others for act in story.actors)
