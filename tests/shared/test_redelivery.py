"""A version is told of once more: the same event, a new delivery."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.errors import ContendedError, PermanentError, TargetRefusedError
from shared.job_row import JobRow
from shared.jobs import State
from shared.policy import MINUTE
from shared.redelivery import Redelivery, redeliver
from tests.faults import Fault, Faults
from tests.scripted_targets import plan_to
from tests.shared.test_sending import AWAY, JOB, revise, send, world_with
from tests.world import START, World, job_row, ref


def again(world: World, *targets: str, only_undelivered: bool = False) -> Redelivery:
    """Have the job delivered again."""
    return redeliver(
        world.services, ref(JOB), by="test", targets=targets or None, only_undelivered=only_undelivered
    )


def test_a_delivered_version_is_told_again_with_the_same_bytes_and_another_delivery_id() -> None:
    world = world_with("a", "b")
    send(world)
    world.clock.advance(MINUTE)

    assert again(world, "a") == Redelivery(("a",))
    send(world)
    first, second = (dispatch for name, dispatch in world.targets.taken if name == "a")
    assert (first.body, first.event_id) == (second.body, second.event_id)
    assert first.delivery_id != second.delivery_id
    assert world.targets.versions("b") == [1]
    assert world.broken() == []


def test_a_later_version_keeps_its_own_time_in_every_delivery() -> None:
    world = world_with("a")
    send(world)
    revise(world)
    send(world)
    world.clock.advance(MINUTE)
    again(world)
    send(world)

    first, second, again_second = world.targets.events("a")
    assert world.targets.versions("a") == [1, 2, 2]
    assert first["time"] < second["time"] == again_second["time"]


def test_a_target_that_never_took_it_is_told_again_and_owed_nothing_then() -> None:
    world = world_with("a", "b")
    world.targets.say("a", TargetRefusedError("gone"))
    send(world)

    assert again(world, only_undelivered=True) == Redelivery(("a",))
    assert len(world.row(JOB).undelivered) == 1  # until it has taken it
    send(world)
    assert world.row(JOB).undelivered == ()
    assert world.broken() == []


def test_what_is_owed_to_a_target_that_is_set_no_more_is_left_as_it_is() -> None:
    world = world_with("a", "b")
    world.targets.say("a", TargetRefusedError("gone"))
    send(world)
    services = replace(world.services, policy=replace(world.services.policy, delivery=plan_to("b")))

    assert redeliver(services, ref(JOB), by="test") == Redelivery(("b",))
    assert [one.target for one in world.row(JOB).undelivered] == ["a"]


def test_what_is_refused_again_is_owed_once() -> None:
    world = world_with("a")
    world.targets.be_away("a", TargetRefusedError("gone"))
    send(world)
    again(world)
    send(world)

    assert len(world.row(JOB).undelivered) == 1


def test_what_is_still_to_be_sent_begins_anew() -> None:
    world = world_with("a")
    world.targets.say("a", AWAY)
    send(world)

    assert again(world) == again(world) == Redelivery(("a",))
    [entry] = world.row(JOB).outbox
    assert (entry.attempts, entry.next_at) == (0, START)


def test_nobody_is_told_where_no_rule_matches_or_nothing_is_owed() -> None:
    world = world_with("a")
    send(world)
    written = len(world.ledger.writes)

    assert again(world, only_undelivered=True).reason == "no target is to be told of it"
    assert len(world.ledger.writes) == written


@pytest.mark.parametrize(
    ("row", "reason"),
    [(None, "no such job"), (job_row(State.TRACKED), "not settled"), (job_row(State.UNKNOWN), "not settled")],
)
def test_what_is_not_settled_cannot_be_told_of(row: JobRow | None, reason: str) -> None:
    world = world_with("a", count=0)
    if row is not None:
        world.put(row)

    assert reason in str(again(world).reason)


def test_a_target_that_is_not_set_is_named() -> None:
    with pytest.raises(PermanentError, match="nobody"):
        again(world_with("a"), "nobody")


def test_a_redelivery_meets_a_delivery() -> None:
    world = world_with("a")
    world.targets.say("a", lambda: again(world))

    assert send(world) == {"overtaken": 1, "delivered": 1}
    assert world.targets.versions("a") == [1, 1]
    assert world.broken() == []


def test_a_row_that_never_rests_is_given_up() -> None:
    world = world_with("a")
    restless = Faults(
        lambda call: (
            Fault(before=lambda: world.change(JOB, {"token": call.number + 10}))
            if call.method == "update"
            else None
        )
    )
    with pytest.raises(ContendedError, match=JOB):
        redeliver(world.through(restless), ref(JOB), by="test")
