"""Whatever happens, in any order, and however it fails: no rule is broken, and the end is the truth."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from shared import interventions
from shared.adapters.parallel import SequentialParallel
from shared.errors import StoreUnavailableError, ThrottledError, VendorRefusedError, VendorUnavailableError
from shared.job_row import read_job
from shared.jobs import State
from shared.policy import DAY, MINUTE, SECOND, Policy
from shared.record import digest
from shared.tables import JOBS
from tests.faults import ANSWER_LOST, UNAVAILABLE, Fault, Faults, at
from tests.scripted_vendor import NOT_FOUND, Reply, answer, callback
from tests.world import ENDS_AFTER, ENDS_BEFORE, Crash, World, ref

JOBS_OF_A_HISTORY = {"job-1": "success", "job-2": "fail"}


# What a vendor that only ever tells the truth, late or not at all, can say of a job.
TRUTHFUL: Mapping[str, Callable[[str], Reply]] = {
    "the truth": lambda job: answer(job, JOBS_OF_A_HISTORY[job]),
    "running": lambda job: answer(job, "processing"),
    "a word nobody knows": lambda job: answer(job, "pondering"),
    "away": lambda job: VendorUnavailableError("away"),
    "slow down": lambda job: ThrottledError("slow down", retry_after_ms=90 * SECOND),
    "refused": lambda job: VendorRefusedError("your key is disabled"),
    "not found": lambda job: NOT_FOUND,
}
# And what else may come from one that contradicts itself.
ANY: Mapping[str, Callable[[str], Reply]] = {
    **TRUTHFUL,
    "no result yet": lambda job: answer(job, suggestion=None),
    "another suggestion": lambda job: answer(job, suggestion="block"),
    "the opposite": lambda job: answer(job, "fail" if JOBS_OF_A_HISTORY[job] == "success" else "success"),
    "nothing readable": lambda job: b"<html>",
}
FAULTS: Mapping[str, Fault] = {
    "ends before": ENDS_BEFORE,
    "ends after": ENDS_AFTER,
    "away": UNAVAILABLE,
    "answer lost": ANSWER_LOST,
}


@dataclass(frozen=True)
class Delivered:
    """A callback comes, and is delivered again until it is taken in."""

    job: str
    status: str
    suggestion: str | None
    number: int
    faults: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class TimerRan:
    """The timer goes off."""

    limit: int
    fault: tuple[int, str] | None


@dataclass(frozen=True)
class TimePassed:
    """Nothing happens for a while."""

    ms: int


@dataclass(frozen=True)
class VendorWillSay:
    """The vendor's next answer about a job is decided."""

    job: str
    what: str


@dataclass(frozen=True)
class PersonIntervened:
    """A person has a job tried again, or releases it."""

    job: str
    releases: bool


Step = Delivered | TimerRan | TimePassed | VendorWillSay | PersonIntervened

jobs = st.sampled_from(sorted(JOBS_OF_A_HISTORY))
faults = st.tuples(st.integers(1, 14), st.sampled_from(sorted(FAULTS)))
waits = st.sampled_from((1, SECOND, 30 * SECOND, 61 * SECOND, 10 * MINUTE, 61 * MINUTE, DAY))


def steps(replies: Sequence[str]) -> st.SearchStrategy[list[Step]]:
    """Draw a history in which the vendor says such things."""
    delivered = st.builds(
        Delivered,
        jobs,
        st.sampled_from(("success", "fail", "processing")),
        st.sampled_from((None, "pass", "block")),
        st.integers(1, 3),
        st.lists(faults, max_size=2).map(tuple),
    )
    told = st.builds(VendorWillSay, jobs, st.sampled_from(replies))
    timer = st.builds(TimerRan, st.integers(1, 3), st.none() | faults)
    person = st.builds(PersonIntervened, jobs, st.booleans())
    return st.lists(told | delivered | timer | st.builds(TimePassed, waits) | person, max_size=25)


