"""Writing objects: PUT, copy, append, delete."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote
from xml.etree import ElementTree

from localcloud.loopback import HttpReply
from localcloud.media.wire import Tree
from localcloud.oss.buckets import Bucket, StoredObject, md5_base64
from localcloud.oss.reading import check_conditions, found
from localcloud.oss.wire import OssRequest, RefusedError, url_encoded, xml_date, xml_reply
from shared.adapters.object_keys import segments

_KEPT = frozenset(
    {
        *("cache-control", "content-disposition", "content-encoding", "content-language"),
        *("content-type", "expires"),
        *("x-oss-server-side-encryption", "x-oss-server-side-encryption-key-id"),
    }
)
_ENCRYPTIONS = ("AES256", "KMS", "SM4")
_MOST_DELETED = 1_000


def put_object(bucket: Bucket, request: OssRequest, *, now: int) -> HttpReply:
    """Answer PUT of a whole body."""
    check_body(request)
    check_overwrite(bucket, request)
    stored = bucket.put(request.key, request.body, headers=kept_headers(request), modified=now)
    return HttpReply(200, b"", written_headers(stored))


def copy_object(bucket: Bucket, request: OssRequest, *, buckets: Mapping[str, Bucket], now: int) -> HttpReply:
    """Answer PUT with a source: its body, and its headers unless the client replaces them."""
    source = copy_source(request, buckets)
    original = found(*source)
    check_conditions(original, request.headers, prefix="x-oss-copy-source-")
    check_overwrite(bucket, request)
    replaces = request.headers.get("x-oss-metadata-directive", "COPY").upper() == "REPLACE"
    stored = bucket.put(
        request.key,
        source[0].body(source[1]),
        headers=kept_headers(request) if replaces else original.headers,
        modified=now,
    )
    told: dict[str, Tree] = {"LastModified": xml_date(stored.modified), "ETag": f'"{stored.etag}"'}
    return xml_reply("CopyObjectResult", told, headers=written_headers(stored))


def copy_source(request: OssRequest, buckets: Mapping[str, Bucket]) -> tuple[Bucket, str]:
    """Find where a copy is taken from."""
    name, _, key = unquote(request.headers["x-oss-copy-source"]).removeprefix("/").partition("/")
    if name not in buckets:
        raise no_such_bucket(name)
    return buckets[name], key


def append_object(bucket: Bucket, request: OssRequest, *, now: int) -> HttpReply:
    """Answer POST of more bytes for an object that grows."""
    check_body(request)
    position, there = request.number("position", 0), bucket.find(request.key)
    if there is not None and there.kind != "Appendable":
        raise RefusedError(409, "ObjectNotAppendable", "The object is not appendable.")
    size = there.size if there else 0
    if position != size:
        raise RefusedError(
            409,
            "PositionNotEqualToLength",
            "Position is not equal to file length.",
            headers={"x-oss-next-append-position": str(size)},
        )
    headers = there.headers if there else kept_headers(request)
    body = (bucket.body(request.key) if there else b"") + request.body
    stored = bucket.put(request.key, body, headers=headers, modified=now, kind="Appendable")
    return HttpReply(200, b"", {**written_headers(stored), "x-oss-next-append-position": str(stored.size)})


def delete_object(bucket: Bucket, request: OssRequest) -> HttpReply:
    """Answer DELETE, which succeeds whether the object was there or not."""
    bucket.remove(request.key)
    return HttpReply(204)


def delete_objects(bucket: Bucket, request: OssRequest) -> HttpReply:
    """Answer POST `?delete` of a list of keys."""
    check_body(request)
    tree = read_xml(request.body)
    keys = [node.text or "" for node in tree.findall("Object/Key")]
    if not 1 <= len(keys) <= _MOST_DELETED:
        raise malformed()
    for key in keys:
        bucket.remove(key)
    quiet = (tree.findtext("Quiet") or "").lower() == "true"
    encode = request.query.get("encoding-type") == "url"
    deleted: list[Tree] = [{"Key": url_encoded(key) if encode else key} for key in keys]
    told: dict[str, Tree] = {"Deleted": [] if quiet else deleted}
    return xml_reply("DeleteResult", {"EncodingType": "url", **told} if encode else told)


def kept_headers(request: OssRequest) -> dict[str, str]:
    """Give the headers that an object keeps."""
    encryption = request.headers.get("x-oss-server-side-encryption")
    if encryption is not None and encryption not in _ENCRYPTIONS:
        raise RefusedError(
            400, "InvalidEncryptionAlgorithmError", "The encryption algorithm is not supported."
        )
    return {
        name: value
        for name, value in request.headers.items()
        if name in _KEPT or name.startswith("x-oss-meta-")
    }


def written_headers(stored: StoredObject) -> dict[str, str]:
    """Give what the answer to a write tells of the object."""
    encryption = {
        name: value
        for name, value in stored.headers.items()
        if name.startswith("x-oss-server-side-encryption")
    }
    return {"etag": f'"{stored.etag}"', "x-oss-hash-crc64ecma": stored.crc64, **encryption}


def check_body(request: OssRequest) -> None:
    """Refuse a body that is not the one whose MD5 the client sent."""
    md5 = request.headers.get("content-md5")
    if md5 is not None and md5 != md5_base64(request.body):
        raise RefusedError(400, "InvalidDigest", "The Content-MD5 you specified is not valid.")


def check_overwrite(bucket: Bucket, request: OssRequest) -> None:
    """Refuse a key that no object can have, and to replace where the client forbids it."""
    try:
        segments(request.key)
    except ValueError:
        raise RefusedError(400, "InvalidObjectName", "The specified object name is not valid.") from None
    forbids = request.headers.get("x-oss-forbid-overwrite", "").lower() == "true"
    # Versioning, even suspended, makes OSS forget the prohibition (tablestore-oss.md 2).
    if forbids and not bucket.versioning and bucket.find(request.key) is not None:
        raise RefusedError(
            409,
            "FileAlreadyExists",
            "The object you specified already exists and can not be overwritten.",
        )


def no_such_bucket(name: str) -> RefusedError:
    """Say that there is no bucket of that name."""
    return RefusedError(404, "NoSuchBucket", "The specified bucket does not exist.", BucketName=name)


def read_xml(body: bytes) -> ElementTree.Element:
    """Read a request's document."""
    try:
        return ElementTree.fromstring(body)
    except ElementTree.ParseError:
        raise malformed() from None


def malformed() -> RefusedError:
    """Say that a document is not what it should be."""
    return RefusedError(400, "MalformedXML", "The XML you provided was not well-formed.")
