"""Ask the local media API with the vendor's present client for MTS and print what it understood, as JSON.

Runs in the environment of requirements/vendor.in, started by test_production_judged_by_the_vendor.py and
test_video_quality_judged_by_the_vendor.py. This client has a model for production jobs; the operations of
the quality review were taken out of it, so they are called by name. Arguments: the host and port of the
API, the id of a review that is answered with the page's sample, its user, the functions to submit.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

from alibabacloud_mts20140618 import models  # type: ignore[import-not-found]
from alibabacloud_mts20140618.client import Client  # type: ignore[import-not-found]
from alibabacloud_tea_openapi.client import Client as OpenApiClient  # type: ignore[import-not-found]
from alibabacloud_tea_openapi.models import Config  # type: ignore[import-not-found]

from tests.localcloud.media import openapi_client
from tests.localcloud.media.openapi_client import failure, report

call = partial(openapi_client.call, version="2014-06-18")


def judge(config: Config) -> dict[str, Any]:
    """Play production jobs through the model, and the sample of the quality review by name."""
    client, generic = Client(config), OpenApiClient(config)
    _, _, sample, user_id, *functions = sys.argv
    query = {"JobId": sample, "UserId": user_id}
    first = submit(client, functions[0])
    life = []
    for _ in range(3):
        life.append(describe(client, first))
        call(generic, "AdvanceClock", {"Milliseconds": "1000"})
    others = {function: submit(client, function) for function in functions}
    call(generic, "AdvanceClock", {"Milliseconds": "2000"})
    spoken = client.submit_iproduction_job(
        models.SubmitIProductionJobRequest(function_name="TextToSpeech", job_params='{"voice":"xiaoyun"}')
    )
    return {
        "life": life,
        "results": {function: describe(client, job_id)["Result"] for function, job_id in others.items()},
        "spoken": spoken.body.to_map(),
        "foreign": describe(client, "0" * 32),
        "missing_job": failure(lambda: describe(client, None)),
        "has_model_of_quality": hasattr(client, "query_video_quality_job"),
        "quality": call(generic, "QueryVideoQualityJob", query),
        "quality_form": call(generic, "QueryVideoQualityJob", query, in_body=True),
        "quality_get": call(generic, "QueryVideoQualityJob", query, method="GET"),
    }


def submit(client: Client, function: str) -> str:
    job = models.SubmitIProductionJobRequest(
        function_name=function,
        input="oss://bucket.oss-cn-shanghai.aliyuncs.com/in put.mp4",
        output="oss://bucket.oss-cn-shanghai.aliyuncs.com/{source}-{timestamp}-{sequenceId}.mp4",
        job_params='{mode:"gif"}',
        pipeline_id="a-pipeline",
        user_data="用户 &",
    )
    return str(client.submit_iproduction_job(job).body.job_id)


def describe(client: Client, job_id: str | None) -> dict[str, Any]:
    query = models.QueryIProductionJobRequest(job_id=job_id)
    described: dict[str, Any] = client.query_iproduction_job(query).body.to_map()
    return described


if __name__ == "__main__":
    report(judge, sys.argv[1])
