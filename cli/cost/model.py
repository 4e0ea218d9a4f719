"""What 1,000 jobs cost, by part: counted calls, the template's functions, and assumptions that are told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cli.cost import billing, calls
from cli.cost.calls import Calls, Habits
from cli.cost.prices import Prices
from localcloud.template import FUNCTION, Template, TriggerSpec

_DAYS = 30
_MINUTES_A_DAY = 24 * 60
_FREE_REQUESTS = 20_000_000  # of MNS, in a month (tablestore-oss.md 3)
_EVERY = re.compile(r"@every ([0-9]+)m")
# A message is sent, received and deleted.
_REQUESTS_OF_A_MESSAGE = 3
_KILOBYTES = 1024**2  # in a gigabyte


@dataclass(frozen=True)
class Machine:
    """What an instance of a function has: processors, gigabytes of memory and of disk."""

    cpu: float
    memory: float
    disk: float


@dataclass(frozen=True)
class Deployment:
    """What a template has of whatever is paid for; `runs` are those of a function's timer in a day."""

    machines: Mapping[str, Machine]
    runs: Mapping[str, float]
    queues: int
    topics: int

    @classmethod
    def of(cls, template: Template) -> Deployment:
        """Read it from a template."""
        specs = template.functions
        functions: Any = template.resources(FUNCTION).values()
        sizes = {str(one["Handler"]): one for one in functions}
        runs = {
            name: sum(_runs_in_a_day(trigger) for trigger in spec.triggers) for name, spec in specs.items()
        }
        return cls(
            machines={name: _machine(sizes[spec.handler]) for name, spec in specs.items()},
            runs=runs,
            queues=len(template.resources("ALIYUN::MNS::Queue")),
            topics=len(template.resources("ALIYUN::MNS::Topic")),
        )


def _machine(properties: Any) -> Machine:
    memory, disk = (properties[name] / 1024 for name in ("MemorySize", "DiskSize"))
    return Machine(properties["Cpu"], memory, disk)


def _runs_in_a_day(trigger: TriggerSpec) -> float:
    every = _EVERY.fullmatch(str(trigger.config.get("cronExpression")))
    return _MINUTES_A_DAY / int(every[1]) if every else 0.0


@dataclass(frozen=True)
class Workload:
    """How many jobs, what they are like, and what nobody has measured on the platform, with defaults."""

    jobs_per_day: float = 10_000
    habits: Habits = field(default_factory=Habits)
    months: float = 12
    """How long what is archived is paid for."""
    callbacks_at_once: float = 1
    """Callbacks that one invocation takes in."""
    seconds: Mapping[str, float] = field(
        default_factory=lambda: {
            "callback": 0.6,
            "track": 0.2,
            "deliver": 0.5,
            "archive": 1.0,
            "reconcile": 0.5,
        }
    )
    """How long an invocation takes, by function, starts of instances included; a run with nothing due."""
    seconds_of_a_job: float = 0.2
    """What a job adds to each of the runs that it is due in."""
    answer_kb: float = 8
    """Each of the raw answer, the record's version and the current record."""
    picture_kb: float = 200
    log_kb: float = 2
    """What an invocation logs."""


@dataclass(frozen=True)
class Part:
    """A part of the bill: so many units of a price, and what they cost; None where that is not known."""

    name: str
    price: str
    units: float
    cost: float | None


class Model:
    """What 1,000 jobs of a workload use and cost. What runs without any job is divided among a day's."""

    def __init__(self, workload: Workload, deployment: Deployment) -> None:
        self._workload = workload
        self._deployment = deployment
        self._per_day = self._calls_of_a_day()

    def parts(self, prices: Prices, *, currency: str) -> Iterator[Part]:
        """Give each part of the bill for 1,000 jobs."""
        for name, price, units in self._units():
            per_thousand = units * 1_000 / self._workload.jobs_per_day
            yield Part(name, price, per_thousand, prices.of(price, per_thousand, currency=currency))

    def calls_of_a_thousand(self) -> dict[str, float]:
        """Give what 1,000 jobs call for, runs of timers included."""
        return {
            call: number * 1_000 / self._workload.jobs_per_day
            for call, number in sorted(self._per_day.items())
        }

    def _units(self) -> Iterator[tuple[str, str, float]]:
        """Give name, price and units of a day for each part."""
        per_day, workload = self._per_day, self._workload
        invocations = self._invocations()
        yield "function time and invocations", "function-unit", self._function_units(invocations)
        yield "Tablestore reads", "table-read", billing.table_reads(per_day)
        yield "Tablestore writes", "table-write", billing.table_writes(per_day)
        yield "OSS writes", "object-put", billing.object_requests(per_day, "put")
        yield "OSS reads", "object-get", billing.object_requests(per_day, "get")
        yield f"OSS storage, {workload.months:g} months", "object-month", self._stored() * workload.months
        messages = workload.jobs_per_day * workload.habits.callbacks * _REQUESTS_OF_A_MESSAGE
        yield "MNS requests", "queue-request", max(0.0, messages - _FREE_REQUESTS / _DAYS)
        yield "MNS queues", "queue-day", self._deployment.queues
        yield "MNS topics", "topic-day", self._deployment.topics
        yield "logs", "log-gigabyte", sum(invocations.values()) * workload.log_kb / _KILOBYTES

    def _calls_of_a_day(self) -> dict[str, float]:
        workload = self._workload
        runs = self._deployment.runs
        with_work = min(runs["reconcile"], workload.jobs_per_day * (len(calls.TIMER) + workload.habits.polls))
        parts: list[tuple[float, Calls]] = [
            (workload.jobs_per_day, calls.per_job(workload.habits)),
            (with_work, calls.RUN_WITH_WORK),
            *((runs[name], run) for name, run in calls.RUN_OF.items()),
        ]
        return calls.added(parts)

    def _invocations(self) -> dict[str, float]:
        jobs, habits, runs = self._workload.jobs_per_day, self._workload.habits, self._deployment.runs
        return {
            "track": jobs * habits.announced,
            "callback": jobs * habits.callbacks / self._workload.callbacks_at_once,
            "deliver": self._per_day.get("deliver.invoke", 0),
            "archive": self._per_day.get("archive.invoke", 0) + runs["archive"],
            "reconcile": runs["reconcile"],
        }

    def _function_units(self, invocations: Mapping[str, float]) -> float:
        workload = self._workload
        seconds = {name: number * workload.seconds[name] for name, number in invocations.items()}
        times = len(calls.TIMER) + workload.habits.polls
        seconds["reconcile"] += workload.jobs_per_day * times * workload.seconds_of_a_job
        units = 0.0
        for name, number in invocations.items():
            machine = self._deployment.machines[name]
            units += billing.function_units(
                invocations=number,
                seconds=seconds[name],
                cpu=machine.cpu,
                memory=machine.memory,
                disk=machine.disk,
            )
        return units

    def _stored(self) -> float:
        """Give the gigabytes that a day's jobs add to the archive."""
        habits, workload = self._workload.habits, self._workload
        kilobytes = 3 * workload.answer_kb + habits.pictures * workload.picture_kb
        return workload.jobs_per_day * kilobytes / _KILOBYTES
