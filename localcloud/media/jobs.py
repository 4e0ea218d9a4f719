"""Jobs as every product keeps them: they wait, are worked on and end as their clock moves on.

Nothing runs in between. What a job ends with is given by the caller for its source, or is for the
product to choose, seeded by the source, so that one seed is one world.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Generic, Protocol, TypeVar

from localcloud.media.wire import Action, RefusedError

if TYPE_CHECKING:
    from shared.ports import Clock

# One drawn job in so many fails.
_FAILS_ONE_IN = 12


class Ending(Protocol):
    """How a job ends, in the product's words."""

    @property
    def status(self) -> str:
        """Give the last status of the job."""
        ...


E = TypeVar("E", bound=Ending)


@dataclass(frozen=True)
class Pace:
    """How long a job waits and how long it is processed."""

    waiting_ms: int = 2_000
    processing_ms: int = 8_000


@dataclass
class Job(Generic[E]):
    """What was submitted and when, and how it will end."""

    job_id: str
    params: Mapping[str, str]
    created: int
    ends: int
    outcome: E
    held_back: int = 0
    raw: bytes | None = None


@dataclass(kw_only=True, eq=False)
class JobService(ABC, Generic[E]):
    """Keeps the jobs of one kind.

    `job_ids` names the first jobs, so that recorded callbacks can be replayed. `outcomes` is keyed by
    what a job works on. `waiting` and `working` are the product's words for a job that has not ended:
    its pages and its clients do not always agree on their spelling (query-apis.md 5.1).
    """

    kind: ClassVar[str]

    clock: Clock
    seed: int = 0
    pace: Pace = field(default_factory=Pace)
    outcomes: Mapping[str, E] = field(default_factory=dict)
    job_ids: Iterator[str] = field(default_factory=lambda: iter(()))
    waiting: str
    working: str

    _jobs: dict[str, Job[E]] = field(default_factory=dict, init=False, repr=False)
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # The kind is in the seed, so that two services never give one id twice.
        self._random = random.Random(f"{self.kind}/{self.seed}")

    @abstractmethod
    def actions(self) -> tuple[Action, ...]:
        """List the operations for the gateway."""

    @abstractmethod
    def _draw(self, source: str, drawn: random.Random) -> E:
        """Choose how a job ends that the caller has no outcome for."""

    def hold_back(self, job_id: str, queries: int) -> None:
        """Leave the result out of the next answers that say success: the state is ahead of it."""
        self._jobs[job_id].held_back = queries

    def answer_raw(self, job_id: str, body: bytes | None) -> None:
        """Answer queries of this job with these bytes, whatever they are; None ends it."""
        self._jobs[job_id].raw = body

    def _open(self, params: Mapping[str, str], *, source: str) -> Job[E]:
        job_id = next(self.job_ids, None) or f"{self._random.getrandbits(128):032x}"
        now = self.clock.now()
        ends = now + self.pace.waiting_ms + self.pace.processing_ms
        job = self._jobs[job_id] = Job(job_id, params, now, ends, self._outcome(source))
        return job

    def _outcome(self, source: str) -> E:
        if source in self.outcomes:
            return self.outcomes[source]
        # Seeded by the source too, so the order of submissions does not change what a source gets.
        return self._draw(source, random.Random(f"{self.seed}/{source}"))

    def _find(self, job_id: str, *, otherwise: RefusedError) -> Job[E]:
        try:
            return self._jobs[job_id]
        except KeyError:
            raise otherwise from None

    def _has_ended(self, job: Job[E]) -> bool:
        return self.clock.now() >= job.ends

    def _status(self, job: Job[E]) -> str:
        if self._has_ended(job):
            return job.outcome.status
        return self.waiting if self.clock.now() < job.created + self.pace.waiting_ms else self.working

    def _shows_result(self, job: Job[E]) -> bool:
        """Tell whether this answer about an ended job has its result; uses up what holds it back."""
        if job.held_back > 0 and job.outcome.status.lower() == "success":
            job.held_back -= 1
            return False
        return True


def draws_failure(drawn: random.Random) -> bool:
    """Draw whether a job fails."""
    return drawn.randrange(_FAILS_ONE_IN) == 0
