"""HTTP triggers: a request becomes an event, what came of it a reply (function-compute.md 1.6). Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from localcloud.fc.invocation import Outcome
from localcloud.loopback import HttpReply, HttpRequest

AuthType = Literal["anonymous", "function", "jwt"]

HEADER_LIMIT = 8 * 1024
TARGET_LIMIT = 4 * 1024
BODY_LIMIT = 32 * 1024 * 1024


@dataclass(frozen=True)
class HttpTrigger:
    """Requests become synchronous invocations. `jwt` is the `authConfig` of that type of authentication."""

    function: str
    name: str
    auth: AuthType
    methods: tuple[str, ...]
    jwt: Mapping[str, Any] = field(default_factory=dict)


def http_event(
    request: HttpRequest, *, account: str, domain: str, request_id: str, now: int
) -> dict[str, Any]:
    """Write the event of a request; a body that is no text comes in base64."""
    parts = urlsplit(request.target)
    query: dict[str, str] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        query[name] = f"{query[name]},{value}" if name in query else value
    moment = datetime.fromtimestamp(now // 1_000, timezone.utc)
    return {
        "version": "v1",
        "rawPath": parts.path,
        **_body(request.body),
        "headers": {_canonical(name): value for name, value in request.headers.items()},
        "queryParameters": query,
        "requestContext": {
            "accountId": account,
            "domainName": domain,
            "domainPrefix": domain.partition(".")[0],
            "http": {
                "method": request.method,
                "path": unquote(parts.path),
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": request.headers.get("user-agent", ""),
            },
            "requestId": request_id,
            "time": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
            "timeEpoch": str(now),
        },
    }


def http_reply(outcome: Outcome) -> HttpReply:
    """Write what a function answered.

    An object with `statusCode` says all of it. Any other JSON is the body of a 200, and so is what is no
    JSON; with which type that goes, and that a failure of the function is a 502, no page tells.
    """
    if outcome.error_type is not None:
        headers = {"content-type": "application/json", "x-fc-error-type": outcome.error_type}
        return HttpReply(502, outcome.body, headers)
    try:
        tree = json.loads(outcome.body)
    except ValueError:
        return HttpReply(200, outcome.body, {"content-type": "text/plain; charset=utf-8"})
    if not (isinstance(tree, dict) and isinstance(tree.get("statusCode"), int)):
        return HttpReply(200, outcome.body, {"content-type": "application/json"})
    given = tree.get("headers")
    headers = {str(name): str(value) for name, value in given.items()} if isinstance(given, dict) else {}
    if "content-type" not in {name.lower() for name in headers}:
        headers["content-type"] = "application/json"
    body = tree.get("body", "")
    text = body if isinstance(body, str) else json.dumps(body)
    try:
        answered = base64.b64decode(text) if tree.get("isBase64Encoded") is True else text.encode()
    except ValueError:
        return HttpReply(502, b"the body is not base64, as it is said to be")
    return HttpReply(tree["statusCode"], answered, headers)


def _body(body: bytes) -> dict[str, Any]:
    try:
        return {"body": body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def _canonical(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))
