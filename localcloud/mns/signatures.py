"""The check of a request's signature, in the vendor's error words.

The rules are those of the vendor's client, which judges them: `aliyun-mns-sdk` (local-servers.md 3).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from calendar import timegm
from collections.abc import Mapping
from email.utils import parsedate

from localcloud.loopback import HttpRequest
from localcloud.media.wire import RefusedError
from shared.toolkit.context import Credentials

CLOCK_SKEW_MS = 15 * 60 * 1000


def verify(http: HttpRequest, keys: Mapping[str, Credentials], *, now: int) -> None:
    """Check digest, time, key, token and signature; raise `RefusedError` with the vendor's code."""
    _check_digest(http)
    _check_time(http.headers.get("date"), now)
    key_id, signature = _authorization(http.headers.get("authorization"))
    key = keys.get(key_id)
    if key is None:
        raise RefusedError(403, "InvalidAccessKeyId", "The AccessKey Id you provided is not exist.")
    if http.headers.get("security-token", "") != (key.security_token or ""):
        raise RefusedError(403, "InvalidSecurityToken", "The security token you provided is invalid.")
    expected = sign(http, secret=key.access_key_secret)
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise RefusedError(
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided."
            " Check your key and signing method.",
        )


def sign(http: HttpRequest, *, secret: str) -> str:
    """Make the signature that a request should have."""
    headers = http.headers
    own = sorted(name for name in headers if name.startswith("x-mns-"))
    lines = [http.method, *(headers.get(name, "") for name in ("content-md5", "content-type", "date"))]
    lines += [f"{name}:{headers[name]}" for name in own]
    text = "\n".join([*lines, http.target])
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), hashlib.sha1)).decode()


def _authorization(header: str | None) -> tuple[str, str]:
    if header is None:
        raise RefusedError(400, "MissingAuthorizationHeader", "Authorization header is required.")
    scheme, _, rest = header.partition(" ")
    key_id, _, signature = rest.partition(":")
    if scheme != "MNS" or not signature:
        raise RefusedError(400, "InvalidAuthorizationHeader", "The Authorization header format is invalid.")
    return key_id, signature


def _check_digest(http: HttpRequest) -> None:
    """Check the body's MD5: the vendor's client writes its hex digits in base64, others its bytes."""
    given = http.headers.get("content-md5")
    md5 = hashlib.md5(http.body)
    if given not in (
        None,
        base64.b64encode(md5.hexdigest().encode()).decode(),
        base64.b64encode(md5.digest()).decode(),
    ):
        raise RefusedError(400, "InvalidDegist", "The Content-MD5 you specified is invalid.")


def _check_time(header: str | None, now: int) -> None:
    if header is None:
        raise RefusedError(400, "MissingDateHeader", "Date header is required.")
    parsed = parsedate(header)
    if parsed is None:
        raise RefusedError(400, "InvalidDateHeader", "The Date header format is invalid.")
    if abs(timegm(parsed) * 1000 - now) > CLOCK_SKEW_MS:
        raise RefusedError(408, "TimeExpired", "The http request you sent is expired.")
