"""A function whose instance ends at any moment: run again, as the platform does, the end is the same.

The port calls of `track`, of `webhook`, of `deliver` and of the timer's run are counted as they are made, and
each is a case: the process ends before it and after it; the store is away; a write happens and its answer is
lost.
Every third is a case over SQLite and a folder, too. Those of a callback: `tests/shared/test_crashes.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Protocol

import pytest

from functions.deliver import handler as deliver
from functions.reconcile import handler as reconcile
from functions.track import handler as track
from functions.webhook import handler as webhook
from shared.errors import TargetUnavailableError, TemporaryError
from shared.job_row import read_job
from shared.policy import MINUTE, SECOND, Policy
from shared.ports import Services
from tests.callers import ANYBODY, audit, event
from tests.faults import ANSWER_LOST, UNAVAILABLE, Call, Fault, Faults, at
from tests.scripted_targets import plan_to
from tests.scripted_vendor import NOT_FOUND, answer, callback
from tests.world import ENDS_AFTER, ENDS_BEFORE, KIND, Crash, World, ref

JOBS_OF_A_STORY = ("job-1", "job-2")
TICK = json.dumps({"triggerTime": "2025-11-20T12:00:00Z", "triggerName": "t", "payload": ""}).encode()
ANNOUNCED = json.dumps([{"kind": KIND, "job_id": job, "region": "cn-beijing"} for job in JOBS_OF_A_STORY])
WRITES = ("insert", "insert_many", "update", "put", "put_new")
# After this, what a killed run held is free again.
LEFT_ALONE = 2 * MINUTE + 5 * SECOND
ENDS = (
    *("state", "digest", "version", "region", "due_at", "effects", "crashes", "lost_callback", "holder"),
    *("outbox", "undelivered"),
)
TARGETS = ("a", "b")

FAULTS: Mapping[str, Fault] = {
    "ends before": ENDS_BEFORE,
    "ends after": ENDS_AFTER,
    "store away at": UNAVAILABLE,
    "answer lost of": ANSWER_LOST,
}


class NewWorld(Protocol):
    """Makes an empty world; the stores that it is over are the test's to choose."""

    def __call__(self, *, policy: Policy | None = None) -> World:
        """Make one."""
        ...


in_memory: NewWorld = partial(World, None)


def announce(world: World, services: Services) -> None:
    """Announce both jobs."""
    track.handle(ANNOUNCED.encode(), services)


def call_back(world: World, services: Services, status: str = "success") -> None:
    """Let both be called back about over HTTP."""
    for job in JOBS_OF_A_STORY:
        webhook.handle(event(audit(job, Status=status), headers={}), services, ANYBODY)


def tick(world: World, services: Services) -> None:
    """Let the timer go off."""
    reconcile.handle(TICK, services)


def tell(world: World, services: Services) -> None:
    """Tell the targets of both jobs."""
    deliver.handle(json.dumps({"jobs": [ref(job).key for job in JOBS_OF_A_STORY]}).encode(), services)


def finished(new_world: NewWorld, *targets: str) -> World:
    """Begin with two jobs that only the vendor knows, and that these targets are to be told of."""
    world = new_world(policy=Policy(jitter=0.0, delivery=plan_to(*targets)) if targets else None)
    for job in JOBS_OF_A_STORY:
        world.vendor.know(job, answer(job))
    return world


def called_back(new_world: NewWorld) -> World:
    """Begin with one of them known from its callback."""
    world = finished(new_world)
    world.deliver(callback("job-1"))
    return world


def expected(new_world: NewWorld, *targets: str) -> World:
    """Begin with both announced and due."""
    world = finished(new_world, *targets)
    announce(world, world.services)
    world.clock.advance(world.services.policy.expected)
    return world


def never_called_back(new_world: NewWorld) -> World:
    """Begin with both settled by the timer, and their callbacks taken for lost."""
    world = expected(new_world)
    for wait in (0, world.services.policy.confirm_after, world.services.policy.callback_grace):
        world.clock.advance(wait)
        tick(world, in_time(world, world.services))
    return world


def running(new_world: NewWorld) -> World:
    """Begin so, with one that goes on running, and one that nobody can read."""
    world = expected(new_world)
    world.vendor.say("job-1", answer("job-1", "processing"))
    world.vendor.know("job-2", b"<html>")
    return world


def confirmed_otherwise(new_world: NewWorld) -> World:
    """Begin with both settled and drained by the timer, and another answer when it asks again."""
    world = expected(new_world)
    tick(world, in_time(world, world.services))
    for job in JOBS_OF_A_STORY:
        world.vendor.know(job, answer(job, suggestion="block"))
    world.clock.advance(world.services.policy.confirm_after)
    return world


