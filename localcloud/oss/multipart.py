"""Uploads in parts: each is kept in memory until the upload is completed or given up."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from localcloud.loopback import HttpReply
from localcloud.media.wire import Tree
from localcloud.oss.buckets import Bucket, crc64, md5_hex
from localcloud.oss.reading import found
from localcloud.oss.wire import OssRequest, RefusedError, url_encoded, xml_date, xml_reply
from localcloud.oss.writing import (
    check_body,
    check_overwrite,
    copy_source,
    kept_headers,
    read_xml,
    written_headers,
)

_SMALLEST_PART = 100 * 1024  # of all but the last: local-servers.md 1
_MOST_PARTS = 10_000


@dataclass(frozen=True)
class _Part:
    body: bytes
    etag: str
    modified: int


@dataclass
class _Upload:
    bucket: str
    key: str
    headers: Mapping[str, str]
    initiated: int
    parts: dict[int, _Part] = field(default_factory=dict)


class Uploads:
    """The uploads that are under way in all buckets; `random` gives their ids."""

    def __init__(self, random: random.Random) -> None:
        self._random = random
        self._uploads: dict[str, _Upload] = {}

    def initiate(self, request: OssRequest, *, now: int) -> HttpReply:
        """Answer POST `?uploads`."""
        upload_id = f"{self._random.getrandbits(128):032X}"
        self._uploads[upload_id] = _Upload(request.bucket, request.key, kept_headers(request), now)
        told: dict[str, Tree] = {**_place(request), "UploadId": upload_id}
        return xml_reply("InitiateMultipartUploadResult", told)

    def put_part(self, request: OssRequest, *, now: int) -> HttpReply:
        """Answer PUT of one part."""
        check_body(request)
        part = self._keep(request, request.body, now)
        return HttpReply(200, b"", {"etag": f'"{part.etag}"', "x-oss-hash-crc64ecma": crc64(part.body)})

    def copy_part(self, request: OssRequest, *, buckets: Mapping[str, Bucket], now: int) -> HttpReply:
        """Answer PUT of one part that is taken from another object, or from a range of it."""
        bucket, key = copy_source(request, buckets)
        found(bucket, key)
        body = bucket.body(key)
        span = request.headers.get("x-oss-copy-source-range", "").removeprefix("bytes=")
        if span:
            first, _, last = span.partition("-")
            body = body[int(first) : int(last) + 1]
        part = self._keep(request, body, now)
        told: dict[str, Tree] = {"LastModified": xml_date(now), "ETag": f'"{part.etag}"'}
        return xml_reply("CopyPartResult", told)

    def complete(self, bucket: Bucket, request: OssRequest, *, now: int) -> HttpReply:
        """Answer POST `?uploadId`: the parts that are named become the object."""
        upload = self._upload(request)
        check_overwrite(bucket, request)
        if request.headers.get("x-oss-complete-all", "").lower() == "yes":
            named = sorted((number, part.etag) for number, part in upload.parts.items())
        else:
            named = [
                (int(node.findtext("PartNumber") or 0), (node.findtext("ETag") or "").strip('"').upper())
                for node in read_xml(request.body).findall("Part")
            ]
        parts = _in_order(upload, named)
        digests = b"".join(bytes.fromhex(part.etag) for part in parts)
        stored = bucket.put(
            request.key,
            b"".join(part.body for part in parts),
            headers=upload.headers,
            modified=now,
            kind="Multipart",
            etag=f"{hashlib.md5(digests, usedforsecurity=False).hexdigest().upper()}-{len(parts)}",
        )
        del self._uploads[request.query["uploadId"]]
        told: dict[str, Tree] = {**_place(request), "ETag": f'"{stored.etag}"'}
        return xml_reply("CompleteMultipartUploadResult", told, headers=written_headers(stored))

    def abort(self, request: OssRequest) -> HttpReply:
        """Answer DELETE `?uploadId`."""
        self._upload(request)
        del self._uploads[request.query["uploadId"]]
        return HttpReply(204)

    def list_parts(self, request: OssRequest) -> HttpReply:
        """Answer GET `?uploadId`, always on one page."""
        parts = sorted(self._upload(request).parts.items())
        listed: list[Tree] = [
            {
                "PartNumber": number,
                "LastModified": xml_date(part.modified),
                "ETag": f'"{part.etag}"',
                "Size": len(part.body),
            }
            for number, part in parts
        ]
        told: dict[str, Tree] = {
            **_place(request),
            "UploadId": request.query["uploadId"],
            "NextPartNumberMarker": parts[-1][0] if parts else 0,
            "MaxParts": _MOST_PARTS,
            "IsTruncated": "false",
            "Part": listed,
        }
        return xml_reply("ListPartsResult", told)

    def list_uploads(self, request: OssRequest) -> HttpReply:
        """Answer GET `?uploads` of a bucket, always on one page."""
        encode = request.query.get("encoding-type") == "url"
        listed: list[Tree] = [
            {
                "Key": url_encoded(upload.key) if encode else upload.key,
                "UploadId": upload_id,
                "Initiated": xml_date(upload.initiated),
            }
            for upload_id, upload in self._uploads.items()
            if upload.bucket == request.bucket and upload.key.startswith(request.query.get("prefix", ""))
        ]
        told: dict[str, Tree] = {
            "Bucket": request.bucket,
            **({"EncodingType": "url"} if encode else {}),
            "NextKeyMarker": "",
            "NextUploadIdMarker": "",
            "MaxUploads": 1_000,
            "IsTruncated": "false",
            "Upload": listed,
        }
        return xml_reply("ListMultipartUploadsResult", told)

    def _keep(self, request: OssRequest, body: bytes, now: int) -> _Part:
        number = request.number("partNumber", 0)
        if not 1 <= number <= _MOST_PARTS:
            raise RefusedError(400, "InvalidArgument", "Part number must be from 1 to 10000.")
        part = _Part(body, md5_hex(body), now)
        self._upload(request).parts[number] = part
        return part

    def _upload(self, request: OssRequest) -> _Upload:
        upload = self._uploads.get(request.query["uploadId"])
        if upload is None or (upload.bucket, upload.key) != (request.bucket, request.key):
            raise RefusedError(
                404,
                "NoSuchUpload",
                "The specified upload does not exist. The upload ID may be invalid, or the upload may"
                " have been aborted or completed.",
            )
        return upload


def _in_order(upload: _Upload, named: list[tuple[int, str]]) -> list[_Part]:
    numbers = [number for number, _ in named]
    if not numbers or numbers != sorted(set(numbers)):
        raise RefusedError(400, "InvalidPartOrder", "The list of parts was not in ascending order.")
    parts = [upload.parts.get(number) for number in numbers]
    there = [part for part in parts if part is not None]
    if [part.etag for part in there] != [etag for _, etag in named]:
        raise RefusedError(400, "InvalidPart", "One or more of the specified parts could not be found.")
    if any(len(part.body) < _SMALLEST_PART for part in there[:-1]):
        raise RefusedError(
            400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size."
        )
    return there


def _place(request: OssRequest) -> dict[str, Tree]:
    return {"Bucket": request.bucket, "Key": request.key}
