"""What is in an outbox is sent: at least once, in order, to each target whatever the others do."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from shared import sending
from shared.attempts import RESERVE
from shared.delivery.event import event_id
from shared.delivery.outbox import outbox_columns
from shared.errors import (
    CorruptRowError,
    SettingError,
    TargetRefusedError,
    TargetUnavailableError,
)
from shared.job_row import JobRow
from shared.policy import DAY, HOUR, MINUTE, SECOND, Policy
from tests.faults import UNAVAILABLE, Faults, first
from tests.measured import measured
from tests.scripted_targets import plan_to
from tests.scripted_vendor import answer, callback
from tests.world import START, World, ref

JOB = "job-1"
KEY = ref(JOB).key
LIMIT = 10 * SECOND
AWAY = TargetUnavailableError("away")


def world_with(*targets: str, count: int = 1) -> World:
    """Begin with settled jobs that these targets are to be told of."""
    world = World(None, policy=Policy(jitter=0.0, delivery=plan_to(*targets)))
    for number in range(1, count + 1):
        world.vendor.know(f"job-{number}", answer(f"job-{number}"))
        world.deliver(callback(f"job-{number}"))
    return world


def revise(world: World) -> None:
    """Let the job have a second version."""
    world.vendor.know(JOB, answer(JOB, suggestion="block"))
    world.clock.advance(world.services.policy.confirm_after)
    world.settle(JOB)


def send(world: World, faults: Faults | None = None, *jobs: str) -> dict[str, int]:
    """Send what is due of jobs."""
    services = world.services if faults is None else world.through(faults)
    outcomes = sending.deliver(services, [ref(job).key for job in jobs or (JOB,)])
    return {str(outcome): count for outcome, count in outcomes.items()}


def only(row: JobRow) -> str:
    """Give the reason of the one entry that is left."""
    assert len(row.outbox) == 1
    return row.outbox[0].last


def test_a_settled_version_is_told_to_every_target_and_leaves_nothing_due() -> None:
    world = world_with("a", "b")
    assert world.row(JOB).number("deliver_at") == START

    assert send(world) == {"delivered": 2}
    assert [event["data"]["verdict"]["suggestion"] for event in world.targets.events("a")] == ["pass"]
    assert world.targets.known("a") == world.targets.known("b") == {KEY: world.row(JOB).text("digest")}
    assert not {"outbox", "deliver_at", "undelivered"} & set(world.row(JOB).columns)
    assert send(world) == {}
    assert world.broken() == []


def test_a_record_that_no_rule_matches_leaves_no_trace() -> None:
    policy = Policy(jitter=0.0, delivery=plan_to("a", suggestions=["block"]))
    world = World(None, policy=policy)
    world.vendor.know(JOB, answer(JOB))
    world.deliver(callback(JOB))

    assert not {"outbox", "deliver_at", "version_at"} & set(world.row(JOB).columns)


def test_a_version_that_nobody_is_told_of_leaves_no_time_of_an_older_one() -> None:
    world = World(None, policy=Policy(jitter=0.0, delivery=plan_to("a", suggestions=["pass"])))
    world.vendor.know(JOB, answer(JOB))
    world.deliver(callback(JOB))
    assert world.row(JOB).number("version_at") == START
    revise(world)

    assert "version_at" not in world.row(JOB).columns
    assert [entry.version for entry in world.row(JOB).outbox] == [1]


def test_a_job_that_is_named_twice_is_told_once() -> None:
    world, seen = world_with("a"), Faults(lambda call: None)

    assert send(world, seen, JOB, JOB) == {"delivered": 1}
    assert [call.method for call in seen.calls].count("get") == 3  # twice its row, once its record


def test_what_becomes_of_attempts_is_counted_by_target(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    world = world_with("a", "b")
    world.targets.say("a", TargetRefusedError("gone"))
    send(world)

    assert measured(caplog, "delivery_attempts") == {("a",): 1, ("b",): 1}
    assert measured(caplog, "delivered") == {("b",): 1}
    assert measured(caplog, "undelivered") == {("a",): 1}


def test_a_dispatch_names_event_delivery_attempt_and_version() -> None:
    world = world_with("a")
    world.targets.say("a", AWAY)
    send(world)
    world.clock.advance(10 * SECOND)
    send(world)
    _, dispatch = world.targets.taken[0]

    assert (dispatch.job_key, dispatch.version, dispatch.attempt) == (KEY, 1, 2)
    assert dispatch.event_id == event_id(KEY, world.row(JOB).text("digest") or "")


def test_every_version_is_told_in_order() -> None:
    world = world_with("a", "b")
    world.targets.be_away("a", AWAY)
    send(world)
    revise(world)
    assert send(world) == {"put_off": 1, "delivered": 1}
    assert world.targets.versions("b") == [1, 2]
    assert world.targets.versions("a") == []

    world.targets.be_back("a")
    world.clock.advance(HOUR)
    assert send(world) == {"delivered": 2}
    assert world.targets.versions("a") == [1, 2]
    assert world.broken() == []


@pytest.mark.parametrize(
    ("attempts", "wait"),
    [
        (0, 10 * SECOND),
        (1, 30 * SECOND),
        (2, MINUTE),
        (3, 5 * MINUTE),
        (4, 15 * MINUTE),
        (5, HOUR),
        (9, HOUR),
    ],
)
def test_what_is_not_taken_is_tried_again_later_each_time(attempts: int, wait: int) -> None:
    world = world_with("a")
    tried(world, attempts)
    world.targets.say("a", AWAY)

    assert send(world) == {"put_off": 1}
    assert world.row(JOB).number("deliver_at") == START + wait
    assert only(world.row(JOB)) == "TargetUnavailableError: away"
    assert world.broken() == []


def tried(world: World, attempts: int) -> None:
    """Let the one entry have been tried so often."""
    entry = replace(world.row(JOB).outbox[0], attempts=attempts, last="away" if attempts else "")
    world.change(JOB, outbox_columns([entry]))


@pytest.mark.parametrize(("wish", "wait"), [(2 * MINUTE, 2 * MINUTE), (1, 10 * SECOND), (DAY, HOUR)])
def test_a_targets_own_wish_is_honoured_up_to_an_hour(wish: int, wait: int) -> None:
    world = world_with("a")
    world.targets.say("a", TargetUnavailableError("busy", retry_after_ms=wish))
    send(world)

    assert world.row(JOB).number("deliver_at") == START + wait


def test_after_a_day_a_version_counts_as_undelivered() -> None:
    world = world_with("a")
    world.targets.be_away("a", AWAY)
    outcomes = []
    while (at := world.row(JOB).number("deliver_at")) is not None:
        world.clock.advance(at - world.clock.now())
        outcomes += list(send(world))

    assert outcomes[-1] == "undelivered"
    assert set(outcomes[:-1]) == {"put_off"}
    assert world.clock.now() - START == DAY
    [never] = world.row(JOB).undelivered
    assert (never.target, never.version, never.attempts) == ("a", 1, len(outcomes))
    assert never.reason == "TargetUnavailableError: away"
    assert world.broken() == []


def test_what_a_target_refuses_for_good_is_not_tried_again() -> None:
    world = world_with("a")
    world.targets.say("a", TargetRefusedError("gone"))

    assert send(world) == {"undelivered": 1}
    assert [one.reason for one in world.row(JOB).undelivered] == ["TargetRefusedError: gone"]
    assert world.row(JOB).outbox == ()


def test_a_newer_version_that_is_taken_settles_what_was_owed() -> None:
    world = world_with("a")
    world.targets.say("a", TargetRefusedError("gone"))
    send(world)
    revise(world)

    assert send(world) == {"delivered": 1}
    assert world.row(JOB).undelivered == ()


def test_a_secret_in_an_error_stays_out_of_the_row(caplog: pytest.LogCaptureFixture) -> None:
    world = world_with("a")
    world.targets.say("a", TargetUnavailableError("GET https://a.example/x?Signature=hunter2 failed"))
    send(world)

    assert "hunter2" not in str(world.row(JOB).columns) + caplog.text


def test_a_target_that_is_set_no_more_is_waited_for() -> None:
    world = world_with("a")
    without = replace(world.services, policy=replace(world.services.policy, delivery=plan_to("b")))

    assert sending.deliver(without, [KEY]) == {"put_off": 1}
    assert "no target of this name is set" in only(world.row(JOB))


def test_what_is_wrong_with_us_is_for_a_person_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    world = world_with("a")
    world.targets.say("a", SettingError("no key"))

    assert send(world) == {"put_off": 1}
    assert "misconfigured" in "".join(r.getMessage() for r in caplog.records if r.levelname == "CRITICAL")


@pytest.mark.parametrize("error", [ValueError("a hook's own"), AWAY])
def test_a_target_that_fails_stops_no_other(error: Exception) -> None:
    world = world_with("a", "b", count=3)
    world.targets.be_away("a", error)

    assert send(world, None, "job-1", "job-2", "job-3") == {"put_off": 3, "delivered": 3}
    assert len(world.targets.events("b")) == 3


def test_a_job_that_cannot_be_read_stops_no_other() -> None:
    world = world_with("a", count=2)
    world.change("job-2", {"outbox": "not json"})

    assert send(world, None, "job-2", "nobody", "job-1") == {"error": 1, "delivered": 1}
    with pytest.raises(CorruptRowError):
        world.row("job-2")


def test_a_store_that_is_away_leaves_everything_due() -> None:
    world = world_with("a")

    assert send(world, Faults(first("update", UNAVAILABLE))) == {"error": 1}
    assert (world.row(JOB).outbox[0].attempts, world.targets.taken) == (0, [])


def test_nothing_is_begun_that_could_not_be_written_down_in_time() -> None:
    world = world_with("a")
    enough = LIMIT + RESERVE
    late = replace(world.services, deadline=START + enough - 1)

    assert sending.deliver(late, [KEY]) == {"left": 1}
    assert (world.targets.asked, world.row(JOB).outbox[0].attempts) == ([], 0)
    assert sending.deliver(replace(late, deadline=START + enough), [KEY]) == {"delivered": 1}
    assert world.targets.asked == [("a", START + LIMIT)]
