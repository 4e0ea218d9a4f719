"""`Invoker` for functions in a service of Function Compute 2.0, over the vendor's client.

The client names, signs and reads; the request itself is sent as all of ours are. By itself it would try
for half a minute to connect, know no deadline, and log the token of temporary keys (`_load_client`).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from shared.adapters.aliyun.fc_calls import FcCalls, FcTask
from shared.adapters.async_tasks import check_task
from shared.toolkit.context import Credentials

_loading = threading.Lock()


class Fc2Invoker:
    """Starts functions of `service` at `endpoint` (`https://host`), with the credentials of the moment.

    `prefix` stands before the name of every function.
    """

    def __init__(
        self,
        calls: FcCalls,
        *,
        endpoint: str,
        service: str,
        credentials: Callable[[], Credentials],
        prefix: str = "",
    ) -> None:
        self._calls = calls
        self._endpoint = endpoint.rstrip("/")
        self._service = service
        self._credentials = credentials
        self._prefix = prefix

    def invoke(self, function: str, payload: bytes, *, task_id: str) -> bool:
        """See `Invoker.invoke`."""
        check_task(function, payload, task_id=task_id)
        name, keys = self._prefix + function, self._credentials()
        client = _load_client()(
            endpoint=self._endpoint,
            accessKeyID=keys.access_key_id,
            accessKeySecret=keys.access_key_secret,
            securityToken=keys.security_token or "",
        )
        task = FcTask(f"{self._service}/{name}", task_id)
        accepted = False

        def send(method: str, path: str, headers: dict[str, str], params: None = None, *, body: bytes) -> Any:
            nonlocal accepted
            accepted = self._calls.send(f"{self._endpoint}{path}", headers, body, task=task)
            # What the client reads of an answer; this one was judged already.
            return SimpleNamespace(headers={}, content=b"")

        client._do_request = send
        client.invoke_function(
            self._service,
            name,
            payload=payload,
            headers={"x-fc-invocation-type": "Async", "x-fc-stateful-async-invocation-id": task_id},
        )
        return accepted

    def close(self) -> None:
        """Close the kept connections."""
        self._calls.close()


def _load_client() -> Any:
    """Import the client, and keep it from writing to the log.

    It writes to the root logger: at DEBUG what it signs, and at ERROR the headers of a refused request,
    each with the token of temporary keys.
    """
    with _loading:
        import fc2.auth  # type: ignore[import-untyped]  # no types
        import fc2.client  # type: ignore[import-untyped]  # no types

        silent = logging.Logger("fc2", level=logging.CRITICAL + 1)
        fc2.auth.logging = fc2.client.logging = silent
    return fc2.client.Client
