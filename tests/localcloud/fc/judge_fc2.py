"""Use the local Function Compute with the vendor's client for FC 2.0 and print what it understood, as JSON.

Started by test_judged_by_the_vendor.py in a process of its own. Argument: the endpoint.
"""

from __future__ import annotations

import base64
import json
import logging
import sys
from collections.abc import Callable
from typing import Any

import fc2  # type: ignore[import-untyped]  # no types

SYNC_LIMIT, ASYNC_LIMIT = 32 * 1024 * 1024, 128 * 1024


def judge(endpoint: str) -> dict[str, Any]:
    """Invoke in every way that the client knows."""
    own = fc2.Client(endpoint=endpoint, accessKeyID="own-key", accessKeySecret="own-secret")
    stranger = fc2.Client(endpoint=endpoint, accessKeyID="own-key", accessKeySecret="wrong")
    echoed = own.invoke_function("desk", "echo", b"\x00\xff event")
    logged = own.invoke_function("desk", "echo", b"event", headers={"x-fc-log-type": "Tail"})
    accepted = start(own, b"a task", "fc2-1")
    return {
        "echo": echoed.data.decode("latin-1"),
        "qualified": own.invoke_function("desk", "echo", b"event", qualifier="LATEST").data.decode(),
        "request_id": echoed.headers["x-fc-request-id"].startswith("1-"),
        "log": base64.b64decode(logged.headers["x-fc-log-result"]).decode(),
        "accepted": accepted.headers["x-fc-stateful-async-invocation-id"],
        "refused": {
            "failed": refusal(lambda: own.invoke_function("desk", "fail", b"")),
            "unknown": refusal(lambda: own.invoke_function("desk", "nobody", b"")),
            "busy": refusal(lambda: own.invoke_function("desk", "busy", b"")),
            "secret": refusal(lambda: stranger.invoke_function("desk", "echo", b"")),
            "again": refusal(lambda: start(own, b"a task", "fc2-1")),
            "sync": refusal(lambda: own.invoke_function("desk", "size", bytes(SYNC_LIMIT + 1))),
            "async": refusal(lambda: start(own, bytes(ASYNC_LIMIT + 1), "fc2-2")),
        },
    }


def start(client: fc2.Client, payload: bytes, task_id: str) -> Any:
    headers = {"x-fc-invocation-type": "Async", "x-fc-stateful-async-invocation-id": task_id}
    return client.invoke_function("desk", "echo", payload, headers=headers)


def refusal(call: Callable[[], object]) -> list[Any]:
    """Give status and code of what a call is refused with."""
    try:
        call()
    except fc2.FcError as error:
        return [error.status_code, error.err_code]
    return []


if __name__ == "__main__":
    logging.disable()  # the client logs what it raises
    print(json.dumps(judge(sys.argv[1])))
