"""The obvious function on the vendor's clients, as their pages show them: ask, keep the answer, put a row.

Knows nothing of callbacks that come twice, early or out of order, and tries nothing again beyond what the
clients do. Runs in the environment of requirements/bench-cold-start.in.
"""

from __future__ import annotations

import json
import os
from typing import Any

# They are installed in an environment of the benchmark's own, and come without types: hence the exceptions.
import oss2  # type: ignore[import-not-found]
import tablestore  # type: ignore[import-untyped,unused-ignore]
from alibabacloud_credentials.client import Client as CredentialsClient  # type: ignore[import-untyped]
from alibabacloud_ice20201109.client import Client as IceClient  # type: ignore[import-not-found]
from alibabacloud_ice20201109.models import QueryIProductionJobRequest as QueryOfIce  # type: ignore[import-not-found]
from alibabacloud_mts20140618.client import Client as MtsClient  # type: ignore[import-not-found]
from alibabacloud_mts20140618.models import QueryIProductionJobRequest as QueryOfMts  # type: ignore[import-not-found]
from alibabacloud_tea_openapi.models import Config  # type: ignore[import-not-found]
from alibabacloud_vod20170321.client import Client as VodClient  # type: ignore[import-not-found]
from alibabacloud_vod20170321.models import GetAIMediaAuditJobRequest  # type: ignore[import-not-found]


def handler(event: bytes, context: object) -> list[str]:
    """Settle each callback of an MNS queue; give the keys of what was kept."""
    return [settle(json.loads(message["data"]["messageBody"])) for message in json.loads(event)]


def settle(callback: dict[str, Any]) -> str:
    """Ask for the job's result, put it into the bucket, and a row into the table."""
    credentials = CredentialsClient()
    answer = json.dumps(ask(callback, credentials), ensure_ascii=False)
    key = f"theirs/{callback['JobId']}.json"
    keys = credentials.get_credential()
    own = keys.get_access_key_id(), keys.get_access_key_secret()
    bucket = oss2.Bucket(
        oss2.AuthV4(*own), os.environ["OSS_ENDPOINT"], os.environ["OSS_BUCKET"], region=os.environ["REGION"]
    )
    bucket.put_object(key, answer.encode())
    tables = tablestore.OTSClient(os.environ["OTS_ENDPOINT"], *own, os.environ["OTS_INSTANCE"])
    row = tablestore.Row([("job_key", key)], [("state", callback["Status"]), ("object", key)])
    tables.put_row(os.environ["OTS_TABLE"], row)
    return key


def ask(callback: dict[str, Any], credentials: CredentialsClient) -> object:
    """Ask the product that called back."""
    config = Config(credential=credentials, endpoint=os.environ["MEDIA_ENDPOINT"], protocol="http")
    job_id = callback["JobId"]
    if callback.get("EventType") == "AIMediaAuditComplete":
        request = GetAIMediaAuditJobRequest(job_id=job_id)
        return VodClient(config).get_aimedia_audit_job(request).body.to_map()
    if callback.get("EventType") == "AIProduceComplete":
        return IceClient(config).query_iproduction_job(QueryOfIce(job_id=job_id)).body.to_map()
    return MtsClient(config).query_iproduction_job(QueryOfMts(job_id=job_id)).body.to_map()
