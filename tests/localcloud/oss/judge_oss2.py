"""Plays with the local OSS through `oss2`; runs in the environment of requirements/vendor-stores.in."""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from collections.abc import Callable
from typing import Any

import oss2  # type: ignore[import-not-found]  # in an environment of its own
import requests

BODY = b"0123456789"
HOSTILE = "a b*c~d+e/中&=%\"'<?#\U0001f39e.txt"
PART = bytes(100 * 1024)
REGION = "cn-shanghai"


def judge(endpoint: str, scheme: str) -> dict[str, Any]:
    """Do what users of OSS do, with one signature scheme."""
    own = opened(endpoint, scheme, "own-key", "own-secret")
    return {
        **objects(own),
        **conditions(own),
        **growing(own),
        **lists(own, endpoint),
        **keys(endpoint, scheme),
        **versions(own),
    }


def objects(own: Any) -> dict[str, Any]:
    own.put_object(HOSTILE, BODY, headers={"x-oss-meta-word": "value", "Content-Type": "text/plain"})
    head = own.head_object(HOSTILE)
    own.copy_object(own.bucket_name, HOSTILE, "copy")
    return {
        "whole": own.get_object(HOSTILE).read().decode(),
        "range": own.get_object(HOSTILE, byte_range=(2, 5)).read().decode(),
        "size": head.content_length,
        "type": head.content_type,
        "etag is md5": head.etag == hashlib.md5(BODY).hexdigest().upper(),
        "metadata": head.headers["x-oss-meta-word"],
        "copy": own.get_object("copy").read().decode(),
        "signed url": requests.get(own.sign_url("GET", HOSTILE, 60), timeout=10).text,
        "missing": refusal(lambda: own.get_object("nothing")),
        "head of missing": refusal(lambda: own.head_object("nothing")),
    }


def conditions(own: Any) -> dict[str, Any]:
    own.put_object("there", BODY)
    etag = own.head_object("there").etag
    forbid = {"x-oss-forbid-overwrite": "true"}
    wrong_md5 = {"Content-MD5": base64.b64encode(hashlib.md5(b"other").digest()).decode()}
    return {
        "forbidden overwrite": refusal(lambda: own.put_object("there", b"x", headers=forbid)),
        "wrong md5": refusal(lambda: own.put_object("there", b"x", headers=wrong_md5)),
        "none match": refusal(lambda: own.get_object("there", headers={"If-None-Match": etag}))[0],
        "match": refusal(lambda: own.get_object("there", headers={"If-Match": '"other"'})),
    }


def growing(own: Any) -> dict[str, Any]:
    position = own.append_object("appended", 0, BODY).next_position
    own.append_object("appended", position, BODY)
    wrong_position = refusal(lambda: own.append_object("appended", 3, BODY))
    upload = own.init_multipart_upload("parts", headers={"x-oss-meta-word": "value"}).upload_id
    etags = [own.upload_part("parts", upload, number, PART).etag for number in (1, 2)]
    listed = [part.size for part in own.list_parts("parts", upload).parts]
    parts = [oss2.models.PartInfo(number, etag) for number, etag in enumerate(etags, 1)]
    own.complete_multipart_upload("parts", upload, parts)
    given_up = own.init_multipart_upload("given-up").upload_id
    own.abort_multipart_upload("given-up", given_up)
    return {
        "appended": own.get_object("appended").read().decode(),
        "wrong position": wrong_position,
        "parts": own.get_object("parts").read() == PART * 2,
        "listed parts": listed,
        "metadata of parts": own.head_object("parts").headers["x-oss-meta-word"],
        "after abort": refusal(lambda: own.upload_part("given-up", given_up, 1, PART)),
    }


def lists(own: Any, endpoint: str) -> dict[str, Any]:
    for number in range(5):
        own.put_object(f"list/{number}/x", BODY)
    own.put_object("list/ <y>&中", BODY)
    folders = own.list_objects("list/", delimiter="/")
    pages = {
        "list v1": [one.key for one in oss2.ObjectIterator(own, "list/", max_keys=2)],
        "list v2": [one.key for one in oss2.ObjectIteratorV2(own, "list/", max_keys=2)],
        "folders": folders.prefix_list,
        "beside folders": [one.key for one in folders.object_list],
        "buckets": [
            one.name for one in oss2.Service(own.auth, endpoint, region=REGION).list_buckets().buckets
        ],
    }
    own.batch_delete_objects(["list/0/x", "list/1/x"])
    own.delete_object("list/2/x")
    return {**pages, "left": [one.key for one in oss2.ObjectIterator(own, "list/")]}


def keys(endpoint: str, scheme: str) -> dict[str, Any]:
    """Try other keys than our own, and another bucket."""
    own = opened(endpoint, scheme, "own-key", "own-secret")
    temporary = opened(endpoint, scheme, "temporary-key", "temporary-secret", "temporary-token")
    without_token = opened(endpoint, scheme, "temporary-key", "temporary-secret")
    elsewhere = oss2.Bucket(own.auth, endpoint, "nobodys-bucket", region=REGION)
    return {
        "temporary key": temporary.get_object("there").read().decode(),
        "signed url of a temporary key": requests.get(
            temporary.sign_url("GET", "there", 60), timeout=10
        ).text,
        "wrong secret": refusal(lambda: opened(endpoint, scheme, "own-key", "wrong").get_object("there")),
        "unknown key": refusal(lambda: opened(endpoint, scheme, "who", "own-secret").get_object("there")),
        "without token": refusal(lambda: without_token.get_object("there")),
        "missing bucket": refusal(lambda: elsewhere.get_object("there")),
    }


def versions(own: Any) -> dict[str, Any]:
    before = own.get_bucket_versioning().status
    own.put_bucket_versioning(oss2.models.BucketVersioningConfig("Suspended"))
    own.put_object("there", BODY, headers={"x-oss-forbid-overwrite": "true"})
    return {
        "versioning": [before, own.get_bucket_versioning().status],
        "overwrite with versions": own.get_object("there").read().decode(),
    }


def opened(endpoint: str, scheme: str, key: str, secret: str, token: str | None = None) -> Any:
    """Open the bucket of a scheme."""
    if token is not None:
        auth = oss2.StsAuth(key, secret, token, auth_version=scheme)
    else:
        auth = (oss2.AuthV4 if scheme == "v4" else oss2.Auth)(key, secret)
    return oss2.Bucket(auth, endpoint, f"bucket-{scheme}", region=REGION)


def refusal(attempt: Callable[[], object]) -> list[object]:
    """Tell how the client understood a refusal: status and code."""
    try:
        attempt()
    except oss2.exceptions.ServerError as error:
        return [error.status, error.code]
    return []


if __name__ == "__main__":
    json.dump({scheme: judge(sys.argv[1], scheme) for scheme in ("v1", "v4")}, sys.stdout)
