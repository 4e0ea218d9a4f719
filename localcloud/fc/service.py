"""What Function Compute does with a request to invoke, in the paths and words of both versions."""

from __future__ import annotations

import base64
import json
import random
import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from localcloud.fc.invocation import Resolve, execute, new_request_id
from localcloud.fc.signatures import verify
from localcloud.fc.task_api import list_tasks, show_task
from localcloud.fc.tasks import Tasks
from localcloud.loopback import HttpReply, HttpRequest, LoopbackServer
from localcloud.media.wire import RefusedError
from localcloud.runner import TooManyInstancesError
from shared.adapters.async_tasks import PAYLOAD_LIMIT
from shared.errors import PermanentError
from shared.toolkit.context import Credentials

if TYPE_CHECKING:
    from shared.ports import Clock

SYNC_LIMIT = 32 * 1024 * 1024  # function-compute.md 1.5
_FUNCTION = r"/2023-03-30/functions/(?P<function>[^/]+)"
_INVOKE = (
    re.compile(rf"{_FUNCTION}/invocations"),
    re.compile(r"/2016-08-15/services/(?P<service>[^/]+)/functions/(?P<function>[^/]+)/invocations"),
)
_ASK = re.compile(rf"{_FUNCTION}/async-tasks(?:/(?P<task>[^/]+))?")
# By whether it is FC 2.0 (function-compute.md 2.2, "Async tasks").
_TASK_ID = {False: "x-fc-async-task-id", True: "x-fc-stateful-async-invocation-id"}


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

    Asynchronous invocations go into `tasks`, by default its own, in which every function has the platform's
    rules. A function of a service of FC 2.0 has its own name alone: the service counts for nothing but that
    one must be named. There are no versions and aliases: only LATEST qualifies a function. `log_tail` gives
    the end of a function's log.
    """

    def __init__(
        self,
        resolve: Resolve,
        *,
        keys: Iterable[Credentials],
        clock: Clock,
        random: random.Random,
        tasks: Tasks | None = None,
        log_tail: Callable[[str], bytes] = lambda function: b"",
    ) -> None:
        self.tasks = tasks or Tasks(resolve, clock=clock, random=random)
        self._resolve = resolve
        self._log_tail = log_tail
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
            request_id = new_request_id(self._random)
        try:
            verify(request, self._keys, now=self._clock.now())
            trouble = self._troubles.popleft() if self._troubles else None
            if trouble is not None and not trouble.after:
                return _refusal(trouble.refused, request, request_id)
            reply = self._reply(request)
            if trouble is not None:
                return _refusal(trouble.refused, request, request_id)
        except RefusedError as refused:
            return _refusal(refused, request, request_id)
        return HttpReply(reply.status, reply.body, {**reply.headers, "x-fc-request-id": request_id})

    def _reply(self, request: HttpRequest) -> HttpReply:
        parts = urlsplit(request.target)
        query = dict(parse_qsl(parts.query))
        if request.method == "POST":
            for form in _INVOKE:
                if found := form.fullmatch(parts.path):
                    _check_qualifier(query)
                    return self._invoke(unquote(found["function"]), request)
        if request.method == "GET" and (found := _ASK.fullmatch(parts.path)):
            name = unquote(found["function"])
            if found["task"]:
                return show_task(self.tasks, name, unquote(found["task"]))
            return list_tasks(self.tasks, name, query)
        raise RefusedError(
            400, "PathNotSupported", f"'{parts.path}' against '{request.method}' is not supported"
        )

    def _invoke(self, name: str, request: HttpRequest) -> HttpReply:
        match request.headers.get("x-fc-invocation-type", "Sync"):
            case "Sync":
                return self._run(name, request)
            case "Async":
                return self._start(name, request)
        raise RefusedError(400, "InvalidArgument", "x-fc-invocation-type must be Sync or Async")

    def _start(self, name: str, request: HttpRequest) -> HttpReply:
        _check_size(request.body, PAYLOAD_LIMIT)
        given = request.headers.get(_TASK_ID[_is_fc2(request)])
        try:
            accepted = self.tasks.accept(name, request.body, task_id=given)
        except LookupError:
            raise _unknown(name) from None
        except PermanentError as error:
            raise RefusedError(400, "InvalidArgument", error.message) from None
        if accepted is None:
            raise RefusedError(409, "StatefulAsyncInvocationAlreadyExists", f"'{given}' exists already")
        return HttpReply(202, b"", {_TASK_ID[_is_fc2(request)]: accepted})

    def _run(self, name: str, request: HttpRequest) -> HttpReply:
        _check_size(request.body, SYNC_LIMIT)
        try:
            function = self._resolve(name)
        except LookupError:
            raise _unknown(name) from None
        try:
            outcome = execute(function, request.body)
        except TooManyInstancesError as error:
            raise RefusedError(429, "ResourceThrottled", f"'{name}' is throttled: {error}") from None
        headers = {"content-type": "application/octet-stream"}
        if outcome.error_type is not None:
            headers["x-fc-error-type"] = outcome.error_type
        if request.headers.get("x-fc-log-type") == "Tail":
            headers["x-fc-log-result"] = base64.b64encode(self._log_tail(name)).decode()
        return HttpReply(200, outcome.body, headers)


def fc_server(service: FcService, *, port: int = 0) -> LoopbackServer:
    """Put a service behind a port; it serves while its `with` block lasts."""
    return LoopbackServer(service.answer, name="fc", port=port, max_body_bytes=2 * SYNC_LIMIT)


def _check_size(payload: bytes, limit: int) -> None:
    if len(payload) > limit:
        raise RefusedError(
            413, "EntityTooLarge", f"payload size exceeds maximum allowed size ({limit} bytes)"
        )


def _is_fc2(request: HttpRequest) -> bool:
    return request.target.startswith("/2016-08-15/")


def _unknown(name: str) -> RefusedError:
    return RefusedError(404, "FunctionNotFound", f"function '{name}' does not exist")


def _check_qualifier(query: Mapping[str, str]) -> None:
    named = query.get("qualifier", "LATEST")
    if named != "LATEST":
        raise RefusedError(404, "QualifierNotFound", f"version or alias '{named}' does not exist")


def _refusal(refused: RefusedError | None, request: HttpRequest, request_id: str) -> HttpReply | None:
    """Write an error body as the version of the request has it; None where there is to be no answer."""
    if refused is None:
        return None
    names = ("ErrorCode", "ErrorMessage") if _is_fc2(request) else ("Code", "Message")
    told = dict(zip(names, (refused.code, refused.message), strict=True))
    body = json.dumps({**told, "RequestId": request_id}).encode()
    headers = {"content-type": "application/json", "x-fc-request-id": request_id}
    return HttpReply(refused.status, body, {**headers, "x-fc-error-type": "FcCommonError"})