def missing(new_world: NewWorld) -> World:
    """Begin with both unknown to the vendor all through the grace period."""
    world = expected(new_world)
    for job in JOBS_OF_A_STORY:
        world.vendor.know(job, NOT_FOUND)
    tick(world, in_time(world, world.services))
    world.clock.advance(world.services.policy.not_found_grace)
    return world


def to_be_told(new_world: NewWorld) -> World:
    """Begin with both settled, each target to be told of two versions, and one that takes none at first."""
    world = expected(new_world, *TARGETS)
    world.run_timer()
    for job in JOBS_OF_A_STORY:
        world.vendor.know(job, answer(job, suggestion="block"))
    world.clock.advance(world.services.policy.confirm_after)
    world.run_timer()
    world.targets.say("a", TargetUnavailableError("away"))
    return world


@dataclass(frozen=True)
class Story:
    """What is tried with a crash. `least` is how many port calls it makes, so that none goes unseen."""

    begin: Callable[[NewWorld], World]
    act: Callable[[World, Services], None]
    least: int


STORIES = {
    "two announcements": Story(finished, announce, 1),
    "an announcement of a known job": Story(called_back, announce, 3),
    "two callbacks over HTTP": Story(finished, call_back, 8),
    "callbacks over HTTP of announced jobs": Story(expected, call_back, 8),
    "contradictions over HTTP": Story(confirmed_otherwise, partial(call_back, status="fail"), 8),
    "late callbacks over HTTP": Story(never_called_back, call_back, 6),
    "a run that settles": Story(expected, tick, 30),
    "a run that polls, and quarantines": Story(running, tick, 20),
    "a run that confirms": Story(confirmed_otherwise, tick, 30),
    "a run that gives up": Story(missing, tick, 20),
    "a run that hands deliveries over": Story(lambda new: expected(new, *TARGETS), tick, 32),
    "a delivery": Story(to_be_told, tell, 34),
}


def in_time(world: World, services: Services) -> Services:
    """Give services as an invocation has them: with two minutes."""
    return replace(services, deadline=world.clock.now() + 2 * MINUTE)


def end(world: World) -> Mapping[str, object]:
    """Let the timer run out; give all that must be the same whatever happened on the way."""
    world.run_until_quiet()
    assert not world.broken()
    rows = {job: read_job(world.ledger, ref(job).key) for job in JOBS_OF_A_STORY}
    told = {job: {name: row.columns.get(name) for name in ENDS} for job, row in rows.items() if row}
    return told | world.stored() | {target: world.targets.known(target) for target in TARGETS}


def suits(fault: str, call: Call) -> bool:
    """Tell whether such a thing can happen to such a call."""
    if fault == "store away at":
        return call.method != "query"
    return fault != "answer lost of" or call.method in WRITES


@cache
def calls(name: str, fault: str) -> Sequence[Call]:
    """Give the port calls of a story to which such a thing can happen."""
    story, seen = STORIES[name], Faults(lambda call: None)
    world = story.begin(in_memory)
    story.act(world, in_time(world, world.through(seen)))
    assert len(seen.calls) >= story.least
    return [call for call in seen.calls if suits(fault, call)]


@cache
def ended_calmly(name: str) -> Mapping[str, object]:
    """Give what comes of a story in which nothing happens."""
    world = STORIES[name].begin(in_memory)
    STORIES[name].act(world, in_time(world, world.services))
    return end(world)


def check_its_end(name: str, world: World, fault: str, call: Call) -> None:
    """Let it happen to a story that has begun, let it run again, and compare."""
    story, planned = STORIES[name], Faults(at(call.number, FAULTS[fault]))
    with suppress(Crash, TemporaryError):
        story.act(world, in_time(world, world.through(planned)))
    assert planned.calls[call.number - 1] == call
    world.clock.advance(LEFT_ALONE)
    story.act(world, in_time(world, world.services))

    assert end(world) == ended_calmly(name), f"{fault} {call}"


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", STORIES)
def test_wherever_it_ends_what_comes_of_it_is_the_same(name: str, fault: str) -> None:
    for call in calls(name, fault):
        check_its_end(name, STORIES[name].begin(in_memory), fault, call)


@pytest.mark.parametrize(("nth", "fault"), [*enumerate(FAULTS)])
@pytest.mark.parametrize("name", STORIES)
def test_it_is_the_same_over_local_stores(tmp_path: Path, name: str, nth: int, fault: str) -> None:
    made = calls(name, fault)
    # Each fault begins at another call: together they come to all.
    for call in made[nth % min(3, len(made)) :: 3]:
        with closing(STORIES[name].begin(partial(World, tmp_path / f"{call.number}"))) as world:
            check_its_end(name, world, fault, call)
