"""Ask the local media API with the vendor's own client and print what it understood, as JSON.

Runs in an environment that has only the vendor's packages (requirements/vendor-vod.in), started by
test_judged_by_the_vendor.py. Argument: the host and port of the API.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from alibabacloud_tea_openapi.client import Client as OpenApiClient  # type: ignore[import-not-found]
from alibabacloud_tea_openapi.models import Config, OpenApiRequest, Params  # type: ignore[import-not-found]
from alibabacloud_vod20170321 import models  # type: ignore[import-not-found]
from alibabacloud_vod20170321.client import Client  # type: ignore[import-not-found]
from darabonba.runtime import RuntimeOptions  # type: ignore[import-not-found]

HOSTILE = "a b*c~d+e/中&=%\"'<?#\U0001f39e"


def main(endpoint: str) -> None:
    schemes = {"acs3": None, "rpc1": "v2"}
    report = {name: judge(endpoint, algorithm) for name, algorithm in schemes.items()}
    json.dump({**report, "endpoints": default_endpoints()}, sys.stdout)


def judge(endpoint: str, algorithm: str | None) -> dict[str, Any]:
    """Play the life of a job and every documented refusal with one signature scheme."""

    def config(key: str = "own-key", secret: str = "own-secret", token: str | None = None) -> Config:
        return Config(
            access_key_id=key,
            access_key_secret=secret,
            security_token=token,
            endpoint=endpoint,
            protocol="http",
            signature_algorithm=algorithm,
        )

    own = Client(config())
    temporary = Client(config("STS.key", "temporary-secret", "token/+=="))
    without_token = Client(config("STS.key", "temporary-secret"))
    wrong_token = Client(config("STS.key", "temporary-secret", "another"))
    wrong_secret = Client(config(secret="wrong"))
    unknown_key = Client(config(key="nobody"))
    generic = OpenApiClient(config())

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
        "afterwards": describe(own, job_id)["Status"],
    }


def describe(client: Client, job_id: str | None) -> dict[str, Any]:
    answer = client.get_aimedia_audit_job(models.GetAIMediaAuditJobRequest(job_id=job_id))
    described: dict[str, Any] = answer.body.to_map()["MediaAuditJob"]
    return described


def troubled(client: Client, generic: OpenApiClient, trouble: dict[str, str], job_id: str) -> dict[str, Any]:
    call(generic, "MakeTrouble", trouble)
    return describe(client, job_id)


def call(
    client: OpenApiClient,
    action: str,
    params: dict[str, str],
    *,
    version: str = "2017-03-21",
    method: str = "POST",
    in_body: bool = False,
) -> dict[str, Any]:
    """Use the client that knows no operation, as for those that the SDKs have dropped."""
    answer = client.call_api(
        Params(
            action=action,
            version=version,
            protocol="HTTP",
            pathname="/",
            method=method,
            auth_type="AK",
            style="RPC",
            req_body_type="formData",
            body_type="json",
        ),
        OpenApiRequest(body=params) if in_body else OpenApiRequest(query=params),
        RuntimeOptions(),
    )
    body: dict[str, Any] = answer["body"]
    return body


def failure(attempt: Callable[[], object]) -> dict[str, Any]:
    try:
        attempt()
    except Exception as error:  # what the client raises is what is reported
        return {
            "type": type(error).__name__,
            "code": getattr(error, "code", None),
            "status": getattr(error, "status_code", None),
            "retry_after": getattr(error, "retry_after", None),
            "body_keys": sorted(getattr(error, "data", None) or {}),
        }
    return {"type": None}


def default_endpoints() -> dict[str, str]:
    regions = ("cn-shanghai", "cn-beijing", "cn-hangzhou", "cn-shenzhen", "ap-southeast-1", "eu-central-1")
    key = {"access_key_id": "key", "access_key_secret": "secret"}
    return {region: str(Client(Config(region_id=region, **key))._endpoint) for region in regions}


if __name__ == "__main__":
    main(sys.argv[1])
