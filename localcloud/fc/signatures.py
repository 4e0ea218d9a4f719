"""Checks of both versions' signatures, in the vendor's error words.

FC 2.0: https://www.alibabacloud.com/help/en/functioncompute/fc-2-0/developer-reference/signature-authentication
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from calendar import timegm
from collections.abc import Mapping
from datetime import datetime
from email.utils import mktime_tz, parsedate_tz
from time import strptime
from urllib.parse import unquote, urlsplit

from localcloud.loopback import HttpRequest
from localcloud.media import signatures
from localcloud.media.wire import RefusedError, WireRequest
from shared.adapters.signing import (
    ACS3_ALGORITHM,
    acs3_canonical_request,
    acs3_signature,
    acs3_string_to_sign,
    sha256_hex,
)
from shared.toolkit.context import Credentials

Keys = Mapping[str, Credentials]
"""Keys by their ids."""

_ACS3 = re.compile(
    rf"{ACS3_ALGORITHM} Credential=(?P<key>[^,\s]+),\s*SignedHeaders=(?P<signed>[^,\s]+),\s*"
    r"Signature=(?P<signature>[0-9a-f]+)"
)
TIME_WINDOW_MS = 15 * 60 * 1000  # https://www.alibabacloud.com/help/doc-detail/85445.htm


def verify(request: HttpRequest, keys: Keys, *, now: int) -> None:
    """Check key, token, signature and time; raise `RefusedError`."""
    wire = WireRequest(request.method, request.target, request.headers, request.body)
    if wire.is_acs3:
        stamp = signatures.verify(wire, keys)
        _check_time(timegm(strptime(stamp.timestamp, "%Y-%m-%dT%H:%M:%SZ")) * 1000, now)
    else:
        _verify_fc2(request, keys, now=now)


def verify_trigger(request: HttpRequest, keys: Keys, *, now: int) -> None:
    """Check the signature of a call of an HTTP trigger; raise `RefusedError`.

    Its time is all that must be signed, and the body's digest only where it is sent: so the vendor signs in
    https://help.aliyun.com/en/functioncompute/fc/user-guide/configure-signature-authentication-for-http-triggers
    """
    headers = request.headers
    if "x-acs-date" not in headers:
        raise RefusedError(403, "MissingRequiredHeader", "required HTTP header Date was not specified")
    found = _ACS3.fullmatch(headers.get("authorization", ""))
    signed = found["signed"].split(";") if found else []
    if not found or not {name for name in headers if name.startswith("x-acs-")} <= set(signed) <= set(
        headers
    ):
        raise RefusedError(403, "IncompleteSignature", "the request is not signed, or not all of it")
    key = keys.get(found["key"])
    if key is None:
        raise RefusedError(403, "InvalidAccessKeyID", f"invalid access key ID '{found['key']}'")
    _check_token(headers.get("x-acs-security-token", ""), key)
    expected = acs3_signature(_trigger_text(request, signed), secret=key.access_key_secret)
    if not hmac.compare_digest(expected, found["signature"]):
        raise _mismatch()
    _check_time(_acs3_time(headers["x-acs-date"]), now)


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


def _verify_fc2(request: HttpRequest, keys: Keys, *, now: int) -> None:
    headers = request.headers
    for name in ("authorization", "date"):
        if name not in headers:
            raise RefusedError(400, "MissingRequiredHeader", f"required HTTP header {name} was not specified")
    scheme, _, signed = headers["authorization"].partition(" ")
    key_id, _, signature = signed.partition(":")
    key = keys.get(key_id)
    if scheme != "FC" or key is None:
        raise RefusedError(403, "InvalidAccessKeyID", f"invalid access key ID '{key_id}'")
    _check_token(headers.get("x-fc-security-token", ""), key)
    expected = fc2_signature(request.method, request.target, headers, secret=key.access_key_secret)
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise _mismatch()
    written = parsedate_tz(headers["date"])
    _check_time(mktime_tz(written) * 1000 if written else 0, now)


def _trigger_text(request: HttpRequest, signed: list[str]) -> str:
    """Write down what a call of an HTTP trigger signs."""
    wire = WireRequest(request.method, request.target, request.headers, request.body)
    canonical = acs3_canonical_request(
        request.method,
        wire.path.replace("$", "%24"),
        query=wire.query,
        headers=request.headers,
        signed=signed,
        body=request.body,
    )
    if "x-acs-content-sha256" not in signed:  # then the body is not signed
        canonical = canonical.rpartition("\n")[0] + "\n"
    elif request.headers["x-acs-content-sha256"] != sha256_hex(request.body):
        raise _mismatch()
    return acs3_string_to_sign(canonical)


def _check_token(token: str, key: Credentials) -> None:
    if token != (key.security_token or ""):
        raise RefusedError(403, "InvalidSecurityToken", "the security token is invalid")


def _mismatch() -> RefusedError:
    return RefusedError(
        403,
        "SignatureNotMatch",
        "The request signature we calculated does not match the signature you provided."
        " Check your access key and signing method",
    )


def _acs3_time(text: str) -> int:
    try:
        return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)
    except ValueError:
        return 0


def _check_time(written: int, now: int) -> None:
    if abs(now - written) > TIME_WINDOW_MS:
        raise RefusedError(403, "RequestTimeTooSkewed", "the request's date is too far from the server's")
