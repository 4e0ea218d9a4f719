"""A mark is never lost, and costs a query only where it brings news."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.errors import ContendedError, OutcomeUnknownError, StoreUnavailableError
from shared.inbound.notifications.notification import Claim
from shared.job_row import JobRow
from shared.jobs import State
from shared.leasing import Lease
from shared.marks import Mark, Plan, contradicts, first_row, mark, mark_for_others, plan_mark
from shared.policy import SECOND
from shared.tables import JOBS, Value
from tests.faults import ANSWER_LOST, UNAVAILABLE, Fault, Faults, first
from tests.world import START, World, job_row, ref

JOB = "job-1"
LEASE = 60 * SECOND
NEWS = Mark(ref(JOB), by="mns-topic", is_notification=True)
PASSED = Claim("succeeded", "pass")
BLOCKED = Claim("succeeded", "block")
FAILED = Claim("failed")
HELD: dict[str, Value] = {"holder": "h", "lease_until": START + 1}
LAPSED: dict[str, Value] = {"holder": "h", "lease_until": START}
PASS: dict[str, Value] = {"suggestion": "pass", "digest": "d"}


def planned(row: JobRow, wish: Mark = NEWS) -> Plan:
    """Plan a mark at the start of time."""
    return plan_mark(row, wish, holder="mine", now=START, lease=LEASE)


@pytest.mark.parametrize(
    ("row", "claim", "asks", "claims"),
    [
        # An open job is asked about, whatever is claimed; by the marker itself if nobody holds it.
        (job_row(State.TRACKED, query_at=START + 5), None, True, True),
        (job_row(State.RUNNING, query_at=START + 5), PASSED, True, True),
        (job_row(State.RUNNING, query_at=START + 5, **LAPSED), PASSED, True, True),
        (job_row(State.RUNNING, query_at=START, **HELD), PASSED, True, False),
        (job_row(State.RUNNING, query_at=START, **HELD), None, True, False),
        # So is one that was given up, and one that was set aside is not.
        (job_row(State.UNKNOWN), None, True, True),
        (job_row(State.QUARANTINED), FAILED, False, False),
        # A settled one is asked about only where it is contradicted, and not twice for the same.
        (job_row(State.SUCCEEDED, **PASS), None, False, False),
        (job_row(State.SUCCEEDED, **PASS), PASSED, False, False),
        (job_row(State.SUCCEEDED, **PASS), Claim("succeeded"), False, False),
        (job_row(State.SUCCEEDED), BLOCKED, False, False),
        (job_row(State.SUCCEEDED, **PASS), BLOCKED, True, True),
        (job_row(State.SUCCEEDED, **PASS), FAILED, True, True),
        (job_row(State.SUCCEEDED, **PASS, **HELD), FAILED, True, False),
        (job_row(State.SUCCEEDED, **PASS, checked_claim=FAILED.text), FAILED, False, False),
        (job_row(State.SUCCEEDED, **PASS, checked_claim=FAILED.text), BLOCKED, True, True),
        (job_row(State.FAILED), FAILED, False, False),
        (job_row(State.FAILED), PASSED, True, True),
    ],
)
def test_a_mark_asks_where_it_brings_news_and_claims_where_it_may(
    row: JobRow, claim: Claim | None, asks: bool, claims: bool
) -> None:
    plan = planned(row, replace(NEWS, claim=claim))

    assert plan.change["wanted"] == row.count("wanted") + 1
    assert plan.change["notified"] == row.count("notified") + 1
    assert plan.change.get("query_at") == (START if asks else None)
    assert ("holder" in plan.change) == plan.is_open == claims
    assert plan.change.get("claimed") == (claim.text if claim and asks else None)


def test_a_mark_by_a_person_is_no_notification() -> None:
    plan = planned(job_row(State.RUNNING), replace(NEWS, is_notification=False))

    assert plan.change["wanted"] == 2
    assert "notified" not in plan.change


def test_a_claim_that_is_not_terminal_leaves_the_one_before() -> None:
    row = job_row(State.RUNNING, claimed=FAILED.text)

    assert "claimed" not in planned(row).change


def test_an_unknown_job_is_tracked_again_with_its_grace_period_before_it() -> None:
    row = job_row(State.UNKNOWN, not_found_since=START - 1, failures=9, reason="not found")
    after = row.changed(planned(row).change)

    assert after.state is State.TRACKED
    assert not {"not_found_since", "failures", "reason"} & set(after.columns)


@pytest.mark.parametrize("lease", [{}, HELD])
def test_with_a_mark_every_wait_begins_anew(lease: dict[str, Value]) -> None:
    row = job_row(State.RUNNING, polls=9, failures=9, not_found_since=1, **lease)
    after = row.changed(planned(row).change)

    assert not {"polls", "failures", "not_found_since"} & set(after.columns)


def test_what_the_query_needs_is_kept_from_whom_told_it_first() -> None:
    row = job_row(State.RUNNING, region="cn-shanghai")
    after = row.changed(planned(row, replace(NEWS, region="cn-beijing", user_id="42")).change)

    assert (after.text("region"), after.text("user_id")) == ("cn-shanghai", "42")


@pytest.mark.parametrize(
    ("change", "row"),
    [
        ({"wanted": 2}, job_row(State.SUCCEEDED, **PASS)),
        ({"state": "failed"}, job_row(State.RUNNING)),
        ({"digest": "e"}, job_row(State.SUCCEEDED, **PASS)),
        ({"checked_claim": "failed"}, job_row(State.SUCCEEDED, **PASS)),
        ({"notified": 1}, job_row(State.SUCCEEDED, **PASS)),
        ({"lost_callback": 1}, job_row(State.SUCCEEDED, **PASS)),
        ({"token": 8}, job_row(State.RUNNING)),
        ({"holder": "x", "lease_until": START + 1}, job_row(State.RUNNING)),
        ({"holder": None, "lease_until": None}, job_row(State.RUNNING, **LAPSED)),
        ({"holder": None, "lease_until": None}, job_row(State.RUNNING, **HELD)),
        ({"lease_until": START + 7}, job_row(State.RUNNING, **HELD)),
    ],
)
def test_a_plan_does_not_outlive_what_it_rests_on(change: dict[str, Value | None], row: JobRow) -> None:
    world, plan = World(None), planned(row)
    world.put(row)
    world.change(JOB, change)

    assert not world.ledger.update(JOBS, (row.key,), plan.change, plan.when)


def test_under_a_lease_a_mark_rests_on_nothing_else_that_is_due() -> None:
    world, row = World(None), job_row(State.RUNNING, **HELD)
    world.put(row)
    world.change(JOB, {"effects_at": START - 7, "deliver_at": START - 7})
    plan = planned(row)

    assert world.ledger.update(JOBS, (row.key,), plan.change, plan.when)
    assert world.row(JOB).number("due_at") == world.row(JOB).number("lease_until")


def test_nothing_contradicts_by_saying_nothing() -> None:
    assert not contradicts(job_row(State.SUCCEEDED, **PASS), None)


def test_the_first_row_is_marked_claimed_and_dated() -> None:
    wish = replace(NEWS, claim=PASSED, region="cn-shanghai")
    row = JobRow.read(wish.ref.key, first_row(wish, "mine", now=START, lease=LEASE))

    assert row.state is State.TRACKED
    assert [row.count(name) for name in ("token", "wanted", "notified")] == [1, 1, 1]
    assert (row.text("holder"), row.number("due_at")) == ("mine", START + LEASE)
    assert (row.number("query_at"), row.text("claimed")) == (START, PASSED.text)
    assert row.text("seen_day") == f"{row.key[0]}.2025-11-20"
    assert (row.number("first_seen_at"), row.text("first_seen_by")) == (START, "mns-topic")
    assert "user_id" not in row.columns


def test_without_a_holder_the_first_row_is_marked_and_due_at_once() -> None:
    row = JobRow.read(NEWS.ref.key, first_row(NEWS, None, now=START, lease=LEASE))

    assert [row.count(name) for name in ("token", "wanted", "notified")] == [0, 1, 1]
    assert (row.text("holder"), row.number("due_at")) == (None, START)


@pytest.mark.parametrize(
    ("row", "is_open", "due_at"),
    [
        (job_row(State.TRACKED, query_at=START + 5), True, START),
        (job_row(State.RUNNING, query_at=START + 5, **LAPSED), True, START),
        (job_row(State.RUNNING, query_at=START, **HELD), False, START + 1),
        (job_row(State.UNKNOWN), True, START),
        (job_row(State.SUCCEEDED, **PASS), False, None),
        (job_row(State.QUARANTINED), False, None),
    ],
)
def test_a_mark_for_others_claims_nothing_and_says_whether_there_is_anything_to_settle(
    row: JobRow, is_open: bool, due_at: int | None
) -> None:
    world = World(None)
    world.put(row)

    assert mark_for_others(world.services, NEWS) is is_open
    after = world.row(JOB)
    assert [after.columns.get(name) for name in ("holder", "token", "wanted")] == [row.text("holder"), 7, 2]
    assert after.number("due_at") == due_at
    assert world.broken() == []


@pytest.mark.parametrize(
    "change",
    [{"token": 8}, {"effects_at": START}, {"deliver_at": START}, {"holder": "x", "lease_until": START + 1}],
)
def test_a_mark_for_others_does_not_outlive_what_is_due_when(change: dict[str, Value | None]) -> None:
    world, row = World(None), job_row(State.RUNNING, query_at=START + 5)
    plan = plan_mark(row, NEWS, holder=None, now=START, lease=LEASE)
    world.put(row)
    world.change(JOB, change)

    assert not world.ledger.update(JOBS, (row.key,), plan.change, plan.when)


def test_a_claim_that_comes_first_makes_a_mark_for_others_look_again() -> None:
    world = World(None)
    world.put(job_row(State.RUNNING, query_at=START))
    faults = Faults(first("update", Fault(before=lambda: mark(world.services, NEWS))))

    assert not mark_for_others(world.through(faults), NEWS)
    assert (world.row(JOB).count("wanted"), world.row(JOB).count("token")) == (3, 8)


def test_a_mark_for_others_that_got_no_answer_is_made_again() -> None:
    world = World(None)
    for method in ("insert", "update"):
        with pytest.raises(OutcomeUnknownError):
            mark_for_others(world.through(Faults(first(method, ANSWER_LOST))), NEWS)

    assert world.row(JOB).count("wanted") == 2


# Marking, over a ledger.


def marked(world: World, faults: Faults | None = None) -> Lease | None:
    """Mark the job."""
    return mark(world.through(faults or Faults(lambda call: None)), NEWS)


def test_an_unseen_job_is_marked_and_claimed_in_one_write() -> None:
    world, seen = World(None), Faults(lambda call: None)
    lease = marked(world, seen)

    assert lease is not None
    assert lease.row == world.row(JOB)
    assert [call.method for call in seen.calls] == ["get", "insert"]


def test_a_known_job_is_marked_and_claimed_in_one_write() -> None:
    world, seen = World(None), Faults(lambda call: None)
    world.put(job_row(State.RUNNING, query_at=START))
    lease = marked(world, seen)

    assert lease is not None
    assert lease.row == world.row(JOB)
    assert [call.method for call in seen.calls] == ["get", "update"]


def test_the_second_of_two_marks_is_left_to_the_holder() -> None:
    world = World(None)

    assert marked(world) is not None
    assert marked(world) is None
    assert world.row(JOB).count("wanted") == 2


@pytest.mark.parametrize("method", ["insert", "update"])
def test_a_mark_that_lost_a_race_is_decided_anew(method: str) -> None:
    world = World(None)
    if method == "update":
        world.put(job_row(State.RUNNING, query_at=START))
    ahead = Faults(first(method, Fault(before=lambda: marked(world))))

    assert marked(world, ahead) is None
    assert world.row(JOB).count("notified") == 2


@pytest.mark.parametrize("method", ["insert", "update"])
def test_a_mark_whose_answer_was_lost_is_counted_once_and_holds_its_lease(method: str) -> None:
    world = World(None)
    if method == "update":
        world.put(job_row(State.RUNNING, query_at=START))
    lease = marked(world, Faults(first(method, ANSWER_LOST)))

    assert lease is not None
    assert lease.row == world.row(JOB)
    assert world.row(JOB).count("notified") == 1


def test_a_first_sight_that_somebody_else_won_meanwhile_is_not_taken_for_ones_own() -> None:
    world = World(None)
    theirs = Fault(before=lambda: marked(world), after=ANSWER_LOST.after)

    assert marked(world, Faults(first("insert", theirs))) is None
    assert world.row(JOB).count("notified") == 2
    assert world.row(JOB).count("token") == 1


def test_a_mark_that_loses_every_race_is_given_back_to_its_sender() -> None:
    world = World(None)
    world.put(job_row(State.SUCCEEDED, **PASS))
    ahead = Fault(before=lambda: marked(world))
    busy = Faults(lambda call: ahead if call.method == "update" else None)

    with pytest.raises(ContendedError, match=ref(JOB).key):
        marked(world, busy)


def test_a_first_sight_that_nobody_can_find_again_is_given_back_to_its_sender() -> None:
    world = World(None)

    def vanish() -> None:
        raise OutcomeUnknownError("planned: nothing was written, and nobody can tell")

    with pytest.raises(OutcomeUnknownError):
        marked(world, Faults(first("insert", Fault(before=vanish))))


def test_a_ledger_that_is_away_is_told_to_the_sender() -> None:
    with pytest.raises(StoreUnavailableError):
        marked(World(None), Faults(first("get", UNAVAILABLE)))
