"""The jobs of MTS, 2014-06-18: video quality review and intelligent production.

Two services, as their jobs have nothing in common but the version of the API. Error words are those of
the product's table (https://github.com/AlibabaCloudDocs/mts, 附录/错误码表).
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from localcloud.media import production_results
from localcloud.media.jobs import Job, JobService, draws_failure
from localcloud.media.oss_urls import OssFile, read_oss_url
from localcloud.media.production import ProductionOutcome, ProductionService
from localcloud.media.quality_results import draw
from localcloud.media.wire import Action, Answer, RefusedError, Tree, given, required
from shared.adapters.local.folder_object_store import FolderObjectStore

PRODUCT = "mts"
VERSION = "2014-06-18"

_ID_LENGTH = 32
_LONGEST_NUMBER = 19  # digits of a Long
_SUCCESS = "The job is completed successfully"


@dataclass(frozen=True)
class QualityOutcome:
    """How a review ends: with the text of `VideoQualityResults` and the bytes of the Output file.

    Without `file` none is written, although the answer names it.
    """

    status: Literal["Success", "Fail"]
    summary: str | None = None
    file: bytes | None = None
    message: str = _SUCCESS


@dataclass(kw_only=True, eq=False)
class MtsVideoQuality(JobService[QualityOutcome]):
    """Keeps video quality reviews. A job's source is its input; results that are not given are drawn.

    `oss` is a folder that stands for OSS: the Output file is `oss/<bucket>/<key>`, written when a
    query first sees its job's result.
    """

    kind = "mts.video_quality"

    oss: Path
    waiting: str = "Submitted"
    working: str = "Processing"

    _written: set[str] = field(default_factory=set, init=False, repr=False)

    def actions(self) -> tuple[Action, ...]:
        """List the operations for the gateway."""
        return (
            Action(PRODUCT, VERSION, "SubmitVideoQualityJob", self._submit),
            Action(PRODUCT, VERSION, "QueryVideoQualityJob", self._query),
        )

    def _submit(self, params: Mapping[str, str]) -> Answer:
        source = required(params, "Input")
        required(params, "SourceType")
        _output_file(params)
        _user_id(params)
        job = self._open(params, source=source)
        return {"Code": "Success", "Message": _SUCCESS, "JobId": job.job_id}

    def _query(self, params: Mapping[str, str]) -> Answer:
        job_id, user_id = _job_id(params), _user_id(params)
        unknown = RefusedError(400, "InvalidParameter.JobNotFound", "The job is not found.")
        job = self._find(job_id, otherwise=unknown)
        if _user_id(job.params) != user_id:
            # Not documented. The strict reading shows who asks in another's name.
            raise unknown
        if job.raw is not None:
            return job.raw
        # The words of the envelope are about the query, whatever became of the job (quirk 14).
        return {"Code": "Success", "Message": _SUCCESS, "Job": self._describe(job, user_id)}

    def _draw(self, source: str, drawn: random.Random) -> QualityOutcome:
        if draws_failure(drawn):
            return QualityOutcome("Fail", message="The resource operated cannot be found.")
        results = draw(drawn)
        return QualityOutcome("Success", summary=results.summary, file=results.file)

    def _describe(self, job: Job[QualityOutcome], user_id: int) -> dict[str, Tree]:
        answer: dict[str, Tree] = {
            "JobId": job.job_id,
            "UserId": user_id,
            "Status": self._status(job),
        }
        if self._has_ended(job):
            output = _output_file(job.params)
            answer["Message"] = job.outcome.message
            if job.outcome.status == "Success":
                answer["Output"] = output.key  # without the bucket (quirk 15)
            if self._shows_result(job):
                self._write(job, output)
                if job.outcome.summary is not None:
                    answer["VideoQualityResults"] = job.outcome.summary
        return answer

    def _write(self, job: Job[QualityOutcome], output: OssFile) -> None:
        """Write the Output file once: whoever takes it away finds that it stays away."""
        if job.outcome.file is not None and job.job_id not in self._written:
            key = f"{output.bucket}/{output.key}"
            FolderObjectStore(self.oss).put(key, job.outcome.file, content_type="text/plain")
            self._written.add(job.job_id)


@dataclass(kw_only=True, eq=False)
class MtsProduction(ProductionService):
    """Keeps the production jobs of MTS."""

    kind = "mts.production"
    results = production_results.MTS_RESULTS
    nothing_more = production_results.MTS_NOTHING_MORE
    failure = production_results.MTS_FAILURE

    def actions(self) -> tuple[Action, ...]:
        """List the operations for the gateway."""
        return (
            Action(PRODUCT, VERSION, "SubmitIProductionJob", self._submit),
            Action(PRODUCT, VERSION, "QueryIProductionJob", self._query),
        )

    def _submit(self, params: Mapping[str, str]) -> Answer:
        function = required(params, "FunctionName")
        if function == "TextToSpeech":
            job = self._open(params, source=params.get("Input", ""))
            return {"JobId": job.job_id, "Result": production_results.MTS_SPOKEN}
        source = required(params, "Input")
        required(params, "Output")
        return {"JobId": self._open(params, source=source).job_id}

    def _query(self, params: Mapping[str, str]) -> Answer:
        job_id = required(params, "JobId")
        job = self._jobs.get(job_id)
        if job is None:
            # No refusal: an answer without a state (quirk 65).
            return {"JobId": job_id}
        return job.raw if job.raw is not None else self._describe(job)

    def _describe(self, job: Job[ProductionOutcome]) -> dict[str, Tree]:
        # Input, Output with its placeholders and JobParams come back as they were submitted (quirk 34);
        # where no UserData was, the word null comes (media-jobs.md 5). No field holds a time.
        answer = {
            "JobId": job.job_id,
            **given(job.params, "FunctionName", "Input", "Output", "JobParams", "PipelineId"),
            "UserData": job.params.get("UserData", "null"),
            "State": self._status(job),
        }
        if self._has_ended(job) and self._shows_result(job):
            answer["Result"] = self._result(job)
        return answer


def _job_id(params: Mapping[str, str]) -> str:
    job_id = required(params, "JobId")
    if len(job_id) != _ID_LENGTH:  # what it is made of is not checked: the pages mask it (quirk 63)
        raise RefusedError(
            400,
            "InvalidParameter.UUIDFormatInvalid",
            'The parameter "JobId" is invalid.A uuid must:1)be comprised of chracters[a-f],numbers[0-9];'
            "2)be 32 characters long.",
        )
    return job_id


def _user_id(params: Mapping[str, str]) -> int:
    user_id = required(params, "UserId")
    if not (user_id.isascii() and user_id.isdigit() and len(user_id) <= _LONGEST_NUMBER):
        raise RefusedError(
            400,
            "InvalidParameter.NumberFormatInvalid",
            'The number format of parameter "UserId" is invalid.',
        )
    return int(user_id)


def _output_file(params: Mapping[str, str]) -> OssFile:
    file = read_oss_url(required(params, "Output"))
    if file is None:
        raise RefusedError(400, "InvalidParameter", 'The specified parameter "Output" is invalid.')
    return file
