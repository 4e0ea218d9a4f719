"""Checks of both versions' signatures, in the vendor's error words.

FC 2.0: https://www.alibabacloud.com/help/en/functioncompute/fc-2-0/developer-reference/signature-authentication
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from calendar import timegm
from collections.abc import Mapping
from email.utils import mktime_tz, parsedate_tz
from time import strptime
from urllib.parse import unquote, urlsplit

from localcloud.loopback import HttpRequest
from localcloud.media import signatures
from localcloud.media.wire import RefusedError, WireRequest
from shared.toolkit.context import Credentials

TIME_WINDOW_MS = 15 * 60 * 1000  # https://www.alibabacloud.com/help/doc-detail/85445.htm


def verify(request: HttpRequest, keys: Mapping[str, Credentials], *, now: int) -> None:
    """Check key, token, signature and time; raise `RefusedError`."""
    wire = WireRequest(request.method, request.target, request.headers, request.body)
    if wire.is_acs3:
        stamp = signatures.verify(wire, keys)
        _check_time(timegm(strptime(stamp.timestamp, "%Y-%m-%dT%H:%M:%SZ")) * 1000, now)
    else:
        _verify_fc2(request, keys, now=now)


def fc2_signature(method: str, target: str, headers: Mapping[str, str], *, secret: str) -> str:
    """Sign a request of FC 2.0, in Base64; header names are lower-case."""
    named = sorted((name, value) for name, value in headers.items() if name.startswith("x-fc-"))
    lines = "".join(f"{name}:{value}\n" for name, value in named)
    text = "\n".join(
        (
            method,
            headers.get("content-md5", ""),
            headers.get("content-type", ""),
            headers.get("date", ""),
            lines + unquote(urlsplit(target).path),
        )
    )
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()


def _verify_fc2(request: HttpRequest, keys: Mapping[str, Credentials], *, now: int) -> None:
    headers = request.headers
    for name in ("authorization", "date"):
        if name not in headers:
            raise RefusedError(400, "MissingRequiredHeader", f"required HTTP header {name} was not specified")
    scheme, _, signed = headers["authorization"].partition(" ")
    key_id, _, signature = signed.partition(":")
    key = keys.get(key_id)
    if scheme != "FC" or key is None:
        raise RefusedError(403, "InvalidAccessKeyID", f"invalid access key ID '{key_id}'")
    if headers.get("x-fc-security-token", "") != (key.security_token or ""):
        raise RefusedError(403, "InvalidSecurityToken", "the security token is invalid")
    expected = fc2_signature(request.method, request.target, headers, secret=key.access_key_secret)
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise RefusedError(
            403,
            "SignatureNotMatch",
            "The request signature we calculated does not match the signature you provided."
            " Check your access key and signing method",
        )
    written = parsedate_tz(headers["date"])
    _check_time(mktime_tz(written) * 1000 if written else 0, now)


def _check_time(written: int, now: int) -> None:
    if abs(now - written) > TIME_WINDOW_MS:
        raise RefusedError(403, "RequestTimeTooSkewed", "the request's date is too far from the server's")
