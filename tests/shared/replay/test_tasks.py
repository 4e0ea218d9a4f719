"""Shards of a replay go on from invocation to invocation until nothing is left."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import pytest

from functions.replay.handler import handle
from shared.adapters.local.inline_invoker import InlineInvoker
from shared.errors import ParseError, TemporaryError
from shared.policy import DAY
from shared.ports import Clock, Services
from shared.replay import tasks
from shared.replay.tasks import Task
from shared.tables import LEASES, Row
from tests.shared.replay.test_run import ALL, newer, versions, world_of
from tests.world import FOREVER, START, World

TASK = Task(ALL, deliver=False, begun="5f3759df")


def short_of_time(world: World, failed: list[str] | None = None) -> tuple[Services, InlineInvoker]:
    """Give services with a newer normalizer and time for one batch, and what runs what they invoke."""
    invoker = InlineInvoker(lambda name: partial(handle, services=services))
    services = replace(newer(world), invoker=invoker, deadline=START)
    return services, invoker


def test_shards_hand_what_is_left_to_the_next_invocation() -> None:
    world = world_of(40)
    services, invoker = short_of_time(world)
    tasks.begin(services, ALL, shards=3, deliver=False)
    turns = invoker.run_accepted()

    assert versions(world, 40) == [2] * 40
    assert (turns > 20, invoker.failed) == (True, ())


def test_whoever_began_them_sees_how_far_they_are() -> None:
    world = world_of(40)
    services, invoker = short_of_time(world)
    look = partial(tasks.look, services, ALL, shards=3, deliver=False)
    before = look()
    tasks.begin(services, ALL, shards=3, deliver=False)
    begun = look()
    invoker.run_accepted()
    after = look()

    assert [one.ended_since(before) for one in (before, begun, after)] == [0, 0, 3]
    assert (before.tally.jobs, after.tally.outcomes) == (0, {"moved": 40})
    assert after.moves > begun.moves
    assert after.ended_since(after) == 0


@dataclass(frozen=True)
class WhileAsleep:
    """A clock during whose sleep others do something."""

    inner: Clock
    happen: Callable[[], object]

    def now(self) -> int:
        """See `Clock.now`."""
        return self.inner.now()

    def sleep(self, ms: int) -> None:
        """See `Clock.sleep`."""
        self.inner.sleep(ms)
        self.happen()


def in_shards(world: World, services: Services, happen: Callable[[], object]) -> list[int]:
    """Replay in shards, of which something is seen only while they are waited for."""
    seen: list[int] = []
    tally = tasks.replay_in_shards(
        replace(services, clock=WhileAsleep(world.clock, happen)),
        ALL,
        shards=3,
        deliver=False,
        tell=lambda tally: seen.append(tally.jobs),
    )
    return [*seen, tally.jobs]


def test_whoever_waits_is_told_how_far_they_are_until_all_have_ended() -> None:
    world = world_of(40)
    services, invoker = short_of_time(world)

    assert in_shards(world, services, invoker.run_accepted) == [40, 40]
    assert in_shards(world, services, invoker.run_accepted) == [40, 40]


def test_whoever_waits_for_invocations_that_never_come_is_told() -> None:
    world = world_of(1)
    services, _ = short_of_time(world)

    with pytest.raises(TemporaryError, match="do not go on"):
        in_shards(world, services, lambda: None)


def test_an_invocation_that_comes_twice_does_not_begin_anew() -> None:
    world = world_of(10)
    services = replace(newer(world), deadline=START + 30 * DAY)
    answers = [handle(TASK.payload, services) for _ in range(2)]

    assert answers[0] == answers[1]
    assert answers[0]["outcomes"] == {"moved": 10}


def test_an_invocation_whose_shard_is_held_fails_and_is_tried_again() -> None:
    world = world_of(10)
    services, invoker = short_of_time(world)
    tasks.begin(services, ALL, shards=1, deliver=False)
    (shard,) = ALL.shards(1)
    name = shard.name(services.kinds, deliver=False)
    held: Row = {"token": 1, "holder": "somebody", "lease_until": FOREVER}
    services.ledger.insert(LEASES, (name,), held)
    invoker.run_accepted()

    assert [one.reason.partition(":")[0] for one in invoker.failed] == ["ContendedError"]


def test_a_second_replay_of_the_same_begins_anew() -> None:
    world = world_of(10)
    services, invoker = short_of_time(world)
    for _ in range(2):
        tasks.begin(services, ALL, shards=2, deliver=False)
        invoker.run_accepted()

    assert tasks.look(services, ALL, shards=2, deliver=False).tally.outcomes == {"unchanged": 10}


def test_an_event_is_read_as_it_was_written() -> None:
    tree = json.loads(TASK.payload)["replay"]

    assert Task.read(tree) == TASK


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("selection", None),
        ("selection", {}),
        ("selection", {**ALL.document(), "number": 4, "of": 4}),
        ("selection", {**ALL.document(), "of": 17}),
        ("selection", {**ALL.document(), "first": "yesterday"}),
        ("deliver", "no"),
        ("begun", 1),
        ("turn", "1"),
    ],
)
def test_an_event_that_says_something_else_is_refused(field: str, value: object) -> None:
    tree = json.loads(TASK.payload)["replay"]

    with pytest.raises(ParseError):
        Task.read({**tree, field: value})
