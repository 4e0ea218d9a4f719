"""`functions/archive`: what it is told to do, and what it answers."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from functions.archive.handler import handle, handler
from functions.callback.handler import handle as call_back
from functions.reconcile.handler import handle as reconcile
from localcloud.template import read_template
from shared.adapters.clocks import ManualClock
from shared.errors import MisconfiguredError, ParseError
from shared.evidence import MAX_URL
from shared.handing_over import HandOver
from shared.policy import HOUR, MINUTE, SECOND
from shared.ports import Services
from shared.toolkit import fake_context
from tests.due_job import due_world
from tests.faults import Faults
from tests.functions.test_reconcile import TICK
from tests.measured import measured
from tests.scripted_vendor import answer, callback
from tests.shared.test_archival import JOB, KEY, ONE, TWO, effects, statuses, world_with
from tests.world import KIND, START, World

ROOT = Path(__file__).parents[2]
EVENTS = ROOT / "events" / "archive"


def in_time(services: Services) -> Services:
    return replace(services, deadline=services.clock.now() + 2 * MINUTE)


def test_a_callback_has_the_pictures_of_its_job_kept_before_any_timer() -> None:
    world = World(None)
    world.pictures.have(ONE)
    world.vendor.know(JOB, answer(JOB, pictures=[ONE]))
    call_back(callback(JOB).body, in_time(world.services))

    assert world.deliver_due() == 1
    assert (statuses(world), world.clock.now()) == (["kept"], START)


def test_a_job_without_pictures_is_not_handed_over_and_has_no_effect() -> None:
    world = World(None)
    world.vendor.know(JOB, answer(JOB))
    call_back(callback(JOB).body, in_time(world.services))

    assert (world.deliver_due(), effects(world)) == (0, ["record"])


def test_a_settled_callback_with_pictures_takes_five_calls_in_sequence() -> None:
    """Raw answer, version and evidence rows are stored beside each other: as many steps as without them."""
    world = World(None)
    world.vendor.know(JOB, answer(JOB, pictures=[ONE, TWO]))
    faults = Faults(lambda call: None)
    call_back(callback(JOB).body, in_time(world.through(faults)))

    assert [(call.method, call.target.partition("/")[0]) for call in faults.calls] == [
        ("get", "jobs"),
        ("insert", "jobs"),
        ("insert", "inbox"),  # beside the query
        ("query", "query"),
        ("put_new", "raw"),
        ("put_new", "versions"),  # beside the raw answer
        ("insert_many", "evidence"),  # beside both
        ("update", "jobs"),
        ("invoke", "archive"),
    ]


def test_a_job_that_the_timer_settles_is_handed_over_too() -> None:
    world = due_world(answer(JOB, pictures=[ONE]))
    world.pictures.have(ONE)
    reconcile(TICK, in_time(world.services))

    assert world.deliver_due() == 1
    assert statuses(world) == ["kept"]


def test_what_an_invocation_dropped_is_handed_over_again_by_the_timer() -> None:
    world = world_with(ONE)
    assert world.deliver_due() == 0  # nobody was told
    world.clock.advance(world.services.policy.evidence_settled)
    reconcile(TICK, in_time(world.services))

    assert world.deliver_due() == 1
    assert statuses(world) == ["kept"]


def test_reconcile_tells_what_may_get_lost_while_archive_stands_still(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    world = world_with(ONE, TWO)
    for _ in range(7 * 24):
        reconcile(TICK, in_time(world.services))
        world.clock.advance(HOUR)
    world.clock.advance(HOUR)
    early = measured(caplog, "evidence_at_risk")
    reconcile(TICK, in_time(world.services))

    assert (early, measured(caplog, "evidence_at_risk")) == ({}, {(KIND,): 2})
    assert statuses(world) == ["pending", "pending"]
    assert (world.row(JOB).text("attention"), world.row(JOB).count("at_risk")) == ("evidence", 2)
    world.pictures.have(ONE, TWO)
    world.run_until_quiet()
    assert not {"attention", "at_risk"} & set(world.row(JOB).columns)
    assert world.broken() == []


def test_a_picture_whose_address_no_row_can_hold_is_told_to_be_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    world = world_with(ONE, f"{TWO}{'x' * MAX_URL}")
    world.run_until_quiet()

    assert measured(caplog, "evidence_lost") == {(KIND,): 1}
    assert statuses(world) == ["kept", "lost"]


def test_jobs_are_told_how_many_attempts_ended_how() -> None:
    world = world_with(ONE, TWO, there=(ONE,))

    assert handle(HandOver((KEY,)).payload, in_time(world.services)) == {"kept": 1, "put_off": 1}
    assert handle((EVENTS / "timer.json").read_bytes(), in_time(world.services)) == {}
    world.clock.advance(HOUR)
    assert handle((EVENTS / "timer.json").read_bytes(), in_time(world.services)) == {"put_off": 1}


@pytest.mark.parametrize("off", [-2 * HOUR, 2 * HOUR])
def test_an_instance_whose_clock_is_wrong_gives_nothing_up(off: int) -> None:
    world = world_with(ONE)
    elsewhere = replace(world.services, clock=ManualClock(START + off))

    with pytest.raises(MisconfiguredError, match="clocks"):
        handle(HandOver((KEY,), at=START).payload, elsewhere)
    assert (world.pictures.asked, statuses(world)) == ([], ["pending"])


@pytest.mark.parametrize("event", [b"not json", b"[]", b"{}", b'{"jobs": "one"}'])
def test_an_event_that_says_nothing_to_do_is_refused(event: bytes) -> None:
    with pytest.raises(ParseError):
        handle(event, World(None).services)


@pytest.mark.parametrize("sample", ["jobs.json", "timer.json"])
def test_a_sample_is_understood_by_the_entry_point(
    sample: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_OBJECTS", f"file://{tmp_path}/archive")
    monkeypatch.setenv("LEDGER_TABLES", f"sqlite://{tmp_path}/ledger.db")

    assert handler((EVENTS / sample).read_bytes(), fake_context(timeout_s=60)) == {}


def test_whoever_fetches_has_ended_when_another_may_try() -> None:
    timeout = read_template(ROOT / "template.yml").functions["archive"].timeout

    assert timeout * SECOND < World(None).services.policy.evidence_claim
