"""The targets of a run, on good days and on bad ones, and what they have taken.

What sends to them is real up to the wire: it signs, encodes and judges answers. Each target stands for
one that does what docs/consuming.md asks of it.
"""

from __future__ import annotations

import base64
import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

from localcloud.consumer import Consumer
from shared.adapters.senders.by_kind import SenderByKind
from shared.adapters.senders.hooks import HookSender
from shared.adapters.senders.https import Answer, HttpsSender
from shared.adapters.senders.limited_runs import LimitedRuns
from shared.adapters.senders.queues import QueueSender
from shared.delivery.rules import DeliveryPlan
from shared.delivery.targets import Dispatch, Target
from shared.errors import (
    FunctionError,
    NoTimeLeftError,
    OutcomeUnknownError,
    PermanentError,
    SignatureError,
    StoreUnavailableError,
    TargetRefusedError,
    TargetUnavailableError,
)
from shared.hooks.services import HookServices
from shared.policy import MINUTE, SECOND
from shared.ports import Clock, EventSender, ObjectStore
from shared.queues import NoQueues
from shared.record import JobRecord, canonical_bytes, digest
from tests.memory_stores import MemoryObjectStore
from tests.simulation.hazards import Hazards
from tests.simulation.scheduler import Scheduler
from tests.simulation.weather import GOOD

if TYPE_CHECKING:
    import requests

T = TypeVar("T")
What = Literal["gone", "silent", "closed", "fails", "throttles", "redirects"]
Known = Mapping[str, tuple[int, str, str]]
"""Version, digest and status of each job."""

NEW_KEY, OLD_KEY = "a-key-of-this-year", "a-key-of-last-year"
_QUEUE_LIMIT = 10 * SECOND
_WISHES_S = (5, 90, 2_400)


@dataclass(frozen=True)
class Attempt:
    """An event that leaves for a target."""

    at: int
    target: str
    job_key: str
    version: int
    delivery_id: str
    number: int


@dataclass(frozen=True)
class Taken:
    """An event that a target has taken."""

    at: int
    target: str
    job_key: str
    version: int


@dataclass(frozen=True)
class Wish:
    """An answer to an attempt, by which a target wants to be left alone for so long."""

    at: int
    delivery_id: str
    attempt: int
    wait: int


class UntakenError(Exception):
    """A target did not answer that it has taken something."""

    def __init__(self, what: What) -> None:
        super().__init__(what)
        self.what = what


