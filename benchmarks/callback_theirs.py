"""The naive function of `callback.py`, on clients that it keeps: ask VOD, keep the answer, put a row.

Like `cold_start_theirs.py`, which makes its clients for each callback as their pages do, it knows nothing of
callbacks that come twice, early or out of order. Runs in the environment of
requirements/bench-cold-start.in.
"""

from __future__ import annotations

import functools
import json
import os
from typing import Any, NamedTuple

# They are installed in an environment of the benchmark's own, and come without types: hence the exceptions.
import oss2  # type: ignore[import-not-found]
import tablestore  # type: ignore[import-untyped,unused-ignore]
from alibabacloud_credentials.client import Client as CredentialsClient  # type: ignore[import-untyped]
from alibabacloud_tea_openapi.models import Config  # type: ignore[import-not-found]
from alibabacloud_vod20170321.client import Client as VodClient  # type: ignore[import-not-found]
from alibabacloud_vod20170321.models import GetAIMediaAuditJobRequest  # type: ignore[import-not-found]


class Clients(NamedTuple):
    vod: Any
    bucket: Any
    tables: Any


@functools.cache
def clients() -> Clients:
    credentials = CredentialsClient()
    keys = credentials.get_credential()
    own = keys.get_access_key_id(), keys.get_access_key_secret()
    config = Config(credential=credentials, endpoint=os.environ["MEDIA_ENDPOINT"], protocol="http")
    auth, region = oss2.AuthV4(*own), os.environ["REGION"]
    return Clients(
        VodClient(config),
        oss2.Bucket(auth, os.environ["OSS_ENDPOINT"], os.environ["OSS_BUCKET"], region=region),
        tablestore.OTSClient(os.environ["OTS_ENDPOINT"], *own, os.environ["OTS_INSTANCE"]),
    )


def handler(event: bytes, context: object) -> list[str]:
    """Settle each callback of an MNS queue, one after the other; give the keys of what was kept."""
    return [settle(json.loads(message["data"]["messageBody"])) for message in json.loads(event)]


def settle(callback: dict[str, Any]) -> str:
    """Ask for the job's result, put it into the bucket, and a row into the table."""
    vod, bucket, tables = clients()
    request = GetAIMediaAuditJobRequest(job_id=callback["JobId"])
    answer = json.dumps(vod.get_aimedia_audit_job(request).body.to_map(), ensure_ascii=False)
    key = f"theirs/{callback['JobId']}.json"
    bucket.put_object(key, answer.encode())
    row = tablestore.Row([("job_key", key)], [("state", callback["Status"]), ("object", key)])
    tables.put_row(os.environ["OTS_TABLE"], row)
    return key
