"""A row under a lease, those who meet over it, and what must hold of every write of it.

No rule here may be taken from the code that it judges. Every call of the store and every look at the
clock is a step of its own (`tests/schedules.py`): time may pass, and others may write, between any two.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from shared.toolkit.errors import FunctionError
from shared.toolkit.lease_store import Change, LeaseStore, OutcomeUnknownError, Row, When
from shared.toolkit.memory_lease_store import MemoryLeaseStore
from tests.faults import Call, Fault, Faults
from tests.schedules import Actor, Passing

START = 1_763_640_000_000
LEASE = 60_000
CLOCK, TIME = "clock", "time"


class Crash(BaseException):
    """The process is gone: nothing that it would still have done happens."""


def crash() -> None:
    """End the process."""
    raise Crash


def _unknown() -> None:
    raise OutcomeUnknownError("planned: nobody can tell whether it was written")


CRASH = Fault(before=crash)
WRITTEN = Fault(after=_unknown)
NOT_WRITTEN = Fault(before=_unknown)


def is_independent(one: Call, other: Call) -> bool:
    """Tell whether the order of two calls can make no difference: a store knows no time."""
    if {one.target, other.target} == {CLOCK, TIME}:
        return False
    return one.target != other.target or one.method == other.method == "get"


@dataclass(frozen=True)
class Write:
    """One write that took effect."""

    by: str
    at: int
    before: Row
    after: Row

    @property
    def claims(self) -> bool:
        """Tell whether somebody got the lease by this."""
        return self.after.get("token") != self.before.get("token")


@dataclass
class World:
    """One row, one clock, and what was written and answered."""

    store: LeaseStore = field(default_factory=MemoryLeaseStore)
    now: int = START
    writes: list[Write] = field(default_factory=list)
    answers: dict[str, object] = field(default_factory=dict)

    def pass_lease(self) -> None:
        """Let more time pass than a lease lasts."""
        self.now += LEASE + 1

    def broken(self) -> list[str]:
        """Name the rules that a write broke."""
        return [
            f"{rule}: {write}" for write in self.writes for rule, holds in RULES.items() if not holds(write)
        ]


class Seat:
    """The world as one actor has it. Its holders bear its name."""

    def __init__(self, world: World, name: str, faults: Faults) -> None:
        self.world = world
        self.name = name
        self._faults = faults
        self._holders = 0

    def clock(self) -> int:
        """Look at the clock."""
        with self._faults.around("get", CLOCK):
            pass
        return self.world.now

    def sleep(self, ms: int) -> None:
        """Wait."""
        with self._faults.around("sleep", TIME):
            self.world.now += ms

    def new_holder(self) -> str:
        """Name a holder."""
        self._holders += 1
        return f"{self.name} {self._holders}"

    def get(self, key: str) -> Row | None:
        """See `LeaseStore.get`."""
        with self._faults.around("get", key):
            return self.world.store.get(key)

    def insert(self, key: str, row: Row) -> bool:
        """See `LeaseStore.insert`."""
        with self._faults.around("insert", key):
            return self._written(key, lambda: self.world.store.insert(key, row))

    def update(self, key: str, change: Change, when: Sequence[When]) -> bool:
        """See `LeaseStore.update`."""
        with self._faults.around("update", key):
            return self._written(key, lambda: self.world.store.update(key, change, when))

    def _written(self, key: str, write: Callable[[], bool]) -> bool:
        before = self.world.store.get(key)
        if not write():
            return False
        after = self.world.store.get(key)
        assert after is not None
        self.world.writes.append(Write(self.name, self.world.now, before or {}, after))
        return True


class Unfenced:
    """A store on which the fence between holders is off, to show that the judge would see it."""

    def __init__(self, inner: LeaseStore) -> None:
        self.get = inner.get
        self.insert = inner.insert
        self._inner = inner

    def update(self, key: str, change: Change, when: Sequence[When]) -> bool:
        """Change the row whoever holds it."""
        return self._inner.update(key, change, [one for one in when if one.column not in ("token", "holder")])


Task = Callable[[Seat], object]


def cast(world: World, name: str, task: Task, plan: Callable[[Call], Fault | None] | None = None) -> Actor:
    """Let an actor do a task, with a plan of what fails it, and keep its answer."""

    def answered(seat: Seat) -> None:
        try:
            world.answers[name] = task(seat)
        except (FunctionError, Crash) as error:
            world.answers[name] = error

    def through(faults: Faults) -> Seat:
        return Seat(world, name, Planned(faults, plan) if plan else faults)

    return Actor(name, through, answered)


class Planned(Faults):
    """Calls that stop where they are to, and then go as planned."""

    def __init__(self, stopping: Faults, plan: Callable[[Call], Fault | None]) -> None:
        def both(call: Call) -> Fault:
            planned, stop = plan(call) or Fault(), stopping._plan(call)
            assert stop is not None

            def before() -> None:
                for hook in (stop.before, planned.before):
                    if hook is not None:
                        hook()

            return replace(planned, before=before)

        super().__init__(both)


def at_random(actors: Sequence[Actor | Passing], rng: random.Random) -> list[str]:
    """Let the actors move in a random order until all have ended; give the order."""
    order = []
    while standing := [actor for actor in actors if actor.standing]:
        one = rng.choice(standing)
        one.step()
        order.append(one.name)
    return order


def _claims_what_is_free(write: Write) -> bool:
    until = write.before.get("lease_until")
    return not write.claims or until is None or (isinstance(until, int) and until <= write.at)


def _token_counts(write: Write) -> bool:
    before, after = write.before.get("token", 0), write.after["token"]
    assert isinstance(before, int)
    assert isinstance(after, int)
    return after - before == (
        1 if write.after.get("holder") != write.before.get("holder") and write.claims else 0
    )


def _is_by_the_holder(write: Write) -> bool:
    holder = write.after["holder"] if write.claims else write.before.get("holder")
    return isinstance(holder, str) and holder.rpartition(" ")[0] == write.by


RULES: dict[str, Callable[[Write], bool]] = {
    "only a free lease is claimed": _claims_what_is_free,
    "the token counts claims and nothing else": _token_counts,
    "only the holder writes": _is_by_the_holder,
    "holder and lease come and go together": lambda write: (
        ("holder" in write.after) == ("lease_until" in write.after)
    ),
    "what is done is not begun again": lambda write: (
        not write.claims or write.before.get("outcome") not in ("done", "refused")
    ),
    "only the end of a lease says what came of it": lambda write: (
        write.claims
        or write.after.get("outcome") == write.before.get("outcome")
        or "holder" not in write.after
    ),
}
