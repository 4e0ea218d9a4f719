"""A running job that is due, for tests of settling it."""

from __future__ import annotations

from shared import leasing, settlement
from shared.jobs import State
from shared.leasing import Lease
from shared.settlement import Outcome
from shared.tables import Value
from tests.faults import Faults
from tests.scripted_vendor import Reply
from tests.world import START, World, job_row

JOB = "job-1"


def due_world(*replies: Reply, **columns: Value) -> World:
    """Begin with a running job that is due, and with what the vendor will say of it."""
    world = World(None)
    world.put(job_row(State.RUNNING, **{"query_at": START, "seen_day": "7.2025-11-20", **columns}))
    world.vendor.say(JOB, *replies)
    return world


def settle(world: World, faults: Faults | None = None) -> Outcome:
    """Settle the job, which must be due."""
    outcome = settlement.settle(
        world.through(faults or Faults(lambda call: None)), world.row(JOB), by="timer"
    )
    assert outcome is not None
    return outcome


def held(world: World) -> Lease:
    """Claim the job."""
    lease = leasing.claim(world.services, world.row(JOB))
    assert lease is not None
    return lease
