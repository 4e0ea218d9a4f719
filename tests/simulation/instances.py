"""What an instance of a function calls: stores and vendor through the hazards, within its budget of calls."""

from __future__ import annotations

import contextvars
import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from shared import bootstrap
from shared.adapters.parallel import SequentialParallel
from shared.downloads import Downloads
from shared.kinds import KINDS, Kind
from shared.policy import Policy
from shared.ports import (
    Archive,
    Clock,
    Done,
    EventSender,
    Invoker,
    Ledger,
    MediaApi,
    ResultFiles,
    Services,
)
from shared.vendor import ApiAnswer, ApiRequest
from tests.faults import Faults, FaultyLedger, FaultyObjectStore
from tests.scripted_downloads import FaultyDownloads
from tests.scripted_targets import FaultySender
from tests.scripted_vendor import FaultyMediaApi
from tests.simulation.clocks import Clocks
from tests.simulation.hazards import Hazards
from tests.simulation.scheduler import Scheduler

T = TypeVar("T")

_WORKERS = 4


@dataclass
class Instances:
    """Makes instances, and keeps what one keeps from invocation to invocation: its part of the calls."""

    objects: Archive
    ledger: Ledger
    media_api: MediaApi
    result_files: ResultFiles
    pictures: Downloads
    invoker: Callable[[], Invoker]
    policy: Policy
    scheduler: Scheduler
    hazards: Hazards
    clocks: Clocks
    drawn: random.Random
    sender: Callable[[Clock], EventSender]
    calls: defaultdict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    """When each product was called by all instances of a function, by product and function."""
    kinds: Mapping[str, Kind] = field(default_factory=lambda: KINDS)
    """What invocations that begin now know."""
    _kept: dict[str, Services] = field(default_factory=dict)

    def services(self, who: str, deadline: int) -> Services:
        """Give the services of an instance for one invocation, with the deadline by its own clock."""
        if who not in self._kept:
            part, among = self.policy.callbacks_part, self.policy.callback_instances
            self._kept[who] = bootstrap.within_budget(self._begin(who), part=part, among=among)
        left = deadline - self.scheduler.now()
        return replace(self._kept[who], deadline=self.clocks.of(who).now() + left)

    def deploy(self, kinds: Mapping[str, Kind]) -> None:
        """Begin to roll out a release that knows these kinds: every second instance is replaced at once."""
        self.kinds = kinds
        for who in sorted(self._kept)[::2]:
            del self._kept[who]

    def end_roll_out(self) -> None:
        """Have every invocation from now on know the release; those that run go on with what they know."""
        self._kept.clear()

    def bare(self) -> Services:
        """Give services that meet no trouble, for whoever looks at the end."""
        draw = random.Random(self.drawn.getrandbits(64))
        return Services(
            objects=self.objects,
            ledger=self.ledger,
            media_api=self.media_api,
            result_files=self.result_files,
            invoker=self.invoker(),
            clock=self.scheduler,
            parallel=SequentialParallel(),
            random=draw,
            kinds=self.kinds,
            policy=self.policy,
            deadline=2**62,
            downloads=self.pictures,
        )

    def _begin(self, who: str) -> Services:
        around = self.hazards.around(who)
        bare = self.bare()
        return replace(
            bare,
            clock=self.clocks.of(who),
            ledger=FaultyLedger(self.ledger, around),
            objects=FaultyObjectStore(self.objects, around),
            media_api=_MeteredMediaApi(
                FaultyMediaApi(self.media_api, around), who.partition("-")[0], self.scheduler, self.calls
            ),
            result_files=_FaultyResultFiles(self.result_files, around),
            invoker=_FaultyInvoker(bare.invoker, around),
            downloads=FaultyDownloads(self.pictures, around),
            sender=FaultySender(self.sender(self.clocks.of(who)), around),
            parallel=_SimulatedParallel(self.scheduler, bare.random, self.hazards.weather.workers),
        )


@dataclass(frozen=True)
class _SimulatedParallel:
    """Runs tasks beside each other in fibers, or one after the other in a drawn order."""

    scheduler: Scheduler
    drawn: random.Random
    workers: int | None

    def run(self, tasks: Sequence[Callable[[], T]]) -> list[Done[T]]:
        """See `Parallel.run`."""
        if len(tasks) < 2 or (self.workers is None and self.drawn.randrange(2)):
            return SequentialParallel(self.drawn).run(tasks)
        outcomes: dict[int, Done[T]] = {}

        def one(at: int) -> None:
            outcomes[at] = contextvars.copy_context().run(_outcome, tasks[at])

        self.scheduler.together(
            [partial(one, at) for at in range(len(tasks))], workers=self.workers or _WORKERS
        )
        return [outcomes[at] for at in range(len(tasks))]


def _outcome(task: Callable[[], T]) -> Done[T]:
    try:
        return Done(value=task())
    except Exception as error:
        return Done(error=error)


@dataclass(frozen=True)
class _MeteredMediaApi:
    """Writes down when a call leaves the instance: on its way it may meet others."""

    inner: MediaApi
    function: str
    scheduler: Scheduler
    calls: defaultdict[tuple[str, str], list[int]]

    def call(self, request: ApiRequest, *, deadline: int) -> ApiAnswer:
        """See `MediaApi.call`."""
        self.calls[request.product, self.function].append(self.scheduler.now())
        return self.inner.call(request, deadline=deadline)


@dataclass(frozen=True)
class _FaultyResultFiles:
    """Result files whose reading goes through `faults`."""

    inner: ResultFiles
    faults: Faults

    def read(self, uri: str) -> bytes:
        """See `ResultFiles.read`."""
        with self.faults.around("get", "result file"):
            return self.inner.read(uri)


@dataclass(frozen=True)
class _FaultyInvoker:
    """Invocations whose acceptance goes through `faults`."""

    inner: Invoker
    faults: Faults

    def invoke(self, function: str, payload: bytes, *, task_id: str) -> bool:
        """See `Invoker.invoke`."""
        with self.faults.around("invoke", function):
            return self.inner.invoke(function, payload, task_id=task_id)
