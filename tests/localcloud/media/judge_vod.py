"""Ask the local media API with the vendor's own client for VOD and print what it understood, as JSON.

Runs in the environment of requirements/vendor.in, started by test_judged_by_the_vendor.py. Argument:
the host and port of the API.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

from alibabacloud_tea_openapi.client import Client as OpenApiClient  # type: ignore[import-not-found]
from alibabacloud_tea_openapi.models import Config  # type: ignore[import-not-found]
from alibabacloud_vod20170321 import models  # type: ignore[import-not-found]
from alibabacloud_vod20170321.client import Client  # type: ignore[import-not-found]

from tests.localcloud.media import openapi_client
from tests.localcloud.media.openapi_client import configured, failure, report

HOSTILE = "a b*c~d+e/中&=%\"'<?#\U0001f39e"

call = partial(openapi_client.call, version="2017-03-21")


def judge(config: Config) -> dict[str, Any]:
    """Play the life of a job and every documented refusal with one signature scheme."""
    another = partial(configured, config.endpoint, config.signature_algorithm)
    own = Client(config)
    temporary = Client(another(key="STS.key", secret="temporary-secret", token="token/+=="))
    without_token = Client(another(key="STS.key", secret="temporary-secret"))
    wrong_token = Client(another(key="STS.key", secret="temporary-secret", token="another"))
    wrong_secret = Client(another(secret="wrong"))
    unknown_key = Client(another(key="nobody"))
    generic = OpenApiClient(config)

    submitted = own.submit_aimedia_audit_job(
        models.SubmitAIMediaAuditJobRequest(media_id="media-1", template_id="", user_data='{"Extend":"é &"}')
    )
    job_id = submitted.body.job_id
    life = []
    for _ in range(3):
        life.append(describe(own, job_id))
        call(generic, "AdvanceClock", {"Milliseconds": "1000"})
    return {
        "submitted": submitted.body.to_map(),
        "life": life,
        "generic": call(generic, "GetAIMediaAuditJob", {"JobId": job_id}),
        "generic_get": call(generic, "GetAIMediaAuditJob", {"JobId": job_id}, method="GET"),
        "generic_form": call(generic, "GetAIMediaAuditJob", {"JobId": job_id}, in_body=True),
        "temporary": describe(temporary, job_id),
        "echo": call(generic, "Echo", {"Text": HOSTILE, "Empty": ""}),
        "echo_form": call(generic, "Echo", {"Text": HOSTILE, "Empty": ""}, in_body=True),
        "unknown_job": failure(lambda: describe(own, "nobody-knows-it")),
        "missing_job": failure(lambda: describe(own, None)),
        "wrong_secret": failure(lambda: describe(wrong_secret, job_id)),
        "unknown_key": failure(lambda: describe(unknown_key, job_id)),
        "without_token": failure(lambda: describe(without_token, job_id)),
        "wrong_token": failure(lambda: describe(wrong_token, job_id)),
        "unknown_action": failure(lambda: call(generic, "GetNothing", {})),
        "wrong_version": failure(lambda: call(generic, "GetAIMediaAuditJob", {}, version="1999-01-01")),
        "throttled": failure(lambda: troubled(own, generic, {"Throttle": "1"}, job_id)),
        "throttled_with_wait": failure(
            lambda: troubled(own, generic, {"Throttle": "1", "Wait": "3"}, job_id)
        ),
        "unavailable": failure(lambda: troubled(own, generic, {"BreakDown": "1"}, job_id)),
        "internal": failure(lambda: troubled(own, generic, {"Stumble": "1"}, job_id)),
        "afterwards": describe(own, job_id)["Status"],
    }


def describe(client: Client, job_id: str | None) -> dict[str, Any]:
    answer = client.get_aimedia_audit_job(models.GetAIMediaAuditJobRequest(job_id=job_id))
    described: dict[str, Any] = answer.body.to_map()["MediaAuditJob"]
    return described


def troubled(client: Client, generic: OpenApiClient, trouble: dict[str, str], job_id: str) -> dict[str, Any]:
    call(generic, "MakeTrouble", trouble)
    return describe(client, job_id)


def default_endpoints() -> dict[str, str]:
    regions = ("cn-shanghai", "cn-beijing", "cn-hangzhou", "cn-shenzhen", "ap-southeast-1", "eu-central-1")
    key = {"access_key_id": "key", "access_key_secret": "secret"}
    return {region: str(Client(Config(region_id=region, **key))._endpoint) for region in regions}


if __name__ == "__main__":
    report(judge, sys.argv[1], endpoints=default_endpoints())
