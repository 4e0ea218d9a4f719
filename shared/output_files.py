"""Which files a job made in the user's own buckets, by whole addresses, where its answer says. Pure.

The vendors name a file by its URL, or by its key alone, which is in the bucket that the job was told to write
into (query-apis.md 2.3, 2.4).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from shared.kinds.values import short_hash
from shared.record import Evidence, JobRecord, Output

# A bucket's own address, as a URL of the web. A placeholder of the vendor's is no part of one.
_WEB = re.compile(r"https?://(?P<place>[a-z0-9-]+\.oss-[a-z0-9-]+\.aliyuncs\.com)/(?P<key>[^{}]*[^{}/])")
_BUCKET = re.compile(r"oss://[^/]+/")
_FILES = ("file", "cover")


def copied(record: JobRecord) -> tuple[Evidence, ...]:
    """Name the files of a job that succeeded, each once; what cannot be located is named as it was told.

    Where the answer lists none, the one that the job was told to write counts, if it is told whole.
    """
    if record.status != "succeeded":
        return ()
    found: dict[str, Evidence] = {}
    for output, address in _listed(record) or _told(record):
        found.setdefault(address, Evidence(id=short_hash(address), url=address, source=output.source))
    return tuple(found.values())


def _listed(record: JobRecord) -> list[tuple[Output, str]]:
    bucket = _BUCKET.match(record.media.output or "")
    made = [output for output in record.outputs if output.kind in _FILES]
    return [(one, _address(one, bucket[0] if bucket else None)) for one in made if one.url or one.uri]


def _told(record: JobRecord) -> Iterator[tuple[Output, str]]:
    for output in record.outputs:
        address = _of_web(output.url or "")
        if address:
            yield output, address


def _address(output: Output, bucket: str | None) -> str:
    """Prefer a URL, which names the bucket, to a key, which does not."""
    names = [name for name in (output.url, output.uri) if name]
    for name in names:
        address = _of_web(name)
        if address or name.startswith("oss://"):
            return address or name
    keys = [name.lstrip("/") for name in names if "://" not in name]
    return f"{bucket}{keys[0]}" if bucket and keys else names[0]


def _of_web(url: str) -> str | None:
    found = _WEB.fullmatch(url)
    return f"oss://{found['place']}/{unquote(found['key'])}" if found else None
