"""The vendor of the demonstration: it has the jobs that the samples are about, and agrees with them."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from localcloud.media.gateway import Gateway
from localcloud.media.ice import IceProduction
from localcloud.media.jobs import JobService, Pace
from localcloud.media.mts import MtsProduction, MtsVideoQuality, QualityOutcome
from localcloud.media.production import ProductionOutcome
from localcloud.media.quality_results import draw
from localcloud.media.vod import Outcome, Vod
from shared.errors import ParseError
from shared.inbound.notifications import Notification, SetAside, read
from shared.jobs import JobRef
from shared.ports import Clock
from shared.toolkit.context import Credentials
from shared.toolkit.message import Messages
from shared.toolkit.triggers import recognize
from shared.vendor import ApiRequest

KEYS = Credentials("demoAccessKeyId", "demoAccessKeySecret")
USER_ID = "1000000000000001"
REGION = "cn-shanghai"
RESULTS = "oss://example-results.oss-cn-shanghai.aliyuncs.com/"
QUALITY_QUEUE = "video-quality"  # the queue of the sample whose message does not say what it is
PACE = Pace()
_HOST = re.compile(r"https?://[^/\"]+/")


@dataclass(frozen=True)
class Told:
    """A job as a sample callback tells of it."""

    sample: str
    ref: JobRef
    failed: bool
    body: Mapping[str, Any]

    @property
    def source(self) -> str:
        """Name what the job works on: the local vendor keys its outcomes by it."""
        if self.ref.kind == "vod.media_audit":
            return str(self.body.get("MediaId") or f"media-{self.ref.job_id}")
        return f"oss://example-media.oss-cn-shanghai.aliyuncs.com/{self.ref.job_id}.mp4"


def told_by(path: Path) -> Iterator[Told]:
    """Read from a sample which jobs it is about."""
    trigger = recognize(path.read_bytes())
    for message in trigger.messages if isinstance(trigger, Messages) else ():
        if message.reason is not None:
            continue
        try:
            found = read(message.body)
        except ParseError:
            continue
        if isinstance(found, SetAside) or not (
            isinstance(found, Notification) or message.source == QUALITY_QUEUE
        ):
            continue
        failed = found.claim is not None and found.claim.status == "failed"
        yield Told(path.name, found.ref, failed, json.loads(message.body))


def without_callback(told: Sequence[Told]) -> list[Told]:
    """Make jobs of three kinds, like the first good one of each that is told of; no sample tells of these."""
    good = [one for one in told if not one.failed and one.ref.kind != MtsVideoQuality.kind]
    first = {one.ref.kind: one for one in reversed(good)}
    return [
        replace(one, sample="", ref=JobRef(kind, f"lost{number:028x}"))
        for number, (kind, one) in enumerate(sorted(first.items()))
    ]


def told_over_http(told: Sequence[Told]) -> Told:
    """Make a review, like the first good one that is told of, whose callback no sample is."""
    one = next(one for one in told if one.ref.kind == Vod.kind and not one.failed)
    return replace(one, sample="", ref=JobRef(Vod.kind, f"http{0:028x}"))


class DemoVendor:
    """Four services behind one gateway; jobs get the ids of `told`, submitted in that order.

    `pictures` is where the pictures of reviews are served, such as `http://127.0.0.1:8080`.
    """

    def __init__(self, told: Sequence[Told], *, clock: Clock, buckets: Path, pictures: str) -> None:
        self.told = told

        def of(kind: str) -> Iterator[str]:
            return iter([one.ref.job_id for one in self.told if one.ref.kind == kind])

        def ends(kind: str) -> dict[str, Any]:
            return {one.source: _outcome(one, pictures) for one in self.told if one.ref.kind == kind}

        common: dict[str, Any] = {"clock": clock, "pace": PACE}
        self._services: dict[str, JobService[Any]] = {
            Vod.kind: Vod(job_ids=of(Vod.kind), outcomes=ends(Vod.kind), **common),
            MtsVideoQuality.kind: MtsVideoQuality(
                job_ids=of(MtsVideoQuality.kind), outcomes=ends(MtsVideoQuality.kind), oss=buckets, **common
            ),
            MtsProduction.kind: MtsProduction(
                job_ids=of(MtsProduction.kind), outcomes=ends(MtsProduction.kind), **common
            ),
            IceProduction.kind: IceProduction(
                job_ids=of(IceProduction.kind), outcomes=ends(IceProduction.kind), **common
            ),
        }
        actions = [action for service in self._services.values() for action in service.actions()]
        self.gateway = Gateway(actions, keys=(KEYS,), clock=clock, random=random.Random(0))

    def answer_raw(self, ref: JobRef, body: bytes) -> None:
        """Answer queries of a job with these bytes from now on."""
        self._services[ref.kind].answer_raw(ref.job_id, body)


def submission(told: Told) -> ApiRequest:
    """Give the request that submits a job, as its product wants it."""
    function = str(told.body.get("FunctionName") or "Cover")
    target = f"{RESULTS}{told.ref.job_id}"
    kind = told.ref.kind
    if kind == Vod.kind:
        return ApiRequest("vod", "2017-03-21", "SubmitAIMediaAuditJob", {"MediaId": told.source}, REGION)
    if kind == MtsVideoQuality.kind:
        quality = {"Input": told.source, "Output": f"{target}.txt", "SourceType": "Video", "UserId": USER_ID}
        return ApiRequest("mts", "2014-06-18", "SubmitVideoQualityJob", quality, REGION)
    if kind == MtsProduction.kind:
        production = {
            "FunctionName": function,
            "Input": told.source,
            "Output": f"{target}-{{sequenceId}}.mp4",
        }
        return ApiRequest("mts", "2014-06-18", "SubmitIProductionJob", production, REGION)
    objects = {
        "Input": json.dumps({"Type": "OSS", "Media": told.source}),
        "Output": json.dumps({"Type": "OSS", "Media": f"{target}.jpg"}),
    }
    return ApiRequest(
        "ice", "2020-11-09", "SubmitIProductionJob", {"FunctionName": function, **objects}, REGION
    )


def _outcome(told: Told, pictures: str) -> Outcome | QualityOutcome | ProductionOutcome:
    """Let a job end as its callback says."""
    if told.ref.kind == Vod.kind:
        return _review(told, pictures)
    if told.ref.kind == MtsVideoQuality.kind:
        results = draw(random.Random(told.ref.job_id))
        return QualityOutcome("Success", summary=results.summary, file=results.file)
    return ProductionOutcome("Fail" if told.failed else "Success")


def _review(told: Told, pictures: str) -> Outcome:
    if told.failed:
        return Outcome("fail", code=str(told.body.get("Code")), message=str(told.body.get("Message")))
    data = told.body.get("Data")
    text = data if isinstance(data, str) else json.dumps(data)
    return Outcome("success", data=json.loads(_HOST.sub(f"{pictures}/", text)))
