"""The review jobs of VOD: `SubmitAIMediaAuditJob` and `GetAIMediaAuditJob`, 2017-03-21.

A job's source is its media id. A result that the caller does not give is drawn.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from localcloud.media.audit_results import PICTURES, draw
from localcloud.media.jobs import Job, JobService, Pace, draws_failure
from localcloud.media.wire import Action, Answer, RefusedError, Tree, required
from shared.adapters.signing import timestamp

__all__ = ["PRODUCT", "VERSION", "Outcome", "Pace", "Vod"]

PRODUCT = "vod"
VERSION = "2017-03-21"


@dataclass(frozen=True)
class Outcome:
    """How a job ends: with a result tree, or with a code and a message."""

    status: Literal["success", "fail"]
    data: Tree = None
    code: str = "0"
    message: str = "OK"


@dataclass(kw_only=True, eq=False)
class Vod(JobService[Outcome]):
    """Keeps review jobs.

    `not_found_code` is what an unknown job is answered with: the real code is not documented
    (media-jobs.md 7.4). `pictures` is where those of drawn results are.
    """

    kind = "vod.media_audit"

    waiting: str = "init"
    working: str = "processing"
    not_found_code: str = "InvalidJobId.NotFound"
    pictures: str = PICTURES

    def actions(self) -> tuple[Action, ...]:
        """List the operations for the gateway."""
        return (
            Action(PRODUCT, VERSION, "SubmitAIMediaAuditJob", self._submit),
            Action(PRODUCT, VERSION, "GetAIMediaAuditJob", self._get),
        )

    def _submit(self, params: Mapping[str, str]) -> Answer:
        media_id = required(params, "MediaId")
        return {"JobId": self._open(params, source=media_id).job_id, "MediaId": media_id}

    def _get(self, params: Mapping[str, str]) -> Answer:
        unknown = RefusedError(404, self.not_found_code, "The specified job does not exist.")
        job = self._find(required(params, "JobId"), otherwise=unknown)
        return job.raw if job.raw is not None else {"MediaAuditJob": self._describe(job)}

    def _draw(self, source: str, drawn: random.Random) -> Outcome:
        if draws_failure(drawn):
            # What codes a failed job can have is not documented.
            return Outcome("fail", code="InternalError", message="The media cannot be decoded.")
        return Outcome("success", data=draw(drawn, source, pictures=self.pictures))

    def _describe(self, job: Job[Outcome]) -> dict[str, Tree]:
        answer: dict[str, Tree] = {
            "JobId": job.job_id,
            "MediaId": job.params["MediaId"],
            "Type": "AIMediaAudit",
            "Status": self._status(job),
            "CreationTime": timestamp(job.created),
        }
        if self._has_ended(job):
            answer["CompleteTime"] = timestamp(job.ends)
            answer["Code"] = job.outcome.code
            answer["Message"] = job.outcome.message
            if self._shows_result(job) and job.outcome.data is not None:
                answer["Data"] = job.outcome.data
        return answer
