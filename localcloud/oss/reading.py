"""Reading objects: GET and HEAD with ranges and conditions, and what is told of an object."""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Mapping
from email.utils import parsedate

from localcloud.loopback import HttpReply
from localcloud.oss.buckets import Bucket, StoredObject
from localcloud.oss.wire import OssRequest, RefusedError, http_date

_RANGE = re.compile(r"bytes=(?P<first>\d*)-(?P<last>\d*)")
_OVERRIDES = (
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
)


def get_object(bucket: Bucket, request: OssRequest) -> HttpReply:
    """Answer GET, whole or a range."""
    stored = found(bucket, request.key)
    check_conditions(stored, request.headers)
    headers = object_headers(stored, overrides=request.query)
    body = bucket.body(request.key)
    span = _span(request.headers, stored.size)
    if span is None:
        return HttpReply(200, body, headers)
    first, last = span
    headers["content-range"] = f"bytes {first}-{last}/{stored.size}"
    return HttpReply(206, body[first : last + 1], headers)


def head_object(bucket: Bucket, request: OssRequest) -> HttpReply:
    """Answer HEAD, also in its short form `?objectMeta`."""
    stored = found(bucket, request.key)
    check_conditions(stored, request.headers)
    return HttpReply(200, b"", {**object_headers(stored), "content-length": str(stored.size)})


def found(bucket: Bucket, key: str) -> StoredObject:
    """Find an object, or refuse in the vendor's words."""
    stored = bucket.find(key)
    if stored is None:
        raise RefusedError(404, "NoSuchKey", "The specified key does not exist.", Key=key)
    return stored


def object_headers(stored: StoredObject, *, overrides: Mapping[str, str] | None = None) -> dict[str, str]:
    """Give what every answer about an object carries, with what a signed URL says instead."""
    wished = {name: value for name in _OVERRIDES if (value := (overrides or {}).get(f"response-{name}"))}
    appended = {"x-oss-next-append-position": str(stored.size)} if stored.kind == "Appendable" else {}
    return {
        "content-type": "application/octet-stream",
        **stored.headers,
        **wished,
        **appended,
        "accept-ranges": "bytes",
        "etag": f'"{stored.etag}"',
        "last-modified": http_date(stored.modified),
        "x-oss-hash-crc64ecma": stored.crc64,
        "x-oss-object-type": stored.kind,
        "x-oss-storage-class": "Standard",
    }


def check_conditions(stored: StoredObject, headers: Mapping[str, str], *, prefix: str = "") -> None:
    """Refuse with 412 or 304 what the client's conditions exclude; `prefix` is that of copy sources."""
    match, none_match = headers.get(f"{prefix}if-match"), headers.get(f"{prefix}if-none-match")
    since = _date_ms(headers.get(f"{prefix}if-modified-since"))
    unless_since = _date_ms(headers.get(f"{prefix}if-unmodified-since"))
    modified = stored.modified // 1000 * 1000
    if (match is not None and not _names(match, stored.etag)) or (
        unless_since is not None and modified > unless_since
    ):
        raise RefusedError(
            412,
            "PreconditionFailed",
            "At least one of the pre-conditions you specified did not hold.",
            Condition="If-Match" if match is not None else "If-Unmodified-Since",
        )
    if (none_match is not None and _names(none_match, stored.etag)) or (
        since is not None and modified <= since
    ):
        raise RefusedError(
            304, "NotModified", "The object has not changed.", headers={"etag": f'"{stored.etag}"'}
        )


def _names(condition: str, etag: str) -> bool:
    return condition == "*" or condition.strip('"').upper() == etag


def _date_ms(text: str | None) -> int | None:
    parsed = parsedate(text) if text else None
    return timegm(parsed) * 1000 if parsed else None


def _span(headers: Mapping[str, str], size: int) -> tuple[int, int] | None:
    """Give the first and last byte that are asked for; None for all of them.

    A range that cannot be met is none, unless the client asks for the behaviour of the standard.
    """
    text = headers.get("range")
    asked = _RANGE.fullmatch(text) if text else None
    if asked is None or asked.group() == "bytes=-":
        return None
    first, last = asked["first"], asked["last"]
    span = (int(first), min(int(last or size), size - 1)) if first else (max(0, size - int(last)), size - 1)
    if 0 <= span[0] <= span[1]:
        return span
    if headers.get("x-oss-range-behavior") == "standard":
        raise RefusedError(
            416,
            "InvalidRange",
            "The requested range cannot be satisfied.",
            headers={"content-range": f"bytes */{size}"},
        )
    return None
