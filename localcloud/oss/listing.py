"""Lists: of buckets, and of the objects of one, in both versions."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote

from localcloud.loopback import HttpReply
from localcloud.media.wire import Tree
from localcloud.oss.buckets import StoredObject
from localcloud.oss.wire import OssRequest, RefusedError, url_encoded, xml_date, xml_reply

_LONGEST_PAGE = 1_000
_DEFAULT_PAGE = 100
_OWNER: dict[str, Tree] = {"ID": "100000", "DisplayName": "100000"}
_EPOCH = 0


def list_buckets(names: Iterable[str], *, region: str, host: str) -> HttpReply:
    """Answer GET of the service itself."""
    found: list[Tree] = [
        {
            "Name": name,
            "Location": f"oss-{region}",
            "Region": region,
            "CreationDate": xml_date(_EPOCH),
            "ExtranetEndpoint": host,
            "IntranetEndpoint": host,
            "StorageClass": "Standard",
        }
        for name in sorted(names)
    ]
    return xml_reply("ListAllMyBucketsResult", {"Owner": _OWNER, "Buckets": {"Bucket": found}})


def list_objects(objects: Iterable[StoredObject], request: OssRequest) -> HttpReply:
    """Answer GET of a bucket: version 2 when it is asked for, else the first."""
    limit = request.number("max-keys", _DEFAULT_PAGE)
    if not 0 < limit <= _LONGEST_PAGE:
        raise RefusedError(400, "InvalidArgument", "max-keys must be from 1 to 1000.")
    is_v2 = request.query.get("list-type") == "2"
    start = request.query.get("start-after" if is_v2 else "marker", "")
    after = unquote(request.query.get("continuation-token", "")) or start
    prefix, delimiter = request.query.get("prefix", ""), request.query.get("delimiter", "")
    entries: dict[str, StoredObject | None] = {}
    is_truncated = False
    for stored in objects:
        name, folder = _entry(stored.key, prefix, delimiter)
        if not stored.key.startswith(prefix) or name <= after or name in entries:
            continue
        if len(entries) == limit:
            is_truncated = True
            break
        entries[name] = None if folder else stored
    last = next(reversed(entries), "")
    return xml_reply(
        "ListBucketResult",
        _page(request, entries, limit=limit, after=last if is_truncated else None, is_v2=is_v2),
    )


def _entry(key: str, prefix: str, delimiter: str) -> tuple[str, bool]:
    """Give what stands in the list for a key, and whether it stands for a whole folder."""
    end = key.find(delimiter, len(prefix)) if delimiter else -1
    return (key, False) if end < 0 else (key[: end + len(delimiter)], True)


def _page(
    request: OssRequest,
    entries: dict[str, StoredObject | None],
    *,
    limit: int,
    after: str | None,
    is_v2: bool,
) -> dict[str, Tree]:
    encode = request.query.get("encoding-type") == "url"

    def written(text: str) -> str:
        return url_encoded(text) if encode else text

    query = request.query
    page: dict[str, Tree] = {
        "Name": request.bucket,
        "Prefix": written(query.get("prefix", "")),
        "MaxKeys": limit,
        "Delimiter": written(query.get("delimiter", "")),
        "IsTruncated": "false" if after is None else "true",
        "EncodingType": "url" if encode else None,
    }
    if is_v2:
        page["StartAfter"] = written(query.get("start-after", ""))
        page["ContinuationToken"] = query.get("continuation-token")
        page["NextContinuationToken"] = None if after is None else url_encoded(after)
        page["KeyCount"] = len(entries)
    else:
        page["Marker"] = written(query.get("marker", ""))
        page["NextMarker"] = None if after is None else written(after)
    page["Contents"] = [
        _content(stored, written(stored.key), owner=not is_v2 or query.get("fetch-owner") == "true")
        for stored in entries.values()
        if stored is not None
    ]
    page["CommonPrefixes"] = [{"Prefix": written(name)} for name, stored in entries.items() if stored is None]
    return page


def _content(stored: StoredObject, key: str, *, owner: bool) -> Tree:
    return {
        "Key": key,
        "LastModified": xml_date(stored.modified),
        "ETag": f'"{stored.etag}"',
        "Type": stored.kind,
        "Size": stored.size,
        "StorageClass": "Standard",
        "Owner": _OWNER if owner else None,
    }
