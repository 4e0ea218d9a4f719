"""Plays with the local OSS through `alibabacloud-oss-v2`, as our own adapter does not."""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import alibabacloud_oss_v2 as oss
import requests

BODY = b"0123456789"
HOSTILE = "a b*c~d+e/中&=%\"'<?#\U0001f39e.txt"
PART = bytes(100 * 1024)


class Bucket:
    """A client with the bucket of its scheme in every request."""

    def __init__(
        self, endpoint: str, scheme: str, key: str, secret: str, token: str | None = None, name: str = ""
    ) -> None:
        config = oss.config.load_default()
        config.endpoint, config.region, config.signature_version = endpoint, "cn-shanghai", scheme
        config.credentials_provider = oss.credentials.StaticCredentialsProvider(key, secret, token)
        self.client = oss.Client(config)
        self.name = name or f"bucket-{scheme}"

    def __call__(self, operation: str, key: str | None = None, **fields: Any) -> Any:
        """Call an operation by its name, such as `put_object`."""
        model = "".join(word.capitalize() for word in operation.split("_"))
        request = getattr(oss, f"{model}Request")(bucket=self.name, key=key, **fields)
        return getattr(self.client, operation)(request)

    def read(self, key: str, **fields: Any) -> bytes:
        """Read an object."""
        body: bytes = self("get_object", key, **fields).body.content
        return body

    def link(self, key: str) -> str:
        """Sign a URL."""
        request = oss.GetObjectRequest(bucket=self.name, key=key)
        url: str = self.client.presign(request, expires=timedelta(minutes=1)).url
        return url


def judge(endpoint: str, scheme: str) -> dict[str, Any]:
    """Do what users of OSS do, with one signature scheme."""
    own = Bucket(endpoint, scheme, "own-key", "own-secret")
    return {
        **objects(own),
        **conditions(own),
        **growing(own),
        **lists(own),
        **keys(endpoint, scheme),
        **versions(own),
    }


def objects(own: Bucket) -> dict[str, Any]:
    own("put_object", HOSTILE, body=BODY, metadata={"word": "value"}, content_type="text/plain")
    head = own("head_object", HOSTILE)
    own("copy_object", "copy", source_bucket=own.name, source_key=HOSTILE)
    return {
        "whole": own.read(HOSTILE).decode(),
        "range": own.read(HOSTILE, range_header="bytes=2-5").decode(),
        "size": head.content_length,
        "type": head.content_type,
        "etag is md5": head.etag.strip('"') == hashlib.md5(BODY).hexdigest().upper(),
        "metadata": head.metadata["word"],
        "copy": own.read("copy").decode(),
        "signed url": requests.get(own.link(HOSTILE), timeout=10).text,
        "missing": refusal(lambda: own.read("nothing")),
        "head of missing": refusal(lambda: own("head_object", "nothing")),
    }


def conditions(own: Bucket) -> dict[str, Any]:
    own("put_object", "there", body=BODY)
    etag = own("head_object", "there").etag
    md5 = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    return {
        "forbidden overwrite": refusal(lambda: own("put_object", "there", body=b"x", forbid_overwrite=True)),
        "wrong md5": refusal(lambda: own("put_object", "there", body=b"x", content_md5=md5)),
        "none match": refusal(lambda: own.read("there", if_none_match=etag))[0],
        "match": refusal(lambda: own.read("there", if_match='"other"')),
    }


