"""Every order in which small actors can make their port calls, one run of the world for each.

An actor is a task in a thread of its own that stops before each port call until it is its turn: one
actor moves at a time, so a schedule is nothing but the list of who moved. `explore` walks all schedules
depth first, by running the story anew for each. Two schedules that differ only in the order of calls
which cannot feel each other are one: sleep sets (Godefroid, "Partial-Order Methods for the Verification
of Concurrent Systems", 1996) leave out the second. Nothing else is left out.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from shared.tables import JOBS
from tests.faults import Call, Fault, Faults

PATIENCE_S = 30
QUERY = "query"
_TIME = "time"
_READS = ("get", "has", "scan")

W = TypeVar("W")
Independent = Callable[[Call, Call], bool]


def is_independent(one: Call, other: Call) -> bool:
    """Tell whether the order of two calls can make no difference."""
    if _TIME in (one.target, other.target):
        # Only what follows on a job's row or on an answer depends on when it was read.
        return not {one.target, other.target} & {JOBS.name, QUERY}
    if one.target != other.target or (one.method in _READS and other.method in _READS):
        return True
    # Content addresses: whoever comes second finds the same bytes, and nobody asks who was first.
    return one.method == other.method == "put_new"


class _Abandoned(BaseException):
    """What this run would show was seen already: its actors end where they stand."""


class Actor:
    """A task that stops before every port call. `standing` is the call it stands before.

    `through` gives the task its world, every call of which goes through the `Faults`.
    """

    def __init__(self, name: str, through: Callable[[Faults], W], task: Callable[[W], object]) -> None:
        self.name = name
        self.standing: Call | None = None
        self._error: BaseException | None = None
        self._is_abandoned = False
        self._go, self._stopped = threading.Semaphore(0), threading.Semaphore(0)
        world = through(Faults(lambda call: Fault(before=lambda: self._stop(call))))
        self._thread = threading.Thread(target=self._run, args=(partial(task, world),), daemon=True)
        self._thread.start()
        self._wait()

    def step(self) -> None:
        """Let it make the call that it stands before, and go on to the next."""
        self._go.release()
        self._wait()

    def abandon(self) -> None:
        """End the task where it stands."""
        self._is_abandoned = True
        self.step()

    def _stop(self, call: Call) -> None:
        self.standing = call
        self._stopped.release()
        self._go.acquire()
        if self._is_abandoned:
            raise _Abandoned

    def _run(self, task: Callable[[], object]) -> None:
        try:
            task()
        except _Abandoned:
            pass
        except BaseException as error:
            self._error = error
        self.standing = None
        self._stopped.release()

    def _wait(self) -> None:
        if not self._stopped.acquire(timeout=PATIENCE_S):
            raise TimeoutError(f"{self.name} neither stopped nor ended")
        if self.standing is None:
            self._thread.join(PATIENCE_S)
        if self._error is not None:
            raise self._error


class Passing:
    """Time that passes once, at any moment."""

    def __init__(self, name: str, happen: Callable[[], None]) -> None:
        self.name = name
        self.standing: Call | None = Call(0, name, _TIME)
        self._happen = happen

    def step(self) -> None:
        """Let it happen."""
        self.standing = None
        self._happen()

    def abandon(self) -> None:
        """Never happen."""
        self.standing = None


@dataclass
class _Branch:
    """One decision of a schedule: who could move, who was chosen, whom it is no use to choose."""

    standing: dict[str, Call]
    asleep: set[str]
    chosen: str = field(default="")

    def choose(self) -> bool:
        """Choose who moves; False when everything that this branch leads to was seen."""
        awake = [name for name in self.standing if name not in self.asleep]
        self.chosen = awake[0] if awake else ""
        return bool(awake)

    def asleep_after(self, independent: Independent) -> set[str]:
        """Tell who still need not move first after the chosen one has."""
        made = self.standing[self.chosen]
        return {name for name in self.asleep if independent(self.standing[name], made)}


Story = Callable[[], "Sequence[Actor | Passing]"]
"""Begins a run of the world and gives who acts in it."""


def explore(story: Story, *, most: int, independent: Independent = is_independent) -> Iterator[list[str]]:
    """Run the story once for each schedule, and give each schedule when its run is over.

    The consumer looks at the world then. More than `most` schedules are an error, never a cut.
    """
    branches: list[_Branch] = []
    count = 0
    while True:
        if _run(story(), branches, independent):
            count += 1
            if count > most:
                raise AssertionError(f"more than {most} schedules")
            yield [branch.chosen for branch in branches]
        while branches:
            branches[-1].asleep.add(branches[-1].chosen)
            if branches[-1].choose():
                break
            branches.pop()
        if not branches:
            return


def wander(story: Story, drawn: random.Random) -> list[str]:
    """Run the story once, in a drawn order, and give the schedule: for more actors than can be explored."""
    by_name = {actor.name: actor for actor in story()}
    schedule: list[str] = []
    while standing := [name for name, actor in by_name.items() if actor.standing]:
        schedule.append(drawn.choice(standing))
        by_name[schedule[-1]].step()
    return schedule


def _run(actors: Sequence[Actor | Passing], branches: list[_Branch], independent: Independent) -> bool:
    """Follow the branches, then go on to the end; False when this end was seen in another order."""
    by_name = {actor.name: actor for actor in actors}
    depth = 0
    while standing := {name: actor.standing for name, actor in by_name.items() if actor.standing}:
        if depth == len(branches):
            branch = _Branch(standing, branches[-1].asleep_after(independent) if branches else set())
            if not branch.choose():
                for name in standing:
                    by_name[name].abandon()
                return False
            branches.append(branch)
        by_name[branches[depth].chosen].step()
        depth += 1
    return True
