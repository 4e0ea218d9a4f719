"""The local OSS before its judges: three clients of the vendor, with both signature schemes.

All of them do the same, and must see the same.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from localcloud.oss.buckets import Bucket
from tests.judges import node_with, python_of, report_of
from tests.shared.adapters.oss_on_the_wire import MemoryShelf, oss_on_the_wire

FOLDERS = [f"list/{number}/" for number in range(5)]
OBJECTS = ["list/ <y>&中", *(f"{folder}x" for folder in FOLDERS)]
SEEN = {
    "whole": "0123456789",
    "range": "2345",
    "size": 10,
    "type": "text/plain",
    "etag is md5": True,
    "metadata": "value",
    "copy": "0123456789",
    "signed url": "0123456789",
    "missing": [404, "NoSuchKey"],
    "head of missing": [404, "NoSuchKey"],
    "forbidden overwrite": [409, "FileAlreadyExists"],
    "wrong md5": [400, "InvalidDigest"],
    "none match": 304,
    "match": [412, "PreconditionFailed"],
    "appended": "01234567890123456789",
    "wrong position": [409, "PositionNotEqualToLength"],
    "parts": True,
    "listed parts": [102_400, 102_400],
    "metadata of parts": "value",
    "after abort": [404, "NoSuchUpload"],
    "list v1": OBJECTS,
    "list v2": OBJECTS,
    "folders": FOLDERS,
    "beside folders": OBJECTS[:1],
    "buckets": ["bucket-v1", "bucket-v4"],
    "left": [OBJECTS[0], *OBJECTS[4:]],
    "temporary key": "0123456789",
    "signed url of a temporary key": "0123456789",
    "wrong secret": [403, "SignatureDoesNotMatch"],
    "unknown key": [403, "InvalidAccessKeyId"],
    "without token": [403, "InvalidSecurityToken"],
    "missing bucket": [404, "NoSuchBucket"],
    "versioning": [None, "Suspended"],
    "overwrite with versions": "0123456789",
}


def oss2() -> list[str]:
    return [python_of("vendor-stores"), "-m", "tests.localcloud.oss.judge_oss2"]


def alibabacloud_oss_v2() -> list[str]:
    return [sys.executable, "-m", "tests.localcloud.oss.judge_oss_v2"]


def ali_oss() -> list[str]:
    return [node_with("ali-oss"), "tests/node/judge_oss.js"]


@pytest.fixture(scope="module", params=[oss2, alibabacloud_oss_v2, ali_oss])
def verdict(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a client made of our answers."""
    judge: Callable[[], list[str]] = request.param
    command = judge()
    buckets = {f"bucket-{scheme}": Bucket(MemoryShelf(), MemoryShelf()) for scheme in ("v1", "v4")}
    with oss_on_the_wire(tmp_path_factory.mktemp("oss"), buckets=buckets) as oss:
        return report_of([*command, oss.endpoint])


@pytest.mark.parametrize("scheme", ["v1", "v4"])
def test_every_client_sees_what_oss_would_show(verdict: dict[str, Any], scheme: str) -> None:
    assert verdict[scheme] == SEEN
