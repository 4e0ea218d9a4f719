"""Our own client and kinds against the local media APIs: asked, answered, normalized."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from localcloud.media.ice import IceProduction
from localcloud.media.jobs import JobService
from localcloud.media.mts import MtsProduction, MtsVideoQuality, QualityOutcome
from localcloud.media.quality_results import draw
from localcloud.media.server import MediaApiServer
from shared.adapters.clocks import ManualClock
from shared.adapters.media_api import SignedMediaApi
from shared.adapters.signing import AnswerFormat, Scheme
from shared.errors import JobNotFoundError
from shared.kinds import ice_production, mts_production, mts_video_quality
from shared.kinds.kind import JobQuery, Kind
from shared.record import JobRecord
from shared.vendor import ApiRequest, Part
from tests.localcloud.media.worlds import OWN, PACE, START, caller, ice_request, mts_request, new_gateway

MINUTE = 60_000
INPUT = "oss://in.oss-cn-shanghai.aliyuncs.com/1.mp4"
OUTPUT = "oss://out.oss-cn-shanghai.aliyuncs.com/results/1.txt"
USER_ID = "1253406881704637"

SUBMISSIONS: Mapping[str, ApiRequest] = {
    "mts.video_quality": mts_request(
        "SubmitVideoQualityJob", Input=INPUT, Output=OUTPUT, SourceType="Video", UserId=USER_ID
    ),
    "mts.production": mts_request("SubmitIProductionJob", FunctionName="Cover", Input=INPUT, Output=OUTPUT),
    "ice.production": ice_request(
        "SubmitIProductionJob",
        FunctionName="Cover",
        Input=json.dumps({"Type": "OSS", "Media": INPUT}),
        Output=json.dumps({"Type": "OSS", "Media": OUTPUT}),
    ),
}
KINDS = [mts_video_quality.KIND, mts_production.KIND, ice_production.KIND]

each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


def service_of(kind: Kind, oss: Path) -> JobService[Any]:
    clock = ManualClock(START)
    results = draw(random.Random(0))
    outcome = QualityOutcome("Success", summary=results.summary, file=results.file)
    services: Mapping[str, JobService[Any]] = {
        "mts.video_quality": MtsVideoQuality(clock=clock, pace=PACE, oss=oss, outcomes={INPUT: outcome}),
        "mts.production": MtsProduction(clock=clock, pace=PACE),
        "ice.production": IceProduction(clock=clock, pace=PACE),
    }
    return services[kind.name]


def asked(
    service: JobService[Any], request: ApiRequest, *, scheme: Scheme, answer_format: AnswerFormat
) -> Part:
    """Ask over a socket, with a signature."""
    with MediaApiServer(new_gateway(service.actions(), clock=service.clock)) as server:
        api = SignedMediaApi(
            credentials=lambda: OWN,
            clock=service.clock,
            random=random.Random(7),
            endpoints={"mts": server.endpoint, "ice": server.endpoint},
            scheme=scheme,
            answer_format=answer_format,
        )
        try:
            return api.call(request, deadline=service.clock.now() + MINUTE).part
        finally:
            api.close()


@each_kind
def test_both_schemes_and_both_formats_give_one_record(kind: Kind, tmp_path: Path) -> None:
    service = service_of(kind, tmp_path)
    job_id = caller(service).ask(SUBMISSIONS[kind.name])["JobId"]
    service.clock.sleep(PACE.waiting_ms + PACE.processing_ms)
    request = kind.request(JobQuery(job_id, user_id=USER_ID))

    in_json = asked(service, request, scheme="acs3", answer_format="json")
    in_xml = asked(service, request, scheme="rpc1", answer_format="xml")

    assert (in_json.format, in_xml.format) == ("json", "xml")
    record = kind.normalize([in_json])
    assert record == kind.normalize([in_xml])
    assert (record.status, record.job.job_id, record.incomplete) == ("succeeded", job_id, False)
    assert record.unmapped == ()


@each_kind
def test_a_job_that_goes_on_is_running(kind: Kind, tmp_path: Path) -> None:
    service = service_of(kind, tmp_path)
    job_id = caller(service).ask(SUBMISSIONS[kind.name])["JobId"]

    request = kind.request(JobQuery(job_id, user_id=USER_ID))
    part = asked(service, request, scheme="acs3", answer_format="json")

    assert kind.normalize([part]).status == "running"


@each_kind
def test_a_job_of_nobody_is_not_found(kind: Kind, tmp_path: Path) -> None:
    service = service_of(kind, tmp_path)
    request = kind.request(JobQuery("0" * 32, user_id=USER_ID))

    def settle() -> JobRecord:
        return kind.normalize([asked(service, request, scheme="acs3", answer_format="json")])

    with pytest.raises(JobNotFoundError):
        settle()


def test_the_file_of_a_review_is_found_where_it_was_asked_for(tmp_path: Path) -> None:
    kind = mts_video_quality.KIND
    service = service_of(kind, tmp_path)
    job_id = caller(service).ask(SUBMISSIONS[kind.name])["JobId"]
    service.clock.sleep(PACE.waiting_ms + PACE.processing_ms)
    query = JobQuery(job_id, user_id=USER_ID, output=OUTPUT)
    answer = asked(service, kind.request(query), scheme="acs3", answer_format="json")

    (file,) = kind.files([answer], query)
    output = Part(file.part, file.format, (tmp_path / "out" / "results" / "1.txt").read_bytes())
    record = kind.normalize([answer, output])

    assert file.uri == OUTPUT
    assert (record.unmapped, record.repaired) == ((), ())
    assert record.findings
    assert all(finding.other_sources for finding in record.findings)