class Targets:
    """Takes events, or does not, as the temper of each target has it."""

    def __init__(
        self,
        plan: DeliveryPlan,
        scheduler: Scheduler,
        hazards: Hazards,
        drawn: random.Random,
        objects: MemoryObjectStore,
    ) -> None:
        self._plan = plan
        self._scheduler = scheduler
        self._hazards = hazards
        self._random = drawn
        self._objects = objects
        self._consumers: dict[str, Consumer] = {}
        self._known: defaultdict[str, dict[str, tuple[int, str, str]]] = defaultdict(dict)
        self.attempts: list[Attempt] = []
        self.taken: list[Taken] = []
        self.wishes: list[Wish] = []
        self.forged: list[str] = []
        """Why a consumer did not believe that an event came from here."""

    def sender(self, clock: Clock) -> EventSender:
        """Give what an instance sends with, by its own clock."""
        return _Noting(
            self,
            SenderByKind(
                {
                    "https": _Servers(self, clock, [target.name for target in self._plan.targets]),
                    "queue": QueueSender(_Queues(self)),
                    "hook": _Hooks(self, self._objects, clock),
                }
            ),
        )

    def open(self) -> None:
        """Have the servers' consumers ready; whoever does so closes them."""
        for target in self._plan.targets:
            if target.kind == "https":
                # While a key changes a receiver has the one or the other.
                keys = [self._random.choice((NEW_KEY, OLD_KEY))]
                self._consumers[target.name] = Consumer(":memory:", keys=keys, clock=self._scheduler)

    def known(self, name: str) -> Known:
        """Give what a target knows of each job."""
        return self._known[name]

    def close(self) -> None:
        """Close the consumers, and keep what they know."""
        for name, consumer in self._consumers.items():
            self._known[name] = consumer.jobs()
            consumer.close()
        for target in self._plan.targets:
            for key in self._objects.keys(f"hooks/{target.name}"):
                told = json.loads(self._objects.get(key))
                self._known[target.name][told["job"]] = (told["version"], told["digest"], told["status"])

    def begin(self, target: Target, dispatch: Dispatch) -> None:
        """Write down that an event leaves."""
        key, version, number = dispatch.job_key, dispatch.version, dispatch.attempt
        now = self._scheduler.now()
        self.attempts.append(Attempt(now, target.name, key, version, dispatch.delivery_id, number))

    def offer(self, name: str, take: Callable[[], T], *, limit_ms: int) -> T:
        """Let a target take something in its own time; raise `UntakenError` when it does not say so."""
        if limit_ms <= 0:
            raise UntakenError("silent")
        trouble = self._trouble(name)
        if trouble == "silent":
            self._scheduler.delay(limit_ms)
        if trouble is not None:
            raise UntakenError(trouble)
        takes = self._takes(name, limit_ms)
        if takes >= limit_ms:
            self._scheduler.at(self._scheduler.now() + takes, lambda: self._take_late(take))
            self._scheduler.delay(limit_ms)
            raise UntakenError("silent")
        self._scheduler.delay(takes)
        return take()

    def consume(self, name: str, request: requests.PreparedRequest) -> int:
        """Take a request as a consumer does, and give its answer's status."""
        body = request.body if isinstance(request.body, bytes) else b""
        try:
            self._consumers[name].take(body, request.headers)
        except SignatureError as error:
            self.forged.append(f"{name}: {error}")
            return 401
        self.took(name, body)
        return 200

    def keep(self, name: str, body: bytes) -> None:
        """Take an event that nobody signed: what came before is kept if it is newer."""
        event = json.loads(body)
        data, subject = event["data"], event["subject"]
        version = (data["version"], data["digest"], data["status"])
        self._known[name][subject] = max(version, self._known[name].get(subject, version))
        self.took(name, body)

    def took(self, name: str, body: bytes) -> None:
        """Write down that a target has taken an event."""
        event = json.loads(body)
        self.taken.append(Taken(self._scheduler.now(), name, event["subject"], event["data"]["version"]))

    def wish(self, request: requests.PreparedRequest) -> int:
        """Draw for how many seconds a server wants to be left alone, and write it down."""
        seconds, headers = self._random.choice(_WISHES_S), request.headers
        attempt = int(headers["Media-Ledger-Attempt"])
        now = self._scheduler.now()
        self.wishes.append(Wish(now, headers["Media-Ledger-Delivery-Id"], attempt, seconds * SECOND))
        return seconds

    def named(self, queue: str) -> str:
        """Give the name of the target that a queue is."""
        return next(target.name for target in self._plan.targets if target.url == f"mns://queue/{queue}")

    def _trouble(self, name: str) -> What | None:
        temper, now = self._hazards.weather.tempers.get(name, GOOD), self._scheduler.now()
        if temper.gone[0] <= now < temper.gone[1]:
            return "gone"
        if temper.away[0] <= now < temper.away[1]:
            return "silent" if temper.hangs else "closed"
        chances: dict[What, float] = {
            "fails": temper.fails,
            "throttles": temper.throttles,
            "redirects": temper.redirects,
        }
        return next((what for what, chance in chances.items() if self._happens(chance)), None)

    def _takes(self, name: str, limit_ms: int) -> int:
        temper = self._hazards.weather.tempers.get(name, GOOD)
        if self._happens(temper.late):
            return limit_ms + self._random.randrange(MINUTE)
        is_slow = temper.slow and not self._hazards.is_over
        return self._random.randrange(temper.slow if is_slow else SECOND)

    def _happens(self, chance: float) -> bool:
        return chance > 0 and not self._hazards.is_over and self._random.random() < chance

    def _take_late(self, take: Callable[[], object]) -> None:
        with suppress(NoTimeLeftError):  # of a hook, whose time is over
            take()


