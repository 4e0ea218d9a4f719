"""Use the local Function Compute with the vendor's client for FC 3.0 and print what it understood, as JSON.

Runs in the environment of requirements/vendor.in, started by test_judged_by_the_vendor.py. Arguments: the
host and port of the API, the address of an HTTP trigger that wants signatures.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any
from urllib.parse import parse_qs, urlparse

import requests
from alibabacloud_fc20230330 import models  # type: ignore[import-not-found]
from alibabacloud_fc20230330.client import Client  # type: ignore[import-not-found]
from alibabacloud_tea_openapi.utils import Utils  # type: ignore[import-not-found]
from darabonba.exceptions import DaraException  # type: ignore[import-not-found]
from darabonba.request import DaraRequest  # type: ignore[import-not-found]
from darabonba.runtime import RuntimeOptions  # type: ignore[import-not-found]

from tests.localcloud.media.openapi_client import configured

SYNC_LIMIT, ASYNC_LIMIT = 32 * 1024 * 1024, 128 * 1024


def judge(endpoint: str, trigger: str) -> dict[str, Any]:
    """Invoke in every way, and ask what became of it."""
    own = Client(configured(endpoint, None))
    temporary = Client(
        configured(endpoint, None, key="STS.key", secret="temporary-secret", token="token/+==")
    )
    stranger = Client(configured(endpoint, None, secret="wrong"))
    return {
        "echo": invoke(own, "echo", b"\x00\xff event"),
        "qualified": invoke(own, "echo", b"event", qualifier="LATEST"),
        "temporary": invoke(temporary, "echo", b"event"),
        "log": base64.b64decode(
            invoke(own, "echo", b"event", log="Tail")["headers"]["x-fc-log-result"]
        ).decode(),
        "failed": invoke(own, "fail", b""),
        "large": len(invoke(own, "size", bytes(SYNC_LIMIT))["body"]) > 0,
        "task": task(own),
        "refused": {
            "unknown": refusal(lambda: invoke(own, "nobody", b"")),
            "qualifier": refusal(lambda: invoke(own, "echo", b"", qualifier="prod")),
            "busy": refusal(lambda: invoke(own, "busy", b"")),
            "secret": refusal(lambda: invoke(stranger, "echo", b"")),
            "sync": refusal(lambda: invoke(own, "size", bytes(SYNC_LIMIT + 1))),
            "async": refusal(lambda: invoke(own, "echo", bytes(ASYNC_LIMIT + 1), task="large")),
            "id": refusal(lambda: invoke(own, "echo", b"", task="1-digit-first")),
            "no_task": refusal(lambda: own.get_async_task("echo", "nobody", models.GetAsyncTaskRequest())),
        },
        "trigger": {
            "own": signed(f"{trigger}/hello?foo=bar&b=%E4%B8%AD", secret="own-secret"),
            "stranger": signed(f"{trigger}/hello?foo=bar", secret="wrong"),
        },
    }


def invoke(
    client: Client,
    function: str,
    body: bytes,
    *,
    task: str | None = None,
    log: str | None = None,
    qualifier: str | None = None,
) -> dict[str, Any]:
    headers = models.InvokeFunctionHeaders(
        x_fc_invocation_type="Async" if task else None, x_fc_async_task_id=task, x_fc_log_type=log
    )
    request = models.InvokeFunctionRequest(body=body, qualifier=qualifier)
    patience = RuntimeOptions(autoretry=False, read_timeout=60_000)
    answer = client.invoke_function_with_options(function, request, headers, patience)
    return {
        "status": answer.status_code,
        "headers": answer.headers,
        "body": answer.body.read().decode("latin-1") if answer.body else "",
    }


def task(client: Client) -> dict[str, Any]:
    """Hand in a task twice, and look at it."""
    first = invoke(client, "echo", b"a task", task="job-1")
    again = refusal(lambda: invoke(client, "echo", b"a task", task="job-1"))
    while True:
        found = client.get_async_task("echo", "job-1", models.GetAsyncTaskRequest()).body
        if found.status not in ("Enqueued", "Running"):
            break
    listed = client.list_async_tasks("echo", models.ListAsyncTasksRequest(prefix="job", limit=10)).body
    return {
        "accepted": [first["status"], first["headers"]["x-fc-async-task-id"]],
        "again": again,
        "found": [found.task_id, found.status, found.task_payload, found.return_payload],
        "times": found.started_time <= found.end_time,
        "listed": [(one.task_id, one.status) for one in listed.tasks],
    }


def refusal(call: Callable[[], object]) -> list[Any]:
    """Give status and code of what a call is refused with."""
    try:
        call()
    except DaraException as error:
        return [error.status_code, error.code, bool(error.message)]
    return []


def signed(url: str, *, secret: str) -> list[Any]:
    """Call an HTTP trigger as the vendor's page on signature authentication shows it."""
    headers = {
        "x-acs-date": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-security-token": "",
    }
    request, parts = DaraRequest(), urlparse(url)
    request.method, request.pathname, request.headers = "POST", parts.path.replace("$", "%24"), headers
    request.query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    headers["authorization"] = Utils.get_authorization(request, "ACS3-HMAC-SHA256", "", "own-key", secret)
    reply = requests.post(url, "hello world", headers=headers, timeout=30)
    return [reply.status_code, reply.text if reply.ok else reply.json()["Code"]]


if __name__ == "__main__":
    print(json.dumps(judge(*sys.argv[1:])))
