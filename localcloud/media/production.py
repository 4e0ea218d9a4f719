"""What intelligent production has in common in MTS and in ICE: the algorithms are the same."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from localcloud.media.jobs import Job, JobService


@dataclass(frozen=True)
class ProductionOutcome:
    """How a job ends. `result` is the text of its `Result`; None is the one that the pages print."""

    status: Literal["Success", "Fail"] = "Success"
    result: str | None = None


@dataclass(kw_only=True, eq=False)
class ProductionService(JobService[ProductionOutcome]):
    """Keeps production jobs. A job's source is its input media; none fails unless the caller says so."""

    results: ClassVar[Mapping[str, str]]
    nothing_more: ClassVar[str]
    failure: ClassVar[str]

    waiting: str = "Queuing"
    working: str = "Analysing"

    def _draw(self, source: str, drawn: random.Random) -> ProductionOutcome:
        return ProductionOutcome()

    def _result(self, job: Job[ProductionOutcome]) -> str:
        if job.outcome.result is not None:
            return job.outcome.result
        if job.outcome.status == "Fail":
            return self.failure
        return self.results.get(job.params["FunctionName"], self.nothing_more)