class _Noting:
    """A sender that writes down what leaves."""

    def __init__(self, targets: Targets, inner: EventSender) -> None:
        self._targets = targets
        self._inner = inner

    def send(self, target: Target, dispatch: Dispatch, *, deadline: int) -> None:
        """See `EventSender.send`."""
        self._targets.begin(target, dispatch)
        self._inner.send(target, dispatch, deadline=deadline)


class _Servers(HttpsSender):
    """The sender of signed requests, whose wire ends here."""

    def __init__(self, targets: Targets, clock: Clock, names: Iterable[str]) -> None:
        keys = dict.fromkeys(names, (NEW_KEY, OLD_KEY))
        super().__init__(LimitedRuns(), clock=clock, keys=keys)
        self._targets = targets

    def _exchange(self, target: Target, request: requests.PreparedRequest, *, limit_ms: int) -> Answer:
        import requests

        try:
            status = self._targets.offer(
                target.name, lambda: self._targets.consume(target.name, request), limit_ms=limit_ms
            )
        except UntakenError as error:
            match error.what:
                case "silent":
                    raise requests.Timeout from None
                case "closed":
                    raise requests.ConnectionError from None
                case "throttles":
                    return Answer(429, retry_after=str(self._targets.wish(request)))
                case what:
                    return Answer({"gone": 410, "fails": 500, "redirects": 302}[what])
        return Answer(status)


class _Queues(NoQueues):
    """Queues that are read at once by whoever keeps the newest version of each job."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets

    def send(self, queue: str, body: str, *, deadline: int) -> None:
        """See `Queues.send`."""
        name = self._targets.named(queue)
        try:
            self._targets.offer(
                name, lambda: self._targets.keep(name, base64.b64decode(body)), limit_ms=_QUEUE_LIMIT
            )
        except UntakenError as error:
            raise _QUEUE_ERRORS.get(error.what, StoreUnavailableError)(error.what) from None


_QUEUE_ERRORS: Mapping[str, type[FunctionError]] = {"gone": PermanentError, "silent": OutcomeUnknownError}


class _Hooks(HookSender):
    """The sender that runs hooks, in virtual time."""

    def __init__(self, targets: Targets, objects: ObjectStore, clock: Clock) -> None:
        super().__init__(_VirtualRuns(targets), objects, clock=clock)
        self._targets = targets

    def _run(self, target: Target, dispatch: Dispatch, *, deadline: int) -> None:
        super()._run(target, dispatch, deadline=deadline)
        self._targets.took(target.name, dispatch.body)


class _VirtualRuns(LimitedRuns):
    def __init__(self, targets: Targets) -> None:
        super().__init__()
        self._targets = targets

    def run(self, target: str, work: Callable[[], T], *, limit_ms: int) -> T:
        """See `LimitedRuns.run`."""
        try:
            return self._targets.offer(target, work, limit_ms=limit_ms)
        except UntakenError as error:
            match error.what:
                case "gone":
                    raise TargetRefusedError("this hook wants no more") from None
                case "silent":
                    raise TargetUnavailableError("not done in time") from None
            raise ZeroDivisionError("a mistake in a hook") from None


def post_process(record: JobRecord, services: HookServices) -> None:
    """File what a hook was told, unless it was told more already; it is the hook of every run."""
    name = f"{services.job.path}.json"
    present = services.files.get(name)
    if present is not None and json.loads(present)["version"] > services.version:
        return
    told = {
        "job": services.job.key,
        "version": services.version,
        "digest": digest(canonical_bytes(record)),
        "status": record.status,
    }
    services.files.put(name, json.dumps(told).encode(), content_type="application/json")
