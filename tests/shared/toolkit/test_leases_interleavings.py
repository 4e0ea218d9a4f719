"""Two and more who want one lease, in every order of their store calls and looks at the clock.

Exhaustive up to calls that cannot feel each other: 1,605 schedules when this was written.
"""

from __future__ import annotations

import random

import pytest

from shared.toolkit import leases
from shared.toolkit.leases import Lease
from tests.faults import Fault, at
from tests.schedules import Actor, Passing, explore
from tests.shared.toolkit.lease_actors import (
    CRASH,
    LEASE,
    NOT_WRITTEN,
    WRITTEN,
    Seat,
    Unfenced,
    World,
    at_random,
    cast,
    is_independent,
)

KEY = "run"


def claim(seat: Seat) -> Lease | None:
    """Claim the row as it is."""
    row, now = seat.get(KEY), seat.clock()
    return leases.claim(seat, KEY, row, holder=seat.new_holder(), now=now, until=now + LEASE)


def work(seat: Seat) -> str:
    """Claim, renew, count the row up; tell how far it came."""
    lease = claim(seat)
    if lease is None:
        return "not claimed"
    renewed = leases.renew(seat, lease, until=seat.clock() + LEASE)
    if renewed is None:
        return "not renewed"
    ended = leases.finish(seat, renewed, lambda row: ({"count": leases.number(row, "count") + 1}, None))
    return "not finished" if ended is None else "finished"


def begin(world: World, fault: Fault | None = None, number: int = 0) -> list[Actor | Passing]:
    """Let two want the lease while time passes; one of them fails at a call."""
    return [
        cast(world, "a", work, at(number, fault) if fault else None),
        cast(world, "b", work),
        Passing("the lease lapses", world.pass_lease),
    ]


def explored(store_is_fenced: bool, fault: Fault | None = None, number: int = 0) -> tuple[int, list[str]]:
    """Run every schedule; give how many there were and what was wrong."""
    worlds: list[World] = []

    def story() -> list[Actor | Passing]:
        world = World()
        if not store_is_fenced:
            world.store = Unfenced(world.store)
        worlds[:] = [world]
        return begin(world, fault, number)

    count, wrong = 0, []
    for schedule in explore(story, most=5_000, independent=is_independent):
        count += 1
        wrong += [f"{one} {schedule}" for one in judge(worlds[0])]
    return count, wrong


def judge(world: World) -> list[str]:
    """Say what is wrong: a rule is broken, or who finished was not counted, once each."""
    row = world.store.get(KEY) or {}
    finished = sum(answer == "finished" for answer in world.answers.values())
    unsure = sum(isinstance(answer, BaseException) for answer in world.answers.values())
    counted = leases.number(row, "count")
    is_counted = finished <= counted <= finished + unsure
    return [*world.broken(), *([] if is_counted else [f"{finished} finished, {counted} counted"])]


def test_no_order_of_calls_breaks_the_fence() -> None:
    count, wrong = explored(store_is_fenced=True)

    assert not wrong
    assert count >= 100


@pytest.mark.parametrize("fault", [CRASH, WRITTEN, NOT_WRITTEN], ids=["crash", "written", "not written"])
@pytest.mark.parametrize("number", range(1, 7))
def test_no_order_of_calls_breaks_the_fence_when_one_of_them_fails(fault: Fault, number: int) -> None:
    count, wrong = explored(store_is_fenced=True, fault=fault, number=number)

    assert not wrong
    assert count >= 10


def test_without_the_fence_the_judge_sees_it() -> None:
    _, wrong = explored(store_is_fenced=False)

    assert any("only the holder writes" in one for one in wrong)


@pytest.mark.parametrize("seed", range(100))
def test_more_than_two_are_kept_apart_in_random_orders(seed: int) -> None:
    rng = random.Random(seed)
    world = World()
    faults = [None, None, CRASH, WRITTEN, NOT_WRITTEN]
    actors: list[Actor | Passing] = [
        cast(world, name, work, at(rng.randint(1, 6), fault) if (fault := rng.choice(faults)) else None)
        for name in "abcd"
    ]
    actors += [Passing(f"the lease lapses {number}", world.pass_lease) for number in range(3)]
    order = at_random(actors, rng)

    assert not judge(world), order
