"""The addresses of files in OSS that jobs are submitted with. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.adapters.object_keys import segments

# MTS takes `oss://bucket.oss-region.aliyuncs.com/key` (media-jobs.md 4); ICE takes `oss://bucket/key`
# and the web address (Media, on the page of its QueryIProductionJob). Nothing is decoded: keys may
# contain spaces (quirk 66).
_ADDRESS = re.compile(r"(?:oss|https?)://(?P<bucket>[a-z0-9_-]+)(?P<host>\.[a-z0-9.-]+)?/(?P<key>.+)")


@dataclass(frozen=True)
class OssFile:
    """One file in a bucket. `host` is empty where the address names none."""

    bucket: str
    key: str
    host: str = ""


def read_oss_url(url: str) -> OssFile | None:
    """Read an address; None for what is none, or has a key that no store takes."""
    found = _ADDRESS.fullmatch(url)
    if not found:
        return None
    try:
        segments(found["key"])
    except ValueError:
        return None
    return OssFile(found["bucket"], found["key"], (found["host"] or "").removeprefix("."))
