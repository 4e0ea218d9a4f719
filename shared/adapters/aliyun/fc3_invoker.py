"""`Invoker` for functions of Function Compute 3.0: signed requests of our own.

The vendor's client for it takes 0.28 s to import (local-servers.md 5); this is one call.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared.adapters.aliyun.fc_calls import FcCalls, FcTask
from shared.adapters.async_tasks import check_task
from shared.adapters.signing import Content, Envelope, percent_encode, sign_acs3
from shared.toolkit.context import Credentials
from shared.vendor import ApiRequest

if TYPE_CHECKING:
    from shared.ports import Clock

VERSION = "2023-03-30"


class Fc3Invoker:
    """Starts functions at `endpoint` (`https://host`), with the credentials of the moment.

    `prefix` stands before the name of every function.
    """

    def __init__(
        self,
        calls: FcCalls,
        *,
        endpoint: str,
        credentials: Callable[[], Credentials],
        clock: Clock,
        random: random.Random,
        prefix: str = "",
    ) -> None:
        self._calls = calls
        self._endpoint = endpoint.rstrip("/")
        self._credentials = credentials
        self._clock = clock
        self._random = random
        self._prefix = prefix

    def invoke(self, function: str, payload: bytes, *, task_id: str) -> bool:
        """See `Invoker.invoke`."""
        check_task(function, payload, task_id=task_id)
        name = self._prefix + function
        content = Content(
            path=f"/{VERSION}/functions/{percent_encode(name)}/invocations",
            body=payload,
            headers={
                "content-type": "application/octet-stream",
                "x-fc-async-task-id": task_id,
                "x-fc-invocation-type": "Async",
            },
        )
        envelope = Envelope(
            host=urlsplit(self._endpoint).netloc,
            now=self._clock.now(),
            nonce=f"{self._random.getrandbits(128):032x}",
        )
        request = ApiRequest("fc", VERSION, "InvokeFunction")
        signed = sign_acs3(request, self._credentials(), envelope, content)
        return self._calls.send(
            f"{self._endpoint}{content.path}", signed.headers, payload, task=FcTask(name, task_id)
        )

    def close(self) -> None:
        """Close the kept connections."""
        self._calls.close()