class History:
    """Lives through steps in a world, and counts what was delivered."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.accepted = dict.fromkeys(JOBS_OF_A_HISTORY, 0)
        self.attempted = dict.fromkeys(JOBS_OF_A_HISTORY, 0)
        self.interventions = dict.fromkeys(JOBS_OF_A_HISTORY, 0)
        for job, status in JOBS_OF_A_HISTORY.items():
            world.vendor.know(job, answer(job, status))

    def live(self, step: Step) -> None:
        """Let one thing happen."""
        if isinstance(step, Delivered):
            for number, name in step.faults:
                self._deliver(step, Faults(at(number, FAULTS[name])))
            self._deliver(step, Faults(lambda call: None))
        elif isinstance(step, TimerRan):
            number, name = step.fault or (0, "away")
            planned = Faults(at(number, FAULTS[name]))
            with suppress(Crash, StoreUnavailableError):
                self.world.run_timer(self.world.through(planned), limit=step.limit)
        elif isinstance(step, TimePassed):
            self.world.clock.advance(step.ms)
        elif isinstance(step, PersonIntervened):
            intervene = interventions.release if step.releases else interventions.retry
            done = intervene(self.world.services, ref(step.job), by="test")
            self.interventions[step.job] += done == "done"
        else:
            self.world.vendor.say(step.job, ANY[step.what](step.job))

    def end(self) -> None:
        """Let the vendor be truthful and the timer run out.

        Only a job unknown by then is called back, and one set aside is released.
        """
        self.world.vendor.be_truthful()
        self.world.run_until_quiet()
        for job, status in JOBS_OF_A_HISTORY.items():
            row = read_job(self.world.ledger, ref(job).key)
            if row is None or row.state is State.UNKNOWN:
                self.live(Delivered(job, status, None, 9, ()))
            elif row.state is State.QUARANTINED:
                self.live(PersonIntervened(job, releases=True))
        self.world.run_until_quiet()

    def _deliver(self, step: Delivered, planned: Faults) -> None:
        message = callback(step.job, step.status, suggestion=step.suggestion, number=step.number)
        self.attempted[step.job] += 1
        with suppress(Crash, StoreUnavailableError):
            self.world.deliver(message, self.world.through(planned))
            self.accepted[step.job] += 1
            assert self.world.inbox(message, step.job) is not None


def live_through(world: World, history: Sequence[Step]) -> History:
    """Live through a whole history and its end."""
    lived = History(world)
    for step in history:
        lived.live(step)
    lived.end()
    return lived


@given(steps(sorted(TRUTHFUL)), st.integers(0, 9))
def test_a_truthful_vendor_is_believed_in_the_end(history: list[Step], seed: int) -> None:
    world = World(None, seed=seed, policy=Policy(), parallel=SequentialParallel(random.Random(seed)))
    lived = live_through(world, history)

    assert world.broken() == []
    for job, status in JOBS_OF_A_HISTORY.items():
        row = world.row(job)
        assert row.state.value == {"success": "succeeded", "fail": "failed"}[status]
        assert digest(world.current_record(job) or b"") == row.text("digest")
        assert (row.count("version"), row.number("due_at")) == (1, None)
        assert lived.accepted[job] <= row.count("notified") <= lived.attempted[job]
        assert row.count("wanted") == row.count("notified") + lived.interventions[job]


@given(steps(sorted(ANY)), st.integers(0, 9))
def test_a_vendor_that_contradicts_itself_breaks_no_rule(history: list[Step], seed: int) -> None:
    world = World(None, seed=seed, policy=Policy(), parallel=SequentialParallel(random.Random(seed)))
    live_through(world, history)

    assert world.broken() == []
    for job in JOBS_OF_A_HISTORY:
        assert world.row(job).number("due_at") is None
        assert world.current_record(job) == world.version(job)


@settings(max_examples=5)
@given(steps(sorted(ANY)))
def test_a_history_ends_alike_in_memory_and_over_the_local_adapters(history: list[Step]) -> None:
    in_memory = World(None)
    live_through(in_memory, history)
    with tempfile.TemporaryDirectory() as folder, closing(World(Path(folder))) as world:
        live_through(world, history)

        assert world.stored() == in_memory.stored()
        for job in JOBS_OF_A_HISTORY:
            key = (ref(job).key,)
            assert world.ledger.get(JOBS, key) == in_memory.ledger.get(JOBS, key)
