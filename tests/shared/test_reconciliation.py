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
from shared.policy import SECOND
from shared.ports import Page
from shared.reconciliation import due_hints
from shared.tables import JOBS, Index, Row, Table, Value
from tests.faults import UNAVAILABLE, Fault, Faults, FaultyLedger, first
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
    assert world.next_due() is None
    assert len(world.stored("records/")) == COUNT
    assert world.broken() == []


def test_the_longest_due_come_first_over_all_buckets() -> None:
    world = world_of()
    summary = world.run_timer(limit=5)

    assert world.vendor.calls == [f"job-{number}" for number in range(COUNT - 1, COUNT - 6, -1)]
    assert summary.more


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


class SmallPages(FaultyLedger):
    """A ledger that gives one row a page."""

    def scan(
        self,
        table: Table,
        index: Index,
        partition: str,
        *,
        upto: int,
        limit: int,
        after: Row | None = None,
    ) -> Page:
        """See `Ledger.scan`."""
        rows = list(super().scan(table, index, partition, upto=upto, limit=10_000).rows)
        rest = rows[rows.index(after) + 1 :] if after else rows
        return Page(rest[:1], after=rest[0] if len(rest) > 1 else None)


def test_pages_are_followed_to_their_end() -> None:
    world = world_of()
    small = replace(world.services, ledger=SmallPages(world.ledger, Faults(lambda call: None)))

    assert list(due_hints(small)) == list(due_hints(world.services))
    assert len(list(due_hints(small))) == COUNT


def test_rows_that_nobody_can_read_starve_no_other() -> None:
    world = world_of()
    for number in range(1, COUNT):  # all that are due for longer than the last one
        world.change(f"job-{number}", {"effects": "not json"})
    summary = world.run_timer(limit=1)

    assert summary.outcomes == {"settled": 1, "corrupt": COUNT - 1}


def test_jobs_of_a_product_that_refuses_us_starve_no_other() -> None:
    world = world_of(5)
    for number in range(5):
        world.vendor.know(f"job-{number}", VendorRefusedError("SignatureDoesNotMatch"))
    ours = JobRef("mts.production", "ours")
    world.vendor.know("ours", json.dumps({"JobId": "ours", "State": "Success", "Result": "{}"}).encode())
    row = {**due_row(0).columns, "due_bucket": ours.key[0], "due_at": START, "query_at": START}
    world.ledger.insert(JOBS, (ours.key,), row)

    summary = world.run_timer(limit=2)

    assert summary.stopped_products == {"vod"}
    assert summary.outcomes == {"postponed": 1, "settled": 1}


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


def test_a_misconfiguration_ends_the_run_of_its_product_and_effects_go_on() -> None:
    world = world_of(3)
    world.vendor.know("job-2", VendorRefusedError("your key is disabled"))
    world.deliver(callback("job-9"))
    summary = world.run_timer()

    assert world.vendor.calls[-1] == "job-2"
    assert (summary.outcomes, summary.stopped_products) == ({"postponed": 1}, {"vod"})
    assert [world.row(f"job-{number}").text("holder") for number in range(3)] == [None] * 3


def test_a_vendor_that_is_away_for_one_job_ends_nothing() -> None:
    world = world_of(3)
    world.vendor.say("job-2", VendorUnavailableError("away"))
    summary = world.run_timer()

    assert summary.outcomes == {"postponed": 1, "settled": 2}


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


def test_a_job_whose_callback_never_came_is_found_by_the_timer() -> None:
    world = World(None)
    world.vendor.know("job-1", answer("job-1"))
    world.vendor.say("job-1", answer("job-1", "processing"))
    world.deliver(callback("job-1", "processing"))
    world.run_until_quiet()

    assert world.row("job-1").state is State.SUCCEEDED
    assert world.row("job-1").count("notified") == 1