def growing(own: Bucket) -> dict[str, Any]:
    position = own("append_object", "appended", position=0, body=BODY).next_position
    own("append_object", "appended", position=position, body=BODY)
    upload = own("initiate_multipart_upload", "parts", metadata={"word": "value"}).upload_id
    parts = [
        oss.UploadPart(
            part_number=number,
            etag=own("upload_part", "parts", upload_id=upload, part_number=number, body=PART).etag,
        )
        for number in (1, 2)
    ]
    listed = [part.size for part in own("list_parts", "parts", upload_id=upload).parts]
    own(
        "complete_multipart_upload",
        "parts",
        upload_id=upload,
        complete_multipart_upload=oss.CompleteMultipartUpload(parts=parts),
    )
    given_up = own("initiate_multipart_upload", "given-up").upload_id
    own("abort_multipart_upload", "given-up", upload_id=given_up)
    return {
        "appended": own.read("appended").decode(),
        "wrong position": refusal(lambda: own("append_object", "appended", position=3, body=BODY)),
        "parts": own.read("parts") == PART * 2,
        "listed parts": listed,
        "metadata of parts": own("head_object", "parts").metadata["word"],
        "after abort": refusal(
            lambda: own("upload_part", "given-up", upload_id=given_up, part_number=1, body=PART)
        ),
    }


def lists(own: Bucket) -> dict[str, Any]:
    for number in range(5):
        own("put_object", f"list/{number}/x", body=BODY)
    own("put_object", "list/ <y>&中", body=BODY)
    folders = own("list_objects", prefix="list/", delimiter="/")
    told = {
        "list v1": listed(own, own.client.list_objects_paginator(limit=2), oss.ListObjectsRequest),
        "list v2": listed(own, own.client.list_objects_v2_paginator(limit=2), oss.ListObjectsV2Request),
        "folders": [one.prefix for one in folders.common_prefixes],
        "beside folders": [one.key for one in folders.contents],
        "buckets": [one.name for one in own.client.list_buckets(oss.ListBucketsRequest()).buckets],
    }
    gone = [oss.DeleteObject(key=f"list/{number}/x") for number in range(2)]
    own("delete_multiple_objects", objects=gone)
    own("delete_object", "list/2/x")
    left = listed(own, own.client.list_objects_paginator(), oss.ListObjectsRequest)
    return {**told, "left": left}


def versions(own: Bucket) -> dict[str, Any]:
    def status() -> Any:
        return own.client.get_bucket_versioning(
            oss.GetBucketVersioningRequest(bucket=own.name)
        ).version_status

    before = status()
    own.client.put_bucket_versioning(
        oss.PutBucketVersioningRequest(
            bucket=own.name, versioning_configuration=oss.VersioningConfiguration(status="Suspended")
        )
    )
    own("put_object", "there", body=BODY, forbid_overwrite=True)
    return {"versioning": [before, status()], "overwrite with versions": own.read("there").decode()}


def listed(own: Bucket, paginator: Any, request: Any) -> list[str]:
    """List the folder page by page."""
    pages = paginator.iter_page(request(bucket=own.name, prefix="list/"))
    return [one.key for page in pages for one in page.contents]


def keys(endpoint: str, scheme: str) -> dict[str, Any]:
    """Try other keys than our own, and another bucket."""
    temporary = Bucket(endpoint, scheme, "temporary-key", "temporary-secret", "temporary-token")
    without_token = Bucket(endpoint, scheme, "temporary-key", "temporary-secret")
    elsewhere = Bucket(endpoint, scheme, "own-key", "own-secret", name="nobodys-bucket")
    wrong_secret = Bucket(endpoint, scheme, "own-key", "wrong")
    return {
        "temporary key": temporary.read("there").decode(),
        "signed url of a temporary key": requests.get(temporary.link("there"), timeout=10).text,
        "wrong secret": refusal(lambda: wrong_secret.read("there")),
        "unknown key": refusal(lambda: Bucket(endpoint, scheme, "who", "own-secret").read("there")),
        "without token": refusal(lambda: without_token.read("there")),
        "missing bucket": refusal(lambda: elsewhere.read("there")),
    }


def refusal(attempt: Callable[[], object]) -> list[object]:
    """Tell how the client understood a refusal: status and code."""
    try:
        attempt()
    except oss.exceptions.OperationError as error:
        refused = error.unwrap()
        return [refused.status_code, refused.code]
    return []


if __name__ == "__main__":
    json.dump({scheme: judge(sys.argv[1], scheme) for scheme in ("v1", "v4")}, sys.stdout)
