"""The function that tells the next system, and who invokes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from functions.callback import handler as callback_function
from functions.deliver.handler import handle, handler
from functions.reconcile import handler as reconcile
from shared.adapters.clocks import ManualClock
from shared.errors import (
    MisconfiguredError,
    OutcomeUnknownError,
    ParseError,
    SettingError,
    StoreUnavailableError,
)
from shared.handing_over import HandOver
from shared.job_row import read_job
from shared.jobs import JobRef
from shared.policy import HOUR, MINUTE, SECOND
from shared.ports import Services
from shared.toolkit import BatchFailedError, fake_context
from tests.faults import Fault, Faults, first
from tests.functions.test_reconcile import TICK
from tests.scripted_vendor import answer, callback
from tests.shared.test_sending import AWAY, JOB, KEY, world_with
from tests.world import KIND, START, World, ref

EVENTS = Path(__file__).parents[2] / "events"


def in_time(services: Services, ms: int = MINUTE) -> Services:
    """Give services as an invocation has them."""
    return replace(services, deadline=services.clock.now() + ms)


def call_back(world: World, services: Services | None = None) -> None:
    """Let a batch bring the callbacks of two jobs, each twice."""
    elements = []
    for number, job in enumerate((JOB, "job-2", JOB, "job-2")):
        world.vendor.know(job, answer(job))
        data = {"messageId": f"m-{number}", "messageBody": callback(job).body.decode()}
        elements.append(
            {"specversion": "1.0", "type": "mns:Queue:SendMessage", "id": f"m-{number}", "data": data}
        )
    callback_function.handle(json.dumps(elements).encode(), in_time(services or world.services))


def test_a_batch_of_callbacks_is_followed_by_one_invocation_that_tells_of_all_its_jobs() -> None:
    world = world_with("a", count=0)
    call_back(world)

    assert world.deliver_due() == 1
    assert len(world.targets.events("a")) == 2
    assert world.broken() == []


def test_without_a_plan_nothing_is_invoked_and_nothing_is_written_of_it() -> None:
    world, seen = World(None), Faults(lambda call: None)
    call_back(world, world.through(seen))

    assert "invoke" not in {call.method for call in seen.calls}
    assert not {"outbox", "deliver_at", "undelivered", "version_at"} & set(world.row(JOB).columns)


@pytest.mark.parametrize(
    "error",
    [
        SettingError("no right to invoke"),
        StoreUnavailableError("away"),
        OutcomeUnknownError("?"),
        ValueError(),
    ],
)
def test_what_cannot_be_handed_over_fails_no_callback_and_is_the_timers(error: Exception) -> None:
    world = world_with("a", count=0)

    def fail() -> None:
        raise error

    call_back(world, world.through(Faults(first("invoke", Fault(before=fail)))))
    assert world.deliver_due() == 0
    reconcile.handle(TICK, in_time(world.services))

    assert world.deliver_due() == 1
    assert len(world.targets.events("a")) == 2


def test_a_callback_that_has_no_time_left_hands_nothing_over() -> None:
    world = world_with("a", count=0)
    slow = Faults(first("query", Fault(after=lambda: world.clock.advance(56 * SECOND))))
    with pytest.raises(BatchFailedError):  # the others are to come again
        call_back(world, world.through(slow))

    assert world.row(JOB).outbox
    assert world.deliver_due() == 0


def test_the_timer_hands_over_what_is_due_again_and_nothing_else() -> None:
    world = world_with("a", count=2)
    world.targets.say("a", AWAY)
    handle(json.dumps({"jobs": [KEY, JobRef(KIND, "job-2").key]}).encode(), in_time(world.services))
    seen = Faults(lambda call: None)
    reconcile.handle(TICK, in_time(world.through(seen)))
    assert "invoke" not in {call.method for call in seen.calls}

    world.clock.advance(10 * SECOND)
    reconcile.handle(TICK, in_time(world.through(seen)))
    reconcile.handle(TICK, in_time(world.through(seen)))
    assert [call.method for call in seen.calls].count("invoke") == 2
    assert world.deliver_due() == 2
    assert len(world.targets.events("a")) == 2


def test_a_version_that_waits_for_an_older_one_is_not_handed_over() -> None:
    world = world_with("a", count=0)
    world.targets.be_away("a", AWAY)
    call_back(world)
    world.deliver_due()
    world.clock.advance(world.services.policy.confirm_after)
    world.deliver_due()
    for job in (JOB, "job-2"):
        handle(HandOver((ref(job).key,)).payload, in_time(world.services))
        world.vendor.know(job, answer(job, suggestion="block"))
    reconcile.handle(TICK, in_time(world.services))

    assert [entry.version for entry in world.row(JOB).outbox] == [1, 2]
    assert world.deliver_due() == 0


def test_much_that_is_due_is_handed_over_in_pieces() -> None:
    world = world_with("a", count=250)
    payloads: list[bytes] = []

    def resolve(name: str) -> Callable[[bytes], object]:
        assert name == "deliver"
        return payloads.append

    invoker = type(world.invoker)(resolve)
    reconcile.handle(TICK, in_time(replace(world.services, invoker=invoker)))
    invoker.run_accepted()

    told = [key for payload in payloads for key in json.loads(payload)["jobs"]]
    assert len(told) == len(set(told)) == 250
    assert max(map(len, payloads)) < 128 * 1024


def test_a_job_that_is_only_told_of_costs_no_query_and_no_effect() -> None:
    world = world_with("a")
    world.run_timer()
    asked, row = len(world.vendor.calls), world.row(JOB)
    handle(json.dumps({"jobs": [KEY]}).encode(), in_time(world.services))

    assert len(world.vendor.calls) == asked
    assert world.row(JOB).effects == row.effects
    assert world.row(JOB).count("token") == row.count("token")


@pytest.mark.parametrize("off", [-2 * HOUR, 2 * HOUR])
def test_an_instance_whose_clock_is_wrong_sends_nothing_and_puts_nothing_off(off: int) -> None:
    world = world_with("a")
    before = world.row(JOB)
    elsewhere = replace(world.services, clock=ManualClock(START + off))

    with pytest.raises(MisconfiguredError, match="clocks"):
        handle(HandOver((KEY,), at=START).payload, elsewhere)
    assert (world.targets.asked, world.row(JOB)) == ([], before)


@pytest.mark.parametrize(
    "event",
    [b"not json", b"[]", b"{}", b'{"jobs": "one"}', b'{"jobs": [1]}', b'{"jobs": ["a"], "at": "now"}'],
)
def test_an_event_that_names_no_jobs_is_refused(event: bytes) -> None:
    with pytest.raises(ParseError):
        handle(event, World(None).services)


def test_the_sample_is_understood_by_the_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_OBJECTS", f"file://{tmp_path}/archive")
    monkeypatch.setenv("LEDGER_TABLES", f"sqlite://{tmp_path}/ledger.db")

    assert handler((EVENTS / "deliver" / "jobs.json").read_bytes(), fake_context(timeout_s=60)) == {}


def test_the_jobs_of_the_sample_have_keys_of_jobs() -> None:
    keys = json.loads((EVENTS / "deliver" / "jobs.json").read_bytes())["jobs"]

    assert [JobRef.from_key(key).key for key in keys] == keys
    assert read_job(World(None).ledger, keys[0]) is None
