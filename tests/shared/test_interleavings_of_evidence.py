"""Whoever keeps evidence meets others who do, and whoever settles the job anew: drawn orders of calls."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from functools import partial

import pytest

from shared import archival, archive, effects, evidence_rows
from shared.policy import HOUR
from shared.ports import Services
from tests.schedules import Actor, Passing, wander
from tests.scripted_vendor import answer, callback
from tests.shared.test_archival import JOB, KEY, ONE, TWO, world_with
from tests.world import World, ref

Act = Callable[[World, Services], object]
ORDERS = 150
FRESH = ONE.replace("s1", "fresh")


def invoked(world: World, services: Services) -> None:
    """Do what is done after a commit."""
    archival.keep_evidence_of(services, [KEY])


def timer(world: World, services: Services) -> None:
    """Do what the timer of `archive` does."""
    archival.keep_due_evidence(services)


def settler(world: World, services: Services) -> None:
    """Ask the vendor once more, and do the effects."""
    world.settle(JOB, services)


def contradiction(world: World, services: Services) -> None:
    """Deliver a callback that has the vendor asked."""
    world.deliver(callback(JOB, suggestion="block", number=2), services)


def drainer(world: World, services: Services) -> None:
    """Do the job's effects."""
    effects.drain(services, KEY)


def begin(acts: Sequence[Act], worlds: list[World]) -> Sequence[Actor | Passing]:
    """Settle a job with two pictures; the vendor then has another verdict, and signs an address anew."""
    world = world_with(ONE, TWO)
    world.pictures.have(FRESH, body=world.pictures.bodies[ONE])
    world.vendor.know(JOB, answer(JOB, suggestion="block", pictures=[FRESH, TWO]))
    world.clock.advance(world.services.policy.confirm_after)
    worlds[:] = [world]
    actors: list[Actor | Passing] = [
        Actor(f"actor {number}", world.through, partial(act, world)) for number, act in enumerate(acts)
    ]
    return [*actors, Passing("an hour", partial(world.clock.advance, HOUR))]


@pytest.mark.parametrize(
    "acts",
    [
        (invoked, invoked),
        (timer, timer),
        (invoked, timer, settler),
        (timer, settler, contradiction),
        (timer, drainer, settler),
    ],
    ids=lambda acts: " and ".join(act.__name__ for act in acts),
)
def test_every_picture_is_kept_once_and_the_manifest_says_so_in_every_order(acts: tuple[Act, ...]) -> None:
    worlds: list[World] = []
    for seed in range(ORDERS):
        schedule = wander(lambda: begin(acts, worlds), random.Random(seed))
        assert not (wrong := judge(worlds[0])), (seed, wrong, schedule)


def judge(world: World) -> list[str]:
    """Let the timers run out, then say what is wrong."""
    world.run_until_quiet()
    rows = evidence_rows.read_all(world.ledger, KEY)
    row, stored = world.row(JOB), world.stored("evidence/")
    manifest = json.loads(stored.pop(archive.manifest_key(ref(JOB))))
    told = {one["id"]: one["status"] for one in manifest["items"]}
    wrong = {
        f"not kept: {rows}": {one.status for one in rows.values()} != {"kept"},
        f"stored otherwise than told: {sorted(stored)}": set(stored) != {one.key for one in rows.values()},
        f"the manifest says {told}": told != dict.fromkeys(rows, "kept"),
        "the manifest is that of another version": manifest["digest"] != row.text("digest"),
        "something is left": bool(row.effects) or row.number("due_at") is not None,
        "an address is left": any(one.url is not None or one.due_at is not None for one in rows.values()),
    }
    return [*world.broken(), *(text for text, is_so in wrong.items() if is_so)]
