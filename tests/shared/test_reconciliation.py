"""The timer: what is due is settled and drained, and no job stands in another's way."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from shared import leasing
from shared.asking import RESERVE
from shared.errors import StoreUnavailableError, VendorRefusedError, VendorUnavailableError
from shared.job_row import JobRow
from shared.jobs import JobRef, State
from shared.policy import HOUR, MINUTE, SECOND
from shared.tables import JOBS, Value
from tests.faults import UNAVAILABLE, Fault, Faults, first
from tests.scripted_vendor import answer, callback
from tests.world import START, World, ref

COUNT = 40


def due_row(number: int, **columns: Value) -> JobRow:
    """Make the row of a job that is due, the earlier the higher its number is."""
    key = ref(f"job-{number}").key
    at = START - number
    given: dict[str, Value] = {
        "state": State.RUNNING.value,
        "token": 1,
        "wanted": 1,
        "seen_day": f"{key[0]}.2025-11-20",
        "query_at": at,
        "due_at": at,
        "due_bucket": key[0],
        **columns,
    }
    return JobRow.read(key, given)


def world_of(count: int = COUNT) -> World:
    """Begin with jobs that are all due."""
    world = World(None)
    for number in range(count):
        world.put(due_row(number))
        world.vendor.know(f"job-{number}", answer(f"job-{number}"))
    return world


def test_all_that_is_due_is_settled_and_drained() -> None:
    world = world_of()
    summary = world.run_timer()

    assert (dict(summary.outcomes), summary.drained, summary.more) == ({"settled": COUNT}, COUNT, False)
    assert world.next_due() == START + world.services.policy.confirm_after
    assert len(world.stored("records/")) == COUNT
    assert world.broken() == []


def test_the_longest_and_the_shortest_due_take_turns_over_all_buckets() -> None:
    world = world_of()
    summary = world.run_timer(limit=6)

    assert world.vendor.calls == ["job-39", "job-0", "job-38", "job-1", "job-37", "job-2"]
    assert summary.more


def test_a_job_whose_last_holder_ended_without_a_word_is_asked_about_when_no_other_is_held() -> None:
    world = world_of(2)
    world.vendor.know("job-2", answer("job-2"))
    world.put(due_row(2, holder="gone", lease_until=START - 2))
    world.run_timer()

    assert world.vendor.calls == ["job-0", "job-1", "job-2"]
    assert world.row("job-2").state is State.SUCCEEDED


@pytest.mark.parametrize(("limit", "more"), [(COUNT - 1, True), (COUNT, False)])
def test_a_run_says_whether_it_left_anything(limit: int, more: bool) -> None:
    assert world_of().run_timer(limit=limit).more is more


def test_what_is_due_later_waits() -> None:
    world = World(None)
    world.put(due_row(-1))

    assert world.run_timer().outcomes == {}
    world.clock.advance(1)
    world.run_timer()
    assert world.vendor.calls == ["job--1"]


def test_rows_that_nobody_can_read_starve_no_other() -> None:
    world = world_of()
    for number in range(1, COUNT):  # all that are due for longer than the last one
        world.change(f"job-{number}", {"effects": "not json"})
    summary = world.run_timer(limit=1)

    assert summary.outcomes == {"settled": 1, "corrupt": 1}
    assert summary.corrupt == [ref("job-39").key]


def test_a_row_that_nobody_can_read_is_named_and_then_left_alone_for_an_hour() -> None:
    world = world_of(2)
    world.change("job-1", {"effects": "not json"})

    first_run, second_run = world.run_timer(), world.run_timer()
    world.clock.advance(HOUR)

    assert (first_run.corrupt, first_run.needs_a_person) == ([ref("job-1").key], True)
    assert dict(second_run.outcomes) == {}
    assert world.run_timer().corrupt == first_run.corrupt


def test_jobs_of_a_product_that_refuses_us_starve_no_other() -> None:
    world = world_of(5)
    for number in range(5):
        world.vendor.know(f"job-{number}", VendorRefusedError("SignatureDoesNotMatch"))
    ours = JobRef("mts.production", "ours")
    world.vendor.know("ours", json.dumps({"JobId": "ours", "State": "Success", "Result": "{}"}).encode())
    row = {**due_row(0).columns, "due_bucket": ours.key[0], "due_at": START, "query_at": START}
    world.ledger.insert(JOBS, (ours.key,), row)

    summary = world.run_timer()

    assert summary.stopped_products == {"vod"}
    assert summary.outcomes == {"postponed": 3, "settled": 1}


def test_a_service_that_keeps_failing_is_left_for_the_next_run_and_its_effects_are_not() -> None:
    world = world_of()
    world.settle("job-7")  # it is due for its effect alone
    for number in range(COUNT):
        world.vendor.know(f"job-{number}", VendorUnavailableError("away"))
    world.vendor.calls.clear()
    summary = world.run_timer()

    assert (len(world.vendor.calls), summary.away, summary.more) == (5, {"vod"}, False)
    assert summary.outcomes == {"postponed": 5}
    assert not summary.needs_a_person


def test_a_run_ends_while_there_is_still_time_to_ask_and_commit() -> None:
    world = world_of(3)
    summary = world.run_timer(replace(world.services, deadline=world.clock.now() + RESERVE))

    assert (summary.more, world.vendor.calls) == (True, [])
    assert [world.row(f"job-{number}").count("failures") for number in range(3)] == [0, 0, 0]


def test_a_hint_is_only_a_hint() -> None:
    world = world_of(3)
    before_reading = Faults(first("get", Fault(before=lambda: world.settle("job-2"))))
    summary = world.run_timer(world.through(before_reading))

    assert summary.outcomes == {"settled": 2}
    assert sorted(world.vendor.calls) == ["job-0", "job-1", "job-2"]


def test_a_row_that_nobody_can_read_stops_no_other() -> None:
    world = world_of(3)
    world.change("job-1", {"effects": "not json"})
    summary = world.run_timer()

    assert summary.outcomes == {"settled": 2, "corrupt": 1}


def test_a_store_that_fails_at_one_job_stops_no_other() -> None:
    world = world_of(3)
    summary = world.run_timer(world.through(Faults(first("get", UNAVAILABLE, target="jobs"))))

    assert summary.outcomes == {"settled": 2, "error": 1}
    assert world.run_timer().outcomes == {"settled": 1}


def test_a_ledger_that_cannot_tell_what_is_due_fails_the_run() -> None:
    world = world_of(1)

    with pytest.raises(StoreUnavailableError):
        world.run_timer(world.through(Faults(first("scan", UNAVAILABLE))))


def test_a_misconfiguration_ends_the_run_of_its_service_and_effects_go_on() -> None:
    world = world_of(5)
    world.settle("job-0")  # it is due for its effect alone
    world.change("job-0", {"query_at": None})
    for number in range(1, 5):
        world.vendor.know(f"job-{number}", VendorRefusedError("your key is disabled"))
    summary = world.run_timer()

    assert (summary.outcomes, summary.stopped_products) == ({"postponed": 3}, {"vod"})
    assert summary.needs_a_person
    assert [world.row(f"job-{number}").state for number in range(1, 5)] == [State.RUNNING] * 4


def test_one_job_of_another_account_stops_no_other_and_waits_longer_every_time() -> None:
    world = world_of(100)
    world.vendor.know("job-99", VendorRefusedError("Forbidden"))
    summary = world.run_timer()
    waits = [world.row("job-99").number("query_at")]
    world.clock.advance(30 * SECOND)
    world.run_timer()
    waits.append(world.row("job-99").number("query_at"))

    assert (summary.outcomes, summary.needs_a_person) == ({"settled": 99, "postponed": 1}, True)
    assert waits == [START + 30 * SECOND, START + 90 * SECOND]


def test_a_vendor_that_is_away_for_one_job_ends_nothing() -> None:
    world = world_of(3)
    world.vendor.say("job-2", VendorUnavailableError("away"))
    summary = world.run_timer()

    assert summary.outcomes == {"postponed": 1, "settled": 2}


@pytest.mark.parametrize(("slow", "asked"), [("get", 0), ("query", 1)])
def test_nothing_more_is_begun_when_a_slow_store_or_vendor_took_the_time(slow: str, asked: int) -> None:
    world = world_of(3)
    late = Fault(before=lambda: world.clock.advance(MINUTE - 2 * SECOND))
    services = world.through(Faults(first(slow, late)))
    summary = world.run_timer(replace(services, deadline=START + MINUTE))

    assert (len(world.vendor.calls), summary.drained, summary.more) == (asked, 0, True)
    assert sum(row.text("holder") is not None for row in map(world.row, ("job-0", "job-1", "job-2"))) == 0


def test_a_run_ends_at_its_deadline_and_says_so() -> None:
    world = world_of(3)
    summary = world.run_timer(replace(world.services, deadline=START))

    assert (summary.outcomes, summary.more) == ({}, True)
    assert world.vendor.calls == []


def test_effects_alone_are_drained_without_a_query() -> None:
    world = World(None)
    world.vendor.know("job-1", answer("job-1"))
    world.deliver(callback("job-1"), world.through(Faults(first("put", UNAVAILABLE))))
    world.clock.advance(30 * SECOND)
    summary = world.run_timer()

    assert (dict(summary.outcomes), summary.drained) == ({}, 1)
    assert world.vendor.calls == ["job-1"]
    assert world.current_record("job-1") == world.version("job-1")


def test_what_a_crash_left_behind_is_settled_when_its_lease_has_lapsed() -> None:
    world = world_of(1)
    leasing.claim(world.services, world.row("job-0"))

    assert world.run_timer().outcomes == {}
    world.clock.advance(world.services.policy.lease)
    assert world.run_timer().outcomes == {"settled": 1}


def test_a_corrupt_row_that_somebody_mends_meanwhile_is_not_put_off() -> None:
    world = world_of(1)
    world.change("job-0", {"effects": "not json"})
    mend = Fault(before=lambda: world.change("job-0", {"effects": None, "due_at": START + SECOND}))
    world.run_timer(world.through(Faults(first("update", mend))))

    assert world.next_due() == START + SECOND


def test_a_corrupt_row_that_cannot_be_put_off_stays_due() -> None:
    world = world_of(1)
    world.change("job-0", {"effects": "not json"})
    summary = world.run_timer(world.through(Faults(first("update", UNAVAILABLE))))

    assert summary.outcomes == {"corrupt": 1}
    assert world.next_due() == START


def test_a_job_whose_callback_never_came_is_found_by_the_timer() -> None:
    world = World(None)
    world.vendor.know("job-1", answer("job-1"))
    world.vendor.say("job-1", answer("job-1", "processing"))
    world.deliver(callback("job-1", "processing"))
    world.run_until_quiet()

    assert world.row("job-1").state is State.SUCCEEDED
    assert world.row("job-1").count("notified") == 1
