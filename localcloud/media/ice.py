"""The production jobs of ICE, 2020-11-09: `SubmitIProductionJob` and `QueryIProductionJob`.

They bear the names of MTS's operations and nothing else of them: objects for texts, `Status` for
`State`, and a result without layers (query-apis.md 2.4, quirks 36 and 45).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from localcloud.media import production_results
from localcloud.media.jobs import Job
from localcloud.media.oss_urls import read_oss_url
from localcloud.media.production import ProductionOutcome, ProductionService
from localcloud.media.wire import Action, Answer, RefusedError, Tree, given, required
from shared.adapters.signing import timestamp

PRODUCT = "ice"
VERSION = "2020-11-09"

_PIPELINE = "a54fdc9c9aab413caef0d1150f565e86"
_PRIORITY = 6  # the default; which end of 1 to 10 comes first is told both ways (quirk 47)
_HOST = "oss-cn-shanghai.aliyuncs.com"


@dataclass(kw_only=True, eq=False)
class IceProduction(ProductionService):
    """Keeps the production jobs of ICE.

    `not_found_code` is what an unknown job is answered with: the real code is not documented
    (media-jobs.md 7.4).
    """

    kind = "ice.production"
    results = production_results.ICE_RESULTS
    nothing_more = production_results.ICE_NOTHING_MORE
    failure = production_results.ICE_NOTHING_MORE  # no field of an answer is for a reason

    not_found_code: str = "JobNotFound"

    _tokens: dict[str, str] = field(default_factory=dict, init=False, repr=False)

    def actions(self) -> tuple[Action, ...]:
        """List the operations for the gateway."""
        return (
            Action(PRODUCT, VERSION, "SubmitIProductionJob", self._submit),
            Action(PRODUCT, VERSION, "QueryIProductionJob", self._query),
        )

    def _submit(self, params: Mapping[str, str]) -> Answer:
        required(params, "FunctionName")
        required(params, "Input")
        for name in ("Output", "ScheduleConfig"):
            _read(params, name)
        media = _read(params, "Input").get("Media")
        if not isinstance(media, str) or not media:
            raise _invalid("Input")
        return {"JobId": self._open(params, source=media).job_id}

    def _query(self, params: Mapping[str, str]) -> Answer:
        job_id = required(params, "JobId")
        self._check_token(params.get("ClientToken", ""), job_id)
        unknown = RefusedError(404, self.not_found_code, "The specified job does not exist.")
        job = self._find(job_id, otherwise=unknown)
        return job.raw if job.raw is not None else self._describe(job)

    def _check_token(self, token: str, job_id: str) -> None:
        """Refuse a token that came with another job: the one error that the query's page names."""
        if token and self._tokens.setdefault(token, job_id) != job_id:
            raise RefusedError(
                400,
                "IdempotentParameterMismatch",
                "The request uses the same client token as a previous, but non-identical request. Do not"
                " reuse a client token with different requests, unless the requests are identical.",
            )

    def _describe(self, job: Job[ProductionOutcome]) -> dict[str, Tree]:
        output = _read(job.params, "Output")
        answer: dict[str, Tree] = {
            "JobId": job.job_id,
            **given(job.params, "Name", "FunctionName", "TemplateId", "JobParams", "UserData"),
            "Input": _read(job.params, "Input"),
            **({"Output": output} if output else {}),
            "ScheduleConfig": {
                "PipelineId": _PIPELINE,
                "Priority": _PRIORITY,
                **_read(job.params, "ScheduleConfig"),
            },
            "CreateTime": timestamp(job.created),
            "Status": self._status(job),
        }
        if self._has_ended(job):
            answer["FinishTime"] = timestamp(job.ends)
            if self._shows_result(job):
                answer["Result"] = self._result(job)
                if job.outcome.status == "Success":
                    answer.update(_files(output))
        return answer


def _files(output: Mapping[str, Tree]) -> dict[str, Tree]:
    """Name what was written; where there is no media id there is an empty one (quirk 44)."""
    is_media = output.get("Type") == "Media"
    address = output.get("OutputUrl" if is_media else "Media")
    file = read_oss_url(address.strip()) if isinstance(address, str) else None
    return {
        "OutputFiles": [file.key] if file else [],
        "OutputUrls": [f"http://{file.bucket}.{file.host or _HOST}/{file.key}"] if file else [],
        "OutputMediaIds": [output.get("Media", "")] if is_media else [""],
    }


def _read(params: Mapping[str, str], name: str) -> dict[str, Tree]:
    """Read an object that travels as JSON in a parameter (query-apis.md 2.4); none is an empty one."""
    try:
        tree = json.loads(params.get(name, "{}"))
    except (ValueError, RecursionError):
        raise _invalid(name) from None
    if not isinstance(tree, dict):
        raise _invalid(name)
    return tree


def _invalid(name: str) -> RefusedError:
    return RefusedError(400, f"Invalid{name}", f"Specified parameter {name} is not valid.")
