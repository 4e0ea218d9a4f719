"""What Function Compute does with a request to invoke, in the paths and words of both versions."""

from __future__ import annotations

import json
import random
import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from localcloud.fc.signatures import verify
from localcloud.fc.tasks import Function, Tasks
from localcloud.loopback import HttpReply, HttpRequest, LoopbackServer
from localcloud.media.wire import RefusedError
from localcloud.runner import InvocationError
from shared.adapters.async_tasks import PAYLOAD_LIMIT
from shared.errors import PermanentError
from shared.toolkit.context import Credentials

if TYPE_CHECKING:
    from shared.ports import Clock

SYNC_LIMIT = 32 * 1024 * 1024  # function-compute.md 1.5
_PATHS = (
    re.compile(r"/2023-03-30/functions/(?P<function>[^/]+)/invocations"),
    re.compile(r"/2016-08-15/services/(?P<service>[^/]+)/functions/(?P<function>[^/]+)/invocations"),
)
# One name in each version (function-compute.md 2.2, "Async tasks").
_TASK_ID = ("x-fc-async-task-id", "x-fc-stateful-async-invocation-id")


@dataclass(frozen=True)
class Trouble:
    """What goes wrong with one valid request, for the sake of a test.

    `refused` is answered instead of doing it; with `after` it is done before. Without `refused` the
    connection ends without an answer.
    """

    refused: RefusedError | None = None
    after: bool = False


THROTTLED = Trouble(RefusedError(429, "ResourceThrottled", "the request is throttled, retry later"))
AWAY = Trouble(RefusedError(503, "ServiceUnavailable", "the service is unavailable"))
BROKEN = Trouble(RefusedError(500, "InternalServerError", "an internal error has occurred"), after=True)
ANSWER_LOST = Trouble(after=True)


class FcService:
    """Invokes functions for the owners of `keys`.

    `resolve` gives the function of a name, and raises `LookupError` for one that does not exist; what an
    asynchronous invocation starts is in `tasks`. A function of a service of FC 2.0 has its own name alone:
    the service counts for nothing but that one must be named.
    """

    def __init__(
        self,
        resolve: Callable[[str], Function],
        *,
        keys: Iterable[Credentials],
        clock: Clock,
        random: random.Random,
    ) -> None:
        self.tasks = Tasks(resolve)
        self._resolve = resolve
        self._keys: Mapping[str, Credentials] = {key.access_key_id: key for key in keys}
        self._clock = clock
        self._random = random
        self._troubles: deque[Trouble] = deque()
        self._drawing = threading.Lock()

    def plan(self, trouble: Trouble, *, times: int = 1) -> None:
        """Have the next valid requests go wrong."""
        self._troubles.extend([trouble] * times)

    def answer(self, request: HttpRequest) -> HttpReply | None:
        """Answer one request; a refusal is an answer too, and None hangs up."""
        with self._drawing:
            request_id = f"1-{self._random.getrandbits(32):08x}-{self._random.getrandbits(96):024x}"
        try:
            verify(request, self._keys, now=self._clock.now())
            trouble = self._troubles.popleft() if self._troubles else None
            if trouble is not None and not trouble.after:
                return _refusal(trouble.refused, request, request_id)
            reply = self._invoke(request)
            if trouble is not None:
                return _refusal(trouble.refused, request, request_id)
        except RefusedError as refused:
            return _refusal(refused, request, request_id)
        return HttpReply(reply.status, reply.body, {**reply.headers, "x-fc-request-id": request_id})

    def _invoke(self, request: HttpRequest) -> HttpReply:
        path = urlsplit(request.target).path
        found = next((match for pattern in _PATHS if (match := pattern.fullmatch(path))), None)
        if found is None or request.method != "POST":
            raise RefusedError(
                400, "PathNotSupported", f"'{path}' against '{request.method}' is not supported"
            )
        name = unquote(found["function"])
        if request.headers.get("x-fc-invocation-type", "Sync") == "Async":
            return self._start(name, request)
        return self._run(name, request.body)

    def _start(self, name: str, request: HttpRequest) -> HttpReply:
        _check_size(request.body, PAYLOAD_LIMIT)
        given = next((request.headers[header] for header in _TASK_ID if header in request.headers), None)
        with self._drawing:
            task_id = given or f"task-{self._random.getrandbits(128):032x}"
        try:
            accepted = self.tasks.accept(name, request.body, task_id=task_id)
        except LookupError:
            raise _unknown(name) from None
        except PermanentError as error:
            raise RefusedError(400, "InvalidArgument", error.message) from None
        if not accepted:
            raise RefusedError(409, "StatefulAsyncInvocationAlreadyExists", f"'{task_id}' exists already")
        return HttpReply(202, b"", {"x-fc-async-task-id": task_id})

    def _run(self, name: str, event: bytes) -> HttpReply:
        _check_size(event, SYNC_LIMIT)
        try:
            function = self._resolve(name)
        except LookupError:
            raise _unknown(name) from None
        try:
            answer = function(event)
        except Exception as error:
            # A failure of the function is a success of the invocation (function-compute.md 1.3).
            return HttpReply(200, _failure(error), {"x-fc-error-type": "UnhandledInvocationError"})
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return HttpReply(200, body, {"content-type": "application/octet-stream"})


def fc_server(service: FcService, *, port: int = 0) -> LoopbackServer:
    """Put a service behind a port; it serves while its `with` block lasts."""
    return LoopbackServer(service.answer, name="fc", port=port, max_body_bytes=2 * SYNC_LIMIT)


def _check_size(payload: bytes, limit: int) -> None:
    if len(payload) > limit:
        raise RefusedError(
            413, "EntityTooLarge", f"payload size exceeds maximum allowed size ({limit} bytes)"
        )


def _unknown(name: str) -> RefusedError:
    return RefusedError(404, "FunctionNotFound", f"function '{name}' does not exist")


def _failure(error: Exception) -> bytes:
    if isinstance(error, InvocationError):
        return error.body
    told = {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": []}
    return json.dumps(told, indent=4, sort_keys=True).encode()


def _refusal(refused: RefusedError | None, request: HttpRequest, request_id: str) -> HttpReply | None:
    """Write an error body as the version of the request has it; None where there is to be no answer."""
    if refused is None:
        return None
    is_fc2 = request.target.startswith("/2016-08-15/")
    names = ("ErrorCode", "ErrorMessage") if is_fc2 else ("Code", "Message")
    told = dict(zip(names, (refused.code, refused.message), strict=True))
    body = json.dumps({**told, "RequestId": request_id}).encode()
    headers = {"content-type": "application/json", "x-fc-request-id": request_id}
    return HttpReply(refused.status, body, {**headers, "x-fc-error-type": "FcCommonError"})
