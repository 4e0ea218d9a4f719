"""What a run gets done in its time: no product and no failing job takes another's share."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from shared.asking import RESERVE
from shared.errors import NoTimeLeftError, StoreUnavailableError, VendorUnavailableError
from shared.job_row import JobRow, with_hints
from shared.jobs import JobRef
from shared.policy import MINUTE, SECOND
from shared.tables import Key, Row, Table
from shared.vendor import ApiAnswer, ApiRequest
from tests.faults import Faults, FaultyLedger
from tests.shared.test_reconciliation import due_row, world_of
from tests.world import START, World, ref

HALF = 300


class SlowLedger(FaultyLedger):
    """A ledger of which reading a row takes a second, and where rows of some jobs cannot be read at all."""

    def __init__(self, world: World, away: set[str]) -> None:
        super().__init__(world.ledger, Faults(lambda call: None))
        self._clock = world.clock
        self._away = away

    def get(self, table: Table, key: Key) -> Row | None:
        """See `Ledger.get`."""
        self._clock.advance(SECOND)
        if key[0] in self._away:
            raise StoreUnavailableError("planned: this row cannot be read now")
        return super().get(table, key)


def bad(world: World, how: str) -> set[str]:
    """Make the older half of the jobs fail; give the keys that the ledger cannot read."""
    names = [f"job-{number}" for number in range(HALF, 2 * HALF)]
    for name in names:
        if how == "a row that nobody can read":
            world.change(name, {"effects": "not json"})
        if how == "a service that is left alone":
            world.change(name, {"region": "cn-beijing"})
        if how in ("a service that is left alone", "a job that the vendor cannot answer"):
            world.vendor.know(name, VendorUnavailableError("away"))
    return {ref(name).key for name in names} if how == "a row that cannot be read now" else set()


def settled_in_time(world: World, ledger: SlowLedger) -> int:
    """Tell how many jobs a run settles in a quarter of an hour."""
    deadline = world.clock.now() + 15 * MINUTE
    return world.run_timer(replace(world.services, ledger=ledger, deadline=deadline)).outcomes["settled"]


@pytest.mark.parametrize(
    "how",
    [
        "a row that nobody can read",
        "a row that cannot be read now",
        "a service that is left alone",
        "a job that the vendor cannot answer",
    ],
)
def test_a_prefix_of_jobs_that_do_not_go_forward_leaves_the_others_their_share(how: str) -> None:
    alone, beside = world_of(HALF), world_of(2 * HALF)
    away = bad(beside, how)

    share = settled_in_time(alone, SlowLedger(alone, set()))
    assert share < HALF
    assert settled_in_time(beside, SlowLedger(beside, away)) >= 0.85 * share


class SlowProduct:
    """A vendor of whose products VOD takes two seconds for an answer."""

    def __init__(self, world: World) -> None:
        self._world = world

    def call(self, request: ApiRequest, *, deadline: int) -> ApiAnswer:
        """See `MediaApi.call`."""
        if request.product == "vod":
            self._world.clock.advance(2 * SECOND)
        return self._world.vendor.call(request, deadline=deadline)


def mts_row(world: World, number: int) -> JobRow:
    """Make the row of a production job that is due, and have the vendor know it."""
    job = JobRef("mts.production", f"production-{number}")
    said = {"JobId": job.job_id, "State": "Success", "Result": "{}"}
    world.vendor.know(job.job_id, json.dumps(said).encode())
    columns = {name: value for name, value in due_row(number).columns.items() if name != "due_bucket"}
    due = with_hints(job.key, {}, {"query_at": START - number})
    return JobRow.read(job.key, {**columns, "seen_day": f"{job.key[0]}.2025-11-20"}).changed(due)


def test_the_backlog_of_a_slow_product_delays_no_other() -> None:
    world = world_of(300)
    for number in range(140, 160):  # due for as long as the middle of the others
        world.put(mts_row(world, number))
    services = replace(world.services, media_api=SlowProduct(world), deadline=START + MINUTE)
    world.run_timer(services)

    assert sum(call.startswith("production") for call in world.vendor.calls) == 20
    assert len(world.vendor.calls) < 60


@pytest.mark.parametrize(
    ("error", "asked"),
    [
        (NoTimeLeftError("the budget allows none", retry_after_ms=30 * SECOND), 3),
        (NoTimeLeftError("the budget allows none", retry_after_ms=MINUTE - RESERVE), 3),
        (NoTimeLeftError("the budget allows none", retry_after_ms=MINUTE - RESERVE + 1), 1),
        (NoTimeLeftError("a slow store took the time of the lease"), 3),
    ],
    ids=["soon", "just in time for a claim", "too late for any", "not the budget"],
)
def test_a_product_is_left_alone_only_as_long_as_its_budget_has_no_call_in_time(
    error: NoTimeLeftError, asked: int
) -> None:
    world = world_of(3)
    world.vendor.say("job-2", error)
    summary = world.run_timer()

    assert (len(world.vendor.calls), summary.more) == (asked, True)
    assert (summary.outcomes["postponed"], summary.outcomes["settled"]) == (1, asked - 1)


def test_a_product_without_a_call_before_the_run_ends_is_left_to_the_next_one() -> None:
    world = world_of(3)
    world.vendor.say("job-2", NoTimeLeftError("the budget allows none", retry_after_ms=30 * SECOND))
    summary = world.run_timer(replace(world.services, deadline=START + 30 * SECOND))

    assert (world.vendor.calls, summary.more) == (["job-2"], True)
    world.clock.advance(30 * SECOND)
    assert world.run_timer().outcomes == {"settled": 3}
