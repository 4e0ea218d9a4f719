"""Checks of the signatures of OSS, V1 and V4, in headers and in URLs, in the vendor's error words.

The rules are those of the vendor's clients, which judge them: `oss2`, `alibabacloud-oss-v2`, `ali-oss`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from calendar import timegm
from collections.abc import Callable, Mapping
from email.utils import parsedate
from time import strptime
from urllib.parse import quote

from localcloud.oss.wire import OssRequest, RefusedError
from shared.toolkit.context import Credentials

CLOCK_SKEW_MS = 15 * 60 * 1000
LONGEST_LINK_S = 7 * 24 * 3600  # tablestore-oss.md 2

# Query parameters that are part of the resource a V1 signature covers: of those in `oss2`, the ones that
# this server answers.
_SUBRESOURCES = frozenset(
    {
        *("append", "continuation-token", "delete", "objectMeta", "partNumber", "position"),
        *("response-cache-control", "response-content-disposition", "response-content-encoding"),
        *("response-content-language", "response-content-type", "response-expires"),
        *("security-token", "sequential", "uploadId", "uploads", "versioning"),
    }
)
_V1_HEADER = re.compile(r"OSS (?P<key>[^:]+):(?P<signature>\S+)")
_V4 = "OSS4-HMAC-SHA256"
_V4_HEADER = re.compile(rf"{_V4} (?P<fields>\w+=[^,\s]+(?:,\s*\w+=[^,\s]+)*)")
_UNSIGNED = "UNSIGNED-PAYLOAD"

Keys = Mapping[str, Credentials]


def verify(request: OssRequest, keys: Keys, *, now: int) -> None:
    """Check key, token, time and signature; raise `RefusedError` for anything else than a valid one."""
    authorization = request.headers.get("authorization", "")
    schemes: tuple[tuple[bool, Callable[..., None]], ...] = (
        (authorization.startswith(_V4), _verify_v4_header),
        (authorization.startswith("OSS "), _verify_v1_header),
        ("x-oss-signature" in request.query, _verify_v4_url),
        ("Signature" in request.query, _verify_v1_url),
    )
    for applies, check in schemes:
        if applies:
            return check(request, keys, now=now)
    raise _denied("You have no right to access this object because of bucket acl.")


def _verify_v1_header(request: OssRequest, keys: Keys, *, now: int) -> None:
    found = _V1_HEADER.fullmatch(request.headers["authorization"])
    if not found:
        raise _invalid_authorization()
    # `alibabacloud-oss-v2` sends the second, which its V1 signature does not even cover.
    token = request.headers.get("x-oss-security-token") or request.headers.get("security-token", "")
    key = _key(keys, found["key"], token)
    date = request.headers.get("x-oss-date") or request.headers.get("date", "")
    _check_skew(_rfc_ms(date), now)
    _check_v1(found["signature"], request, date, key)


def _verify_v1_url(request: OssRequest, keys: Keys, *, now: int) -> None:
    expires = request.query.get("Expires", "")
    key = _key(keys, request.query.get("OSSAccessKeyId", ""), request.query.get("security-token", ""))
    if not expires.isdigit() or int(expires) * 1000 < now:
        raise _denied("Request has expired.")
    # In a URL, the time of its end stands for the date.
    _check_v1(request.query["Signature"], request, expires, key)


def _verify_v4_header(request: OssRequest, keys: Keys, *, now: int) -> None:
    found = _V4_HEADER.fullmatch(request.headers["authorization"])
    fields = dict(field.strip().split("=", 1) for field in found["fields"].split(",")) if found else {}
    if not {"Credential", "Signature"} <= fields.keys():
        raise _invalid_authorization()
    date = request.headers.get("x-oss-date", "")
    _check_skew(_iso_ms(date), now)
    if request.headers.get("x-oss-content-sha256") != _UNSIGNED:
        raise RefusedError(400, "InvalidArgument", "x-oss-content-sha256 must be UNSIGNED-PAYLOAD.")
    _verify_v4(
        request,
        keys,
        credential=fields["Credential"],
        token=request.headers.get("x-oss-security-token", ""),
        date=date,
        additional=fields.get("AdditionalHeaders", ""),
        signature=fields["Signature"],
    )


def _verify_v4_url(request: OssRequest, keys: Keys, *, now: int) -> None:
    date, expires = request.query.get("x-oss-date", ""), request.number("x-oss-expires", 0)
    if not 1 <= expires <= LONGEST_LINK_S:
        raise RefusedError(400, "InvalidArgument", "x-oss-expires must be from 1 to 604800.")
    signed_at = _iso_ms(date)
    if signed_at > now + CLOCK_SKEW_MS or signed_at + expires * 1000 < now:
        raise _denied("Request has expired.")
    _verify_v4(
        request,
        keys,
        credential=request.query.get("x-oss-credential", ""),
        token=request.query.get("x-oss-security-token", ""),
        date=date,
        additional=request.query.get("x-oss-additional-headers", ""),
        signature=request.query["x-oss-signature"],
    )


def _verify_v4(
    request: OssRequest,
    keys: Keys,
    *,
    credential: str,
    token: str,
    date: str,
    additional: str,
    signature: str,
) -> None:
    key_id, _, scope = credential.partition("/")
    day, _, rest = scope.partition("/")
    region, _, ending = rest.partition("/")
    if day != date[:8] or not region or ending != "oss/aliyun_v4_request":
        raise _invalid_authorization()
    key = _key(keys, key_id, token)
    canonical = _v4_canonical_request(request, additional.split(";") if additional else [])
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    signing_key = f"aliyun_v4{key.access_key_secret}".encode()
    for step in (day, region, "oss", "aliyun_v4_request"):
        signing_key = _hmac(signing_key, step, hashlib.sha256)
    text = "\n".join((_V4, date, scope, digest))
    _check(signature, _hmac(signing_key, text, hashlib.sha256).hex(), text)


def _check_v1(given: str, request: OssRequest, date: str, key: Credentials) -> None:
    text = _v1_string_to_sign(request, date)
    digest = _hmac(key.access_key_secret.encode(), text, hashlib.sha1)
    _check(given, base64.b64encode(digest).decode(), text)


def _v1_string_to_sign(request: OssRequest, date: str) -> str:
    resource = f"/{request.bucket}/{request.key}" if request.bucket else "/"
    signed = sorted((name, value) for name, value in request.query.items() if name in _SUBRESOURCES)
    query = "&".join(f"{name}={value}" if value else name for name, value in signed)
    return "\n".join(
        (
            request.method,
            request.headers.get("content-md5", ""),
            request.headers.get("content-type", ""),
            date,
            _header_lines(request, []) + resource + (f"?{query}" if query else ""),
        )
    )


def _v4_canonical_request(request: OssRequest, additional: list[str]) -> str:
    path = "/".join(("", request.bucket, request.key)) if request.bucket else "/"
    pairs = sorted(
        (quote(name, safe=""), quote(value, safe=""))
        for name, value in request.query.items()
        if name != "x-oss-signature"
    )
    return "\n".join(
        (
            request.method,
            quote(path, safe="/"),
            "&".join(f"{name}={value}" if value else name for name, value in pairs),
            _header_lines(request, ["content-type", "content-md5", *additional]),
            ";".join(sorted(additional)),
            _UNSIGNED,
        )
    )


def _header_lines(request: OssRequest, more: list[str]) -> str:
    names = sorted(name for name in request.headers if name.startswith("x-oss-") or name in more)
    return "".join(f"{name}:{request.headers[name].strip()}\n" for name in names)


def _hmac(key: bytes, text: str, algorithm: Callable[..., object]) -> bytes:
    return hmac.new(key, text.encode(), algorithm).digest()  # type: ignore[arg-type]  # a hash of hashlib


def _key(keys: Keys, key_id: str, token: str) -> Credentials:
    key = keys.get(key_id)
    if key is None:
        raise RefusedError(
            403, "InvalidAccessKeyId", "The OSS Access Key Id you provided does not exist in our records."
        )
    if token != (key.security_token or ""):
        raise RefusedError(403, "InvalidSecurityToken", "The security token you provided is invalid.")
    return key


def _check(given: str, expected: str, text: str) -> None:
    if not hmac.compare_digest(given.encode(), expected.encode()):
        # The vendor repeats what was signed, so our client is seen not to pass it on.
        raise RefusedError(
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided."
            " Check your key and signing method.",
            SignatureProvided=given,
            StringToSign=text,
        )


def _check_skew(signed_at: int, now: int) -> None:
    if abs(now - signed_at) > CLOCK_SKEW_MS:
        raise RefusedError(
            403,
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
        )


def _rfc_ms(date: str) -> int:
    parsed = parsedate(date)
    if parsed is None:
        raise _denied("OSS authentication requires a valid Date.")
    return timegm(parsed) * 1000


def _iso_ms(date: str) -> int:
    try:
        return timegm(strptime(date, "%Y%m%dT%H%M%SZ")) * 1000
    except ValueError:
        raise _denied("OSS authentication requires a valid Date.") from None


def _denied(message: str) -> RefusedError:
    return RefusedError(403, "AccessDenied", message)


def _invalid_authorization() -> RefusedError:
    return RefusedError(400, "InvalidArgument", "Authorization header is invalid.")
