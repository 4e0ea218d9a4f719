"""Events of an HTTP trigger as layers.

order = http_request >> request_body >> model(Order)
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.toolkit.parser import Layer, ParseError, decode_json
from shared.toolkit.strict_json import any_text, check_unicode

_LAYER = "http"


@dataclass(frozen=True)
class HttpRequest:
    """A call of an HTTP trigger (function-compute.md 1.6). Names of headers are in lower case.

    `path` is decoded, `raw_path` as it was sent; `domain` is where it was sent to, empty where nobody says.
    """

    method: str
    path: str
    raw_path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    source_ip: str
    request_id: str
    domain: str = ""


def _request(event: bytes) -> HttpRequest:
    tree = decode_json(event, layer=_LAYER)
    if not isinstance(tree, dict):
        raise ParseError("no event of an HTTP trigger", layer=_LAYER)
    check_unicode(tree)
    context = _object(tree, "requestContext")
    http = _object(context, "http", within="requestContext.")
    return HttpRequest(
        method=_text(http, "method", within="requestContext.http."),
        path=_text(http, "path", within="requestContext.http."),
        raw_path=_text(tree, "rawPath"),
        headers=_headers(_texts(tree, "headers")),
        query=_texts(tree, "queryParameters"),
        body=_body(tree),
        source_ip=_text(http, "sourceIp", within="requestContext.http."),
        request_id=_text(context, "requestId", within="requestContext."),
        domain=any_text(context, "domainName") or "",
    )


def _body(tree: dict[str, Any]) -> bytes:
    body = _text(tree, "body") if tree.get("body") is not None else ""
    if tree.get("isBase64Encoded") is not True:
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except ValueError:
        raise ParseError("not base64, as it is said to be", layer=_LAYER, field="body") from None


def _headers(given: Mapping[str, str]) -> Mapping[str, str]:
    """Write names in lower case; values of names that differ in casing alone are one list (RFC 9110, 5.3)."""
    headers: dict[str, str] = {}
    for name, value in given.items():
        known = name.lower()
        headers[known] = f"{headers[known]},{value}" if known in headers else value
    return headers


def _object(tree: dict[str, Any], name: str, *, within: str = "") -> dict[str, Any]:
    value = tree.get(name)
    if not isinstance(value, dict):
        raise ParseError("missing, or no object", layer=_LAYER, field=within + name)
    return value


def _text(tree: dict[str, Any], name: str, *, within: str = "") -> str:
    value = tree.get(name)
    if not isinstance(value, str):
        raise ParseError("missing, or not text", layer=_LAYER, field=within + name)
    return value


def _texts(tree: dict[str, Any], name: str) -> dict[str, str]:
    values = tree.get(name)
    if values is None:
        return {}
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise ParseError("not an object of texts", layer=_LAYER, field=name)
    return values


http_request: Layer[bytes, HttpRequest] = Layer(_LAYER, _request)
request_body: Layer[HttpRequest, bytes] = Layer("body", lambda request: request.body)
