"""The timer's function: one run at a time, within its budget, alone or in shards."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from functions.reconcile.handler import handle, handler
from shared import leasing, runs
from shared.errors import ParseError, VendorRefusedError
from shared.jobs import State
from shared.leasing import LedgerRows
from shared.policy import DAY, HOUR, MINUTE, SECOND
from shared.ports import Done, Services
from shared.tables import LEASES
from shared.toolkit import fake_context, leases
from tests.faults import UNAVAILABLE, Fault, Faults, first
from tests.scripted_vendor import NOT_FOUND, answer, callback
from tests.shared.test_reconciliation import due_row, world_of
from tests.world import START, World

T = TypeVar("T")

FOLDER = Path(__file__).parents[2] / "events" / "reconcile"
TICK = (FOLDER / "timer.json").read_bytes()
COUNT = 40


def in_time(world: World, **changes: Any) -> Services:
    """Give services as an invocation has them: with two minutes."""
    return replace(world.services, deadline=world.clock.now() + 2 * MINUTE, **changes)


def tick(world: World, **changes: Any) -> dict[str, Any]:
    """Let the timer go off."""
    return handle(TICK, in_time(world, **changes))


def hold(world: World, until: int) -> leases.Lease:
    """Take the run lease as another run does."""
    lease = leases.claim(
        LedgerRows(world.ledger, LEASES), runs.NAME, None, holder="other", now=START, until=until
    )
    assert lease is not None
    return lease


def test_the_timer_settles_and_drains_what_is_due() -> None:
    world = world_of(3)
    summary = tick(world)

    assert (summary["outcomes"], summary["drained"], summary["more"]) == ({"settled": 3}, 3, False)
    assert world.broken() == []


def test_a_second_run_asks_nobody_and_writes_nothing() -> None:
    world = world_of(3)
    tick(world)
    asked, written = list(world.vendor.calls), len(world.ledger.writes)
    noted = Faults(lambda call: None)
    through = world.through(noted)
    again = handle(TICK, replace(through, deadline=world.clock.now() + MINUTE))

    assert again["outcomes"] == {}
    assert (world.vendor.calls, len(world.ledger.writes)) == (asked, written)
    assert {call.method for call in noted.calls} == {"scan"}


def test_a_run_calls_no_faster_than_its_part_of_the_budget() -> None:
    world = world_of(COUNT)
    rate = world.services.policy.calls_per_second["vod"] * 0.4
    tick(world)

    assert len(world.vendor.calls) == COUNT
    assert world.clock.now() - START >= COUNT / rate * SECOND


def test_a_job_that_the_budget_leaves_no_call_for_is_put_off_without_a_failure() -> None:
    world = world_of(3)
    policy = replace(world.services.policy, calls_per_second={"vod": 0.001})
    summary = tick(world, policy=policy)

    # The others are not even claimed.
    assert (summary["outcomes"], world.vendor.calls, summary["more"]) == ({"postponed": 1}, [], True)
    put_off = world.row("job-2")
    assert (put_off.count("failures"), put_off.number("query_at")) == (0, START)


def test_a_run_beside_another_does_nothing_and_says_until_when() -> None:
    world = world_of(3)
    hold(world, START + MINUTE)

    assert tick(world) == {"reason": "another run holds the lease until 2025-11-20T12:01:00+00:00"}
    assert world.vendor.calls == []
    world.clock.advance(MINUTE)
    assert tick(world)["outcomes"] == {"settled": 3}


def test_a_run_lease_that_a_clock_far_ahead_wrote_stops_no_run() -> None:
    world = world_of(3)
    hold(world, START + 10 * DAY)

    assert tick(world)["outcomes"] == {"settled": 3}


def test_a_run_that_loses_the_race_for_the_lease_does_nothing() -> None:
    world = world_of(1)
    taken = Faults(first("insert", Fault(before=lambda: hold(world, START + MINUTE)), target="leases"))
    answered = handle(TICK, replace(world.through(taken), deadline=START + MINUTE))

    assert "another run" in str(answered["reason"])
    assert world.vendor.calls == []


@pytest.mark.parametrize("faults", [first("get", UNAVAILABLE, target="jobs"), lambda call: None])
def test_the_lease_ends_with_the_run(faults: Callable[..., Fault | None]) -> None:
    world = world_of(1)
    handle(TICK, replace(world.through(Faults(faults)), deadline=START + MINUTE))

    row = LedgerRows(world.ledger, LEASES).get(runs.NAME)
    assert row is not None
    assert {"holder", "lease_until"} & row.keys() == set()


class NoThreads:
    """A pool on an instance that has no thread left."""

    def run(self, tasks: Sequence[Callable[[], T]]) -> list[Done[T]]:
        """See `Parallel.run`."""
        raise RuntimeError("can't start new thread")


def test_a_run_that_fails_gives_the_lease_back() -> None:
    world = world_of(3)

    with pytest.raises(RuntimeError):
        tick(world, parallel=NoThreads())
    assert tick(world)["outcomes"] == {"settled": 3}


def test_a_lease_that_cannot_be_given_back_lapses() -> None:
    world = world_of(1)
    away = Faults(first("update", UNAVAILABLE, target="leases"))
    summary = handle(TICK, replace(world.through(away), deadline=START + MINUTE))

    assert summary["outcomes"] == {"settled": 1}
    world.put(due_row(2))
    world.vendor.know("job-2", answer("job-2"))
    world.clock.advance(MINUTE)
    assert "reason" in tick(world)
    world.clock.advance(6 * SECOND)
    assert tick(world)["outcomes"] == {"settled": 1}


def test_a_run_that_is_killed_blocks_the_next_one_until_it_must_have_ended() -> None:
    world = world_of(1)
    services = in_time(world)
    hold(world, services.deadline + 5 * SECOND)
    world.clock.advance(2 * MINUTE + 5 * SECOND)

    assert tick(world)["outcomes"] == {"settled": 1}


def test_named_jobs_are_settled_now_and_no_other() -> None:
    world = world_of(3)
    keys = [due_row(number).key for number in (0, 2)]
    summary = handle(json.dumps({"jobs": [*keys, "aa.vod.media_audit.nobody"]}).encode(), in_time(world))

    assert summary["outcomes"] == {"settled": 2}
    assert sorted(world.vendor.calls) == ["job-0", "job-2"]


def test_named_jobs_that_there_is_no_time_for_stay_due() -> None:
    world = world_of(1)
    services = replace(world.services, deadline=START)
    summary = handle(json.dumps({"jobs": [due_row(0).key]}).encode(), services)

    assert (summary["more"], world.vendor.calls) == (True, [])
    assert tick(world)["outcomes"] == {"settled": 1}


def test_named_jobs_do_not_wait_for_a_run() -> None:
    world = world_of(1)
    hold(world, START + MINUTE)

    assert handle(json.dumps({"jobs": [due_row(0).key]}).encode(), in_time(world))["outcomes"] == {
        "settled": 1
    }


@pytest.mark.parametrize(
    ("count", "state"),
    [(10, State.TRACKED), (9, State.UNKNOWN)],
    ids=["ours is the fault", "theirs is the fault"],
)
def test_jobs_that_have_been_missing_for_a_day_are_given_up_unless_they_are_many(
    count: int, state: State
) -> None:
    world = World(None)
    for number in range(count):
        world.vendor.know(f"job-{number}", NOT_FOUND)
        world.deliver(callback(f"job-{number}"))
    misconfigured = []
    while world.clock.now() < START + 27 * HOUR:
        misconfigured += tick(world)["misconfigured"]
        world.clock.advance(30 * MINUTE)

    assert {world.row(f"job-{number}").state for number in range(count)} == {state}
    assert bool(misconfigured) is (state is State.TRACKED)
    assert world.broken() == []


def test_a_refused_key_ends_the_run_of_its_product_and_is_said() -> None:
    world = world_of(3)
    for number in range(3):
        world.vendor.know(f"job-{number}", VendorRefusedError("your key is disabled"))

    assert tick(world)["stopped_products"] == ["vod"]


def test_a_lease_that_is_taken_over_is_left_to_its_new_holder() -> None:
    world = world_of(1)
    claimed = leasing.claim(world.services, world.row("job-0"))

    assert claimed is not None
    assert tick(world)["outcomes"] == {}


@pytest.mark.parametrize(
    "event",
    [
        b"not json",
        b"[]",
        b"{}",
        b'{"jobs": "one"}',
        b'{"jobs": [1]}',
        b'{"shard": {"run": 1, "number": 0, "of": 4, "until": 1}}',
        b'{"shard": {"run": "a", "number": "0", "of": 4, "until": 1}}',
        b'{"shard": {"run": "a", "number": 4, "of": 4, "until": 1}}',
        b'{"shard": {"run": "a", "number": 4, "of": 17, "until": 1}}',
    ],
)
def test_an_event_that_says_nothing_of_the_kind_is_refused(event: bytes) -> None:
    with pytest.raises(ParseError):
        handle(event, World(None).services)


@pytest.mark.parametrize("sample", sorted(FOLDER.iterdir()), ids=lambda path: path.stem)
def test_every_sample_is_understood_by_the_entry_point(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_OBJECTS", f"file://{tmp_path}/archive")
    monkeypatch.setenv("LEDGER_TABLES", f"sqlite://{tmp_path}/ledger.db")
    answered: Any = handler(sample.read_bytes(), fake_context())

    assert answered.keys() & {"outcomes", "reason", "rechecked"}
