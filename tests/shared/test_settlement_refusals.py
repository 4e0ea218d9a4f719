"""When settling records nothing new: crashes, a job that the vendor does not know, drift, wrong answers."""

from __future__ import annotations

import pytest

from shared import settlement
from shared.errors import (
    OversizedAnswerError,
)
from shared.jobs import State
from shared.policy import HOUR
from tests.due_job import JOB, due_world, held, settle
from tests.faults import UNAVAILABLE, Fault, Faults
from tests.scripted_vendor import NOT_FOUND, answer, callback
from tests.world import START, World, ref

# What stops a job from being asked about.


@pytest.mark.parametrize(("crashes", "did"), [(3, "settled"), (4, "quarantined"), (9, "quarantined")])
def test_a_job_that_ended_five_holders_is_set_aside_unasked(crashes: int, did: str) -> None:
    world = due_world(answer(JOB), holder="h", lease_until=START, crashes=crashes)
    outcome = settle(world)

    assert outcome.did == did
    assert len(world.vendor.calls) == (1 if did == "settled" else 0)
    assert "CrashLoopError" in (world.row(JOB).text("reason") or "") or did == "settled"
    assert not {"crashes", "holder"} & set(world.row(JOB).columns)
    assert world.broken() == []


def test_a_settled_job_that_ends_every_holder_drifts_and_stays_settled() -> None:
    world = due_world(answer(JOB))
    settle(world)
    world.clock.advance(world.services.policy.confirm_after)
    world.change(JOB, {"holder": "h", "lease_until": START, "crashes": 4})
    outcome = settle(world)

    assert (outcome.did, outcome.state) == ("drifted", State.SUCCEEDED)
    assert "CrashLoopError" in (outcome.drift or "")
    assert (world.row(JOB).number("query_at"), world.vendor.calls) == (None, [JOB])


def test_a_store_that_is_away_when_a_job_is_set_aside_leaves_the_claim_to_lapse() -> None:
    world = due_world(holder="h", lease_until=START, crashes=4)
    updates = iter(range(9))
    away = Faults(lambda call: UNAVAILABLE if call.method == "update" and next(updates) else None)

    assert settle(world, away).did == "lost"
    assert world.row(JOB).count("crashes") == 5


# A job that the vendor does not know.


def missing_world() -> World:
    """Begin with a job that was found missing just now, after its grace period."""
    world = due_world(NOT_FOUND, not_found_since=START - HOUR)
    assert settle(world).did == "missing"
    return world


def test_a_missing_job_is_unknown_when_that_is_declared() -> None:
    world = missing_world()
    assert world.row(JOB).state is State.RUNNING
    outcome = settlement.declare_unknown(world.services, ref(JOB).key, by="timer")
    row = world.row(JOB)

    assert outcome is not None
    assert (outcome.did, row.state, row.number("due_at")) == ("unknown", State.UNKNOWN, None)
    assert "does not know this job" in (row.text("reason") or "")
    assert world.broken() == []


def test_a_job_that_is_marked_after_its_last_query_is_not_declared_unknown() -> None:
    world = missing_world()
    world.vendor.say(JOB, NOT_FOUND)
    world.deliver(callback(JOB))

    assert settlement.declare_unknown(world.services, ref(JOB).key, by="timer") is None
    assert world.row(JOB).state is State.RUNNING


def test_a_mark_between_claim_and_declaration_keeps_the_job() -> None:
    world = missing_world()
    updates = iter(range(9))
    marks = Fault(before=lambda: world.deliver(callback(JOB)))
    meanwhile = Faults(lambda call: marks if call.method == "update" and next(updates) == 1 else None)
    outcome = settlement.declare_unknown(world.through(meanwhile), ref(JOB).key, by="timer")

    assert outcome is not None
    assert (outcome.did, world.row(JOB).state) == ("waiting", State.RUNNING)
    assert world.row(JOB).number("query_at") == START
    assert world.broken() == []


def test_a_job_that_nobody_knows_or_that_is_held_is_not_declared_unknown() -> None:
    world = missing_world()
    held(world)

    assert settlement.declare_unknown(world.services, ref(JOB).key, by="timer") is None
    assert settlement.declare_unknown(world.services, ref("another").key, by="timer") is None


# Drift.


def test_what_the_vendor_says_later_is_kept_beside_what_it_said() -> None:
    failed = answer(JOB, "fail")
    world = due_world(answer(JOB), failed)
    settle(world)
    world.clock.advance(world.services.policy.confirm_after)
    outcome = settle(world)

    assert (outcome.did, outcome.drift) == ("drifted", "status: fail, recorded as succeeded")
    assert set(world.stored("raw/").values()) == {answer(JOB), failed}
    assert len(world.stored("versions/")) == 1
    assert world.row(JOB).number("query_at") is None


def test_a_claim_that_the_answer_does_not_bear_out_is_told_with_the_settling() -> None:
    world = due_world(answer(JOB), claimed="failed")
    outcome = settle(world)

    assert (outcome.did, outcome.drift) == ("settled", "claim: failed, recorded as succeeded/pass")


def test_an_answer_about_another_job_is_kept_and_settles_nobody() -> None:
    world = due_world(answer("job-2"))
    outcome = settle(world)

    assert (outcome.did, outcome.state) == ("quarantined", State.QUARANTINED)
    assert "asked=job-1, answered=job-2" in str(outcome.error)
    assert list(world.stored().values()) == [answer("job-2")]


def test_of_an_answer_that_is_too_large_what_came_is_kept() -> None:
    too_much = OversizedAnswerError("the vendor's answer is too large", received=b"{" * 99)
    world = due_world(too_much)

    assert settle(world).state is State.QUARANTINED
    assert list(world.stored("quarantine/").values()) == [b"{" * 99]
    assert [part.key for part in world.row(JOB).raw_parts] == list(world.stored())


def test_an_answer_that_writes_the_id_in_other_case_is_about_the_job() -> None:
    assert settle(due_world(answer(JOB.upper()))).did == "settled"
