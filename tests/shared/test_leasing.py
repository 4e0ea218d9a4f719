"""Claim, commit, release: the fence between holders."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared import leasing
from shared.errors import ContendedError, OutcomeUnknownError, StoreUnavailableError
from shared.job_row import Effect, JobRow, effect_columns
from shared.jobs import State
from shared.leasing import Lease
from shared.marks import Mark, mark
from shared.policy import DAY, SECOND
from shared.ports import Change
from shared.tables import Value
from tests.faults import ANSWER_LOST, UNAVAILABLE, Fault, Faults, at, first
from tests.world import START, World, job_row, ref

JOB = "job-1"
LEASE = 60 * SECOND
SOMEBODY = Mark(ref(JOB), by="cli", is_notification=False)


def _time_out() -> None:
    raise OutcomeUnknownError("planned: nothing was written, and nobody can tell")


TIMED_OUT = Fault(before=_time_out)


def world_with(**columns: Value) -> World:
    """Begin with a running job that is due."""
    world = World(None)
    world.put(job_row(State.RUNNING, **{"query_at": START, **columns}))
    return world


def claimed(world: World) -> Lease:
    """Claim the job as it is."""
    lease = leasing.claim(world.services, world.row(JOB))
    assert lease is not None
    return lease


def rest(row: JobRow) -> tuple[Change, str]:
    """Decide to ask no more."""
    return {"query_at": None, "polls": row.count("wanted")}, "rested"


def test_a_claim_takes_the_next_token_and_is_due_when_it_lapses() -> None:
    world = world_with()
    lease = claimed(world)

    assert lease.row == world.row(JOB)
    assert (lease.token, lease.until) == (8, START + LEASE)
    assert lease.row.number("due_at") == START + LEASE
    assert lease.row.text("holder") == lease.holder


def test_of_two_claims_on_one_reading_one_wins() -> None:
    world = world_with()
    row = world.row(JOB)

    assert leasing.claim(world.services, row) is not None
    assert leasing.claim(world.services, row) is None


def test_a_held_lease_is_not_claimed_before_its_end() -> None:
    world = world_with()
    claimed(world)

    world.clock.advance(LEASE - 1)
    assert leasing.claim(world.services, world.row(JOB)) is None
    world.clock.advance(1)
    assert leasing.claim(world.services, world.row(JOB)) is not None


def test_a_lease_that_a_clock_far_ahead_wrote_keeps_nobody_out() -> None:
    world = world_with(holder="ahead", lease_until=START + 10 * DAY)

    assert not world.row(JOB).is_leased(START)
    assert claimed(world).row.number("lease_until") == START + LEASE


def test_only_a_holder_who_let_the_lease_lapse_counts_as_crashed() -> None:
    world = world_with()
    first_lease = claimed(world)
    world.clock.advance(LEASE)
    second_lease = claimed(world)

    assert first_lease.row.count("crashes") == 0
    assert second_lease.row.count("crashes") == 1
    leasing.finish(world.services, second_lease, rest)
    assert world.row(JOB).count("crashes") == 0


def test_a_reading_from_before_a_late_commit_claims_nothing() -> None:
    world = world_with()
    late = claimed(world)
    world.clock.advance(LEASE)
    read_before = world.row(JOB)
    leasing.finish(world.services, late, rest)

    assert leasing.claim(world.services, read_before) is None


def test_an_end_removes_the_lease_and_says_what_was_decided() -> None:
    world = world_with()
    ended = leasing.finish(world.services, claimed(world), rest)

    assert ended == (world.row(JOB), "rested")
    assert not {"holder", "lease_until", "query_at", "due_at", "due_bucket"} & set(world.row(JOB).columns)
    assert world.row(JOB).count("token") == 8


def test_who_lost_the_lease_changes_nothing() -> None:
    world = world_with()
    lost = claimed(world)
    world.clock.advance(LEASE)
    claimed(world)
    before = world.row(JOB)

    assert leasing.finish(world.services, lost, rest) is None
    assert world.row(JOB) == before


def test_marks_that_came_meanwhile_are_seen_by_the_decision() -> None:
    world = world_with()
    lease = claimed(world)
    mark(world.services, SOMEBODY)
    leasing.finish(world.services, lease, rest)

    assert world.row(JOB).count("polls") == 2


def test_effects_that_changed_meanwhile_are_not_overwritten() -> None:
    effects = (Effect("record", "d", 0, START), Effect("record", "e", 0, START))
    world = world_with()
    world.change(JOB, effect_columns(effects))
    lease = claimed(world)
    world.change(JOB, effect_columns(effects[1:]))

    leasing.finish(world.services, lease, lambda row: (effect_columns(row.effects), None))

    assert world.row(JOB).effects == effects[1:]


def test_an_end_that_never_gets_through_gives_up() -> None:
    world = world_with()
    lease = claimed(world)
    marks = Fault(before=lambda: mark(world.services, SOMEBODY))
    busy = world.through(Faults(lambda call: marks if call.method == "update" else None))

    with pytest.raises(ContendedError, match=ref(JOB).key):
        leasing.finish(busy, lease, rest)
    assert world.row(JOB).text("holder") == lease.holder


# A write whose answer is lost.


def test_a_claim_whose_answer_was_lost_is_recognised() -> None:
    world = world_with()
    lease = leasing.claim(world.through(Faults(first("update", ANSWER_LOST))), world.row(JOB))

    assert lease is not None
    assert lease.row == world.row(JOB)


def test_a_claim_that_timed_out_before_it_happened_is_none() -> None:
    world = world_with()
    lease = leasing.claim(world.through(Faults(first("update", TIMED_OUT))), world.row(JOB))

    assert lease is None
    assert world.row(JOB).text("holder") is None


def test_a_claim_that_somebody_else_won_meanwhile_is_not_taken_for_ones_own() -> None:
    world = world_with()
    theirs = Fault(before=lambda: claimed(world), after=TIMED_OUT.before)
    lease = leasing.claim(world.through(Faults(first("update", theirs))), world.row(JOB))

    assert lease is None
    assert world.row(JOB).count("token") == 8


@pytest.mark.parametrize("happened", [True, False])
def test_an_end_whose_answer_was_lost_happens_once(happened: bool) -> None:
    world = world_with()
    lease = claimed(world)
    before = len(world.ledger.writes)
    lost = Faults(first("update", ANSWER_LOST if happened else TIMED_OUT))
    ended = leasing.finish(world.through(lost), lease, rest)

    assert ended is not None
    assert ended[1] == "rested"
    assert len(world.ledger.writes) == before + 1


def test_an_end_that_did_happen_is_not_undone_by_the_release_that_follows() -> None:
    """The commit's answer is lost, reading it back fails, and the holder releases what it no longer holds."""
    world = world_with()
    lease = claimed(world)
    plan = Faults(lambda call: {1: ANSWER_LOST, 2: UNAVAILABLE}.get(call.number))
    with pytest.raises(StoreUnavailableError):
        leasing.finish(world.through(plan), lease, rest)
    committed = world.row(JOB)

    assert leasing.finish(world.services, lease, lambda row: ({"query_at": START + 1}, None)) is None
    assert world.row(JOB) == committed


def test_a_mark_alone_whose_answer_was_lost_is_told_to_the_sender() -> None:
    world = world_with()
    claimed(world)

    with pytest.raises(OutcomeUnknownError):
        mark(world.through(Faults(at(2, ANSWER_LOST))), SOMEBODY)


def test_a_holder_is_nobody_elses_name() -> None:
    services = World(None).services

    assert len({leasing.new_holder(services) for _ in range(1_000)}) == 1_000


def test_a_lease_is_as_long_as_the_policy_says() -> None:
    world = world_with()
    services = replace(world.services, policy=replace(world.services.policy, lease=5))
    leasing.claim(services, world.row(JOB))

    assert world.row(JOB).number("lease_until") == START + 5
