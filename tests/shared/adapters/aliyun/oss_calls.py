"""Every call of an object store that goes to OSS."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

from shared.adapters.aliyun.oss_object_store import OssObjectStore

TEXT = "text/plain"
KEY = "raw/vod.media_audit/job-1/0f3a.json"
ALWAYS = 10
"""More often than anything is tried."""
METHODS: dict[str, Callable[[OssObjectStore], object]] = {
    "put": lambda objects: objects.put(KEY, b"body", content_type=TEXT),
    "put_new": lambda objects: objects.put_new(KEY, b"body", content_type=TEXT),
    "put_file": lambda objects: objects.put_file(KEY, BytesIO(b"body"), content_type=TEXT),
    "get": lambda objects: objects.get(KEY),
    "chunks": lambda objects: list(objects.chunks(KEY)),
    "has": lambda objects: objects.has(KEY),
    "keys": lambda objects: list(objects.keys("raw")),
    "remove": lambda objects: objects.remove(KEY),
}
