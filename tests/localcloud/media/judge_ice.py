"""Ask the local media API with the vendor's own client for ICE and print what it understood, as JSON.

Runs in the environment of requirements/vendor.in, started by test_production_judged_by_the_vendor.py.
Arguments: the host and port of the API, the id of a job that is answered with the page's sample, the
functions to submit.
"""

from __future__ import annotations

import sys
from typing import Any

from alibabacloud_ice20201109 import models  # type: ignore[import-not-found]
from alibabacloud_ice20201109.client import Client  # type: ignore[import-not-found]
from alibabacloud_tea_openapi.client import Client as OpenApiClient  # type: ignore[import-not-found]
from alibabacloud_tea_openapi.models import Config  # type: ignore[import-not-found]

from tests.localcloud.media.openapi_client import call, failure, report

VERSION = "2020-11-09"


def judge(config: Config) -> dict[str, Any]:
    """Play the life of a job, all functions, the sample and the documented refusals."""
    client, generic = Client(config), OpenApiClient(config)
    _, _, sample, *functions = sys.argv
    first = submit(client, functions[0])
    life = []
    for _ in range(3):
        life.append(describe(client, first))
        call(generic, "AdvanceClock", {"Milliseconds": "1000"}, version=VERSION)
    others = {function: submit(client, function) for function in functions}
    call(generic, "AdvanceClock", {"Milliseconds": "2000"}, version=VERSION)
    describe(client, first, f"token-{config.signature_algorithm}")
    return {
        "life": life,
        "results": {function: describe(client, job_id)["Result"] for function, job_id in others.items()},
        "generic": call(generic, "QueryIProductionJob", {"JobId": first}, version=VERSION),
        "sample": describe(client, sample),
        "unknown_job": failure(lambda: describe(client, "nobody-knows-it")),
        "missing_job": failure(lambda: describe(client, None)),
        "token_again": describe(client, first, f"token-{config.signature_algorithm}"),
        "token_reused": failure(lambda: describe(client, sample, f"token-{config.signature_algorithm}")),
    }


def submit(client: Client, function: str) -> str:
    """Submit a job with every field that the model has."""
    job = models.SubmitIProductionJobRequest(
        function_name=function,
        name="测试任务",
        input=models.SubmitIProductionJobRequestInput(type="OSS", media="oss://bucket/in put.mp4"),
        output=models.SubmitIProductionJobRequestOutput(
            type="OSS", biz="IMS", media="oss://bucket/out/object.mp4", output_url="http://bucket.oss/o "
        ),
        template_id="****96e8864746a0b6f3****",
        job_params='{"Model":"gif"}',
        schedule_config=models.SubmitIProductionJobRequestScheduleConfig(
            pipeline_id="a-pipeline", priority=3
        ),
        user_data='{"test":1}',
    )
    return str(client.submit_iproduction_job(job).body.job_id)


def describe(client: Client, job_id: str | None, token: str | None = None) -> dict[str, Any]:
    query = models.QueryIProductionJobRequest(job_id=job_id, client_token=token)
    described: dict[str, Any] = client.query_iproduction_job(query).body.to_map()
    return described


if __name__ == "__main__":
    report(judge, sys.argv[1])
