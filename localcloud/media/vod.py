"""The review jobs of VOD: `SubmitAIMediaAuditJob` and `GetAIMediaAuditJob`, 2017-03-21.

A job waits, is processed and ends as its clock moves on; nothing runs in between. What it ends with
is given by the caller for a media id, or drawn from a seed, so that one seed is one world.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from localcloud.media.audit_results import draw
from localcloud.media.wire import Action, Answer, RefusedError, Tree, required
from shared.adapters.signing import timestamp

if TYPE_CHECKING:
    from shared.ports import Clock

PRODUCT = "vod"
VERSION = "2017-03-21"

# One drawn job in so many fails.
_FAILS_ONE_IN = 12


@dataclass(frozen=True)
class Pace:
    """How long a job waits and how long it is processed."""

    waiting_ms: int = 2_000
    processing_ms: int = 8_000


@dataclass(frozen=True)
class Outcome:
    """How a job ends: with a result tree, or with a code and a message."""

    status: Literal["success", "fail"]
    data: Tree = None
    code: str = "0"
    message: str = "OK"


@dataclass
class _Job:
    job_id: str
    media_id: str
    created: int
    outcome: Outcome
    held_back: int = 0
    raw: bytes | None = None


class Vod:
    """Keeps review jobs. `job_ids` names the first jobs, so that recorded callbacks can be replayed.

    `not_found_code` is what an unknown job is answered with: the real code is not documented
    (media-jobs.md 7.4).
    """

    def __init__(
        self,
        *,
        clock: Clock,
        seed: int = 0,
        pace: Pace | None = None,
        outcomes: Mapping[str, Outcome] | None = None,
        job_ids: Iterator[str] | None = None,
        not_found_code: str = "InvalidJobId.NotFound",
    ) -> None:
        self._clock = clock
        self._seed = seed
        self._random = random.Random(seed)
        self._pace = pace or Pace()
        self._outcomes = outcomes or {}
        self._job_ids = iter(()) if job_ids is None else job_ids
        self._not_found_code = not_found_code
        self._jobs: dict[str, _Job] = {}

    def actions(self) -> tuple[Action, ...]:
        """List the operations for the gateway."""
        return (
            Action(PRODUCT, VERSION, "SubmitAIMediaAuditJob", self._submit),
            Action(PRODUCT, VERSION, "GetAIMediaAuditJob", self._get),
        )

    def hold_back(self, job_id: str, queries: int) -> None:
        """Leave `Data` out of the next answers that say success: the state is ahead of the result."""
        self._job(job_id).held_back = queries

    def answer_raw(self, job_id: str, body: bytes | None) -> None:
        """Answer queries of this job with these bytes, whatever they are; None ends it."""
        self._job(job_id).raw = body

    def _submit(self, params: Mapping[str, str]) -> Answer:
        media_id = required(params, "MediaId")
        job_id = next(self._job_ids, None) or f"{self._random.getrandbits(128):032x}"
        self._jobs[job_id] = _Job(job_id, media_id, self._clock.now(), self._outcome(media_id))
        return {"JobId": job_id, "MediaId": media_id}

    def _get(self, params: Mapping[str, str]) -> Answer:
        job = self._job(required(params, "JobId"))
        return job.raw if job.raw is not None else {"MediaAuditJob": self._describe(job)}

    def _job(self, job_id: str) -> _Job:
        try:
            return self._jobs[job_id]
        except KeyError:
            raise RefusedError(404, self._not_found_code, "The specified job does not exist.") from None

    def _outcome(self, media_id: str) -> Outcome:
        if media_id in self._outcomes:
            return self._outcomes[media_id]
        # Seeded by the media too, so the order of submissions does not change what a media gets.
        drawn = random.Random(f"{self._seed}/{media_id}")
        if drawn.randrange(_FAILS_ONE_IN) == 0:
            # What codes a failed job can have is not documented.
            return Outcome("fail", code="InternalError", message="The media cannot be decoded.")
        return Outcome("success", data=draw(drawn, media_id))

    def _describe(self, job: _Job) -> dict[str, Tree]:
        status = self._status(job)
        answer: dict[str, Tree] = {
            "JobId": job.job_id,
            "MediaId": job.media_id,
            "Type": "AIMediaAudit",
            "Status": status,
            "CreationTime": timestamp(job.created),
        }
        if status in ("init", "processing"):
            return answer
        answer["CompleteTime"] = timestamp(job.created + self._pace.waiting_ms + self._pace.processing_ms)
        answer["Code"] = job.outcome.code
        answer["Message"] = job.outcome.message
        if status == "success" and job.held_back > 0:
            job.held_back -= 1
        elif job.outcome.data is not None:
            answer["Data"] = job.outcome.data
        return answer

    def _status(self, job: _Job) -> str:
        age = self._clock.now() - job.created
        if age < self._pace.waiting_ms:
            return "init"
        if age < self._pace.waiting_ms + self._pace.processing_ms:
            return "processing"
        return job.outcome.status
