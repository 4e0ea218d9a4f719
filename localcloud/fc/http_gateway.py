"""The addresses of HTTP triggers: a loopback port for each, as each has a domain on the cloud."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from localcloud.fc.http_trigger import (
    BODY_LIMIT,
    HEADER_LIMIT,
    TARGET_LIMIT,
    HttpTrigger,
    http_event,
    http_reply,
)
from localcloud.fc.invocation import Resolve, execute, new_request_id
from localcloud.fc.jwt import check_token, pass_claims
from localcloud.fc.signatures import Keys, verify_trigger
from localcloud.loopback import HttpReply, HttpRequest, LoopbackServer
from localcloud.media.wire import RefusedError
from localcloud.runner import TooManyInstancesError

if TYPE_CHECKING:
    from shared.ports import Clock


class HttpGateway:
    """Answers the requests to one HTTP trigger: who may come in, which size, what the function says."""

    def __init__(
        self,
        trigger: HttpTrigger,
        resolve: Resolve,
        *,
        keys: Keys,
        clock: Clock,
        random: random.Random,
        region: str,
        account: str,
    ) -> None:
        self._trigger = trigger
        self._resolve = resolve
        self._keys = keys
        self._clock = clock
        self._random = random
        self._domain = f"{trigger.function}-{trigger.name}.{region}.fcapp.run"
        self._account = account

    def answer(self, request: HttpRequest) -> HttpReply:
        """Answer one request; a refusal is an answer too."""
        request_id = new_request_id(self._random)
        try:
            reply = self._reply(request, request_id)
        except RefusedError as refused:
            told = {"Code": refused.code, "Message": refused.message, "RequestId": request_id}
            reply = HttpReply(refused.status, json.dumps(told).encode(), {"content-type": "application/json"})
        return HttpReply(reply.status, reply.body, {**reply.headers, "x-fc-request-id": request_id})

    def _reply(self, request: HttpRequest, request_id: str) -> HttpReply:
        _check_size(request)
        if self._trigger.methods and request.method not in self._trigger.methods:
            raise RefusedError(405, "MethodNotAllowed", f"'{request.method}' is not allowed")
        now = self._clock.now()
        event = http_event(
            request, account=self._account, domain=self._domain, request_id=request_id, now=now
        )
        if self._trigger.auth == "function":
            verify_trigger(request, self._keys, now=now)
        elif self._trigger.auth == "jwt":
            pass_claims(event, check_token(request, self._trigger.jwt, now=now), self._trigger.jwt)
        try:
            outcome = execute(self._resolve(self._trigger.function), json.dumps(event).encode())
        except TooManyInstancesError as error:
            raise RefusedError(429, "ResourceThrottled", str(error)) from None
        return http_reply(outcome)


def http_server(gateway: HttpGateway, *, port: int = 0) -> LoopbackServer:
    """Put a trigger behind a port; it serves while its `with` block lasts."""
    return LoopbackServer(gateway.answer, name="fc-http", port=port, max_body_bytes=BODY_LIMIT)


def _check_size(request: HttpRequest) -> None:
    """Hold a request to the limits of triggers (function-compute.md 1.6); no page tells how they are said."""
    if sum(len(name) + len(value) for name, value in request.headers.items()) > HEADER_LIMIT:
        raise RefusedError(431, "RequestHeaderFieldsTooLarge", f"headers have at most {HEADER_LIMIT} bytes")
    parts = urlsplit(request.target)
    if len(parts.path) + len(parts.query) > TARGET_LIMIT:
        raise RefusedError(414, "URITooLong", f"path and query have at most {TARGET_LIMIT} bytes together")
