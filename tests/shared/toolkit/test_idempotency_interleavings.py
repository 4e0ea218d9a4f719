"""Calls of one idempotent function that meet, in every order of their store calls and looks at the clock.

Exhaustive for two calls, up to steps that cannot feel each other: 2,538 schedules when this was written.
Random for four.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from shared.toolkit.call_records import (
    AlreadyRunningError,
    AttemptsExhaustedError,
    FailedBeforeError,
    LeaseLostError,
)
from shared.toolkit.errors import PermanentError, TemporaryError
from shared.toolkit.guarded_calls import DeadlinePassedError, Raise, Skip, Wait
from shared.toolkit.idempotency import idempotent
from shared.toolkit.lease_store import OutcomeUnknownError
from tests.faults import Fault, at
from tests.schedules import Actor, Passing, explore
from tests.shared.toolkit.lease_actors import (
    CRASH,
    LEASE,
    NOT_WRITTEN,
    START,
    WRITTEN,
    Crash,
    Seat,
    Task,
    Unfenced,
    World,
    at_random,
    cast,
    is_independent,
)

DEADLINE = START + 3 * LEASE
SKIPPED = "skipped"


class LaterError(TemporaryError):
    """What a body raises that may succeed the next time."""


class NeverError(PermanentError):
    """What a body raises that never succeeds."""


DEFINED = (
    AlreadyRunningError,
    AttemptsExhaustedError,
    FailedBeforeError,
    LeaseLostError,
    DeadlinePassedError,
    OutcomeUnknownError,
    Crash,
    LaterError,
    NeverError,
)


def call(ends: Callable[[str], object], running: str = "raise") -> Task:
    """Call the function; its body returns who ran it, or fails as `ends` says."""

    def task(seat: Seat) -> object:
        policies: dict[str, Raise | Wait | Skip[str]] = {
            "raise": Raise(),
            "skip": Skip(SKIPPED),
            "wait": Wait(seat.sleep, every_ms=LEASE),
        }

        def body() -> object:
            return ends(seat.name)

        one: Callable[[], object] = idempotent(
            seat,
            name="pay",
            key=lambda: "order",
            deadline=lambda: DEADLINE,
            running=policies[running],
            lease_ms=LEASE,
            clock=seat.clock,
            new_holder=seat.new_holder,
        )(body)
        return one()

    return task


def succeed(name: str) -> object:
    """Return who ran."""
    return {"by": name}


def fail_for_now(name: str) -> object:
    """Fail in a way that may pass."""
    raise LaterError(name)


def fail_for_good(name: str) -> object:
    """Fail in a way that does not pass."""
    raise NeverError(name)


@dataclass(frozen=True)
class Story:
    """Who calls, how often the lease may lapse meanwhile, and how many schedules there are at least."""

    tasks: Sequence[Task]
    least: int
    lapses: int = 1
    fault: Fault | None = None
    numbers: Sequence[int] = field(default=(0,))

    def begin(self, world: World, number: int) -> list[Actor | Passing]:
        """Put everybody before the first step; the first of them meets the fault at that call."""
        plans = [at(number, self.fault) if self.fault else None, *[None] * len(self.tasks)]
        return [
            *(
                cast(world, name, task, plan)
                for name, task, plan in zip("abcd", self.tasks, plans, strict=False)
            ),
            *(Passing(f"the lease lapses {one}", world.pass_lease) for one in range(self.lapses)),
        ]


BOTH = (call(succeed), call(succeed))
CALLS = range(1, 6)
STORIES = {
    "two that succeed": Story(BOTH, 50),
    "two that succeed, two lapses": Story(BOTH, 500, lapses=2),
    "one fails for now": Story((call(fail_for_now), call(succeed)), 50),
    "one fails for good": Story((call(fail_for_good), call(succeed)), 50),
    "both fail for good": Story((call(fail_for_good), call(fail_for_good)), 50),
    "one skips": Story((call(succeed), call(succeed, "skip")), 50),
    "both wait": Story((call(succeed, "wait"), call(succeed, "wait")), 20, lapses=0),
    "both wait while time passes": Story((call(succeed, "wait"), call(succeed, "wait")), 150),
    "one fails, the other waits": Story((call(fail_for_now), call(succeed, "wait")), 50),
    "one crashes": Story(BOTH, 100, fault=CRASH, numbers=CALLS),
    "one crashes, the other waits": Story(
        (call(succeed), call(succeed, "wait")), 100, fault=CRASH, numbers=CALLS
    ),
    "an answer is lost": Story(BOTH, 100, fault=WRITTEN, numbers=CALLS),
    "a write is lost": Story(BOTH, 100, fault=NOT_WRITTEN, numbers=CALLS),
}


def explored(story: Story, *, fenced: bool = True) -> tuple[int, list[str]]:
    """Run every schedule; give how many there were and what was wrong."""
    count, wrong = 0, []
    for number in story.numbers:
        worlds: list[World] = []

        def begin(number: int = number, worlds: list[World] = worlds) -> list[Actor | Passing]:
            world = World()
            if not fenced:
                world.store = Unfenced(world.store)
            worlds[:] = [world]
            return story.begin(world, number)

        for schedule in explore(begin, most=20_000, independent=is_independent):
            count += 1
            wrong += [f"{one} {schedule}" for one in judge(worlds[0])]
    return count, wrong


def judge(world: World) -> list[str]:
    """Say what is wrong: a broken rule, or an answer that is neither recorded nor defined."""
    recorded = [write.after.get("result") for write in world.writes if write.after.get("outcome") == "done"]
    told = {f'{{"by":"{name}"}}': {"by": name} for name in "abcd"}
    allowed = [told[str(result)] for result in recorded]
    strange = [
        f"{name} got {answer!r}"
        for name, answer in world.answers.items()
        if not (answer in allowed or answer == SKIPPED or isinstance(answer, DEFINED))
    ]
    several = [f"{len(recorded)} results are recorded"] if len(recorded) > 1 else []
    return [*world.broken(), *strange, *several]


@pytest.mark.parametrize("name", STORIES)
def test_no_order_of_steps_breaks_a_promise(name: str) -> None:
    count, wrong = explored(STORIES[name])

    assert not wrong
    assert count >= STORIES[name].least


@pytest.mark.parametrize("name", ["two that succeed", "one fails for now", "one fails for good"])
def test_without_the_fence_the_judge_sees_it(name: str) -> None:
    _, wrong = explored(STORIES[name], fenced=False)

    assert any("only the holder writes" in one for one in wrong)


@pytest.mark.parametrize("seed", range(200))
def test_four_calls_keep_every_promise_in_random_orders(seed: int) -> None:
    rng = random.Random(seed)
    tasks = [
        call(
            rng.choice([succeed, succeed, fail_for_now, fail_for_good]), rng.choice(["raise", "wait", "skip"])
        )
        for _ in range(4)
    ]
    fault = rng.choice([None, CRASH, WRITTEN, NOT_WRITTEN])
    story = Story(tasks, 1, lapses=rng.randrange(4), fault=fault)
    world = World()
    order = at_random(story.begin(world, rng.choice(CALLS)), rng)

    assert not judge(world), order
