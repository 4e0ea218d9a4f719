"""Signatures of requests, versions 2 and 4, and of answers, which the clients verify.

What is signed, and with which key: local-servers.md 2.2.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timezone

from localcloud.loopback import HttpRequest
from localcloud.tablestore.refusals import invalid, unauthenticated
from shared.toolkit.context import Credentials

_PREFIX = "x-ots-"
_NEEDED = ("x-ots-date", "x-ots-apiversion", "x-ots-accesskeyid", "x-ots-instancename", "x-ots-contentmd5")
_V2, _V4 = "x-ots-signature", "x-ots-signaturev4"
_DATE_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"
TIME_WINDOW_MS = 15 * 60 * 1000


class Signer:
    """Signs the answer to a verified request, with the key that signed the request."""

    def __init__(self, key_id: str, key: bytes) -> None:
        self._key_id = key_id
        self._key = key

    def headers(self, path: str, body: bytes, *, request_id: str, now: int) -> dict[str, str]:
        """Give the headers that make an answer one for the clients."""
        date = datetime.fromtimestamp(now / 1000, timezone.utc).strftime(_DATE_FORMAT)
        headers = {
            "x-ots-contentmd5": content_md5(body),
            "x-ots-contenttype": "protocol buffer",
            "x-ots-date": date,
            "x-ots-requestid": request_id,
        }
        signature = _signature(self._key, f"{_lines(headers)}\n{path}", "sha1")
        return {**headers, "authorization": f"OTS {self._key_id}:{signature}"}


def verify(request: HttpRequest, *, keys: Mapping[str, Credentials], now: int) -> Signer:
    """Check key, clock, body and signature, in the vendor's words."""
    headers = request.headers
    for name in _NEEDED:
        if name not in headers:
            raise invalid(f"Missing header: '{name}'.")
    if headers["x-ots-contentmd5"] != content_md5(request.body):
        raise unauthenticated("Mismatch between MD5 value of request body and x-ots-contentmd5 in header.")
    if abs(_epoch_ms(headers["x-ots-date"]) - now) > TIME_WINDOW_MS:
        raise unauthenticated(f"Mismatch between system time and x-ots-date: {headers['x-ots-date']}.")
    key = keys.get(headers["x-ots-accesskeyid"])
    if key is None:
        raise unauthenticated("The AccessKeyID does not exist.")
    # The vendor's words for a wrong or an old token are not documented.
    if headers.get("x-ots-ststoken", "") != (key.security_token or ""):
        raise unauthenticated("The security token is invalid or expired.")
    return _verified(request.target, headers, key)


def content_md5(body: bytes) -> str:
    """Give the MD5 of a body as headers carry it."""
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()


def _verified(path: str, headers: Mapping[str, str], key: Credentials) -> Signer:
    signed = {name: value for name, value in headers.items() if name.startswith(_PREFIX)}
    given = signed.pop(_V4, None)
    secret, algorithm, salt = key.access_key_secret.encode(), "sha1", ""
    if given is None:
        given = signed.pop(_V2, "")
    else:
        secret = _v4_key(key.access_key_secret, headers)
        algorithm, salt = "sha256", "ots"
    text = f"{path}\nPOST\n\n{_lines(signed)}\n{salt}"
    if not hmac.compare_digest(_signature(secret, text, algorithm).encode(), given.encode()):
        raise unauthenticated("Signature mismatch.")
    return Signer(key.access_key_id, secret)


def _v4_key(secret: str, headers: Mapping[str, str]) -> bytes:
    """Derive the key of a day and a region: the Base64 text of a chain of HMACs."""
    key = f"aliyun_v4{secret}".encode()
    for part in (headers.get("x-ots-signdate", ""), headers.get("x-ots-signregion", ""), "ots"):
        key = hmac.new(key, part.encode(), "sha256").digest()
    return base64.b64encode(hmac.new(key, b"aliyun_v4_request", "sha256").digest())


def _lines(headers: Mapping[str, str]) -> str:
    return "\n".join(sorted(f"{name}:{value.strip()}" for name, value in headers.items()))


def _signature(key: bytes, text: str, algorithm: str) -> str:
    return base64.b64encode(hmac.new(key, text.encode(), algorithm).digest()).decode()


def _epoch_ms(date: str) -> int:
    try:
        return int(datetime.strptime(date, _DATE_FORMAT).replace(tzinfo=timezone.utc).timestamp() * 1000)
    except ValueError:
        raise invalid(f"Invalid date format: {date}.") from None
