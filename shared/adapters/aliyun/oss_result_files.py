"""Files that vendor jobs wrote into the user's own buckets, read from OSS in the region that they name."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from shared.adapters.aliyun.oss_bodies import OssObject
from shared.adapters.aliyun.oss_client import OssClient
from shared.adapters.aliyun.oss_reads import read_chunks, read_info, read_object
from shared.adapters.object_keys import MAX_KEY_BYTES
from shared.errors import ObjectNotFoundError, SettingError, VendorRefusedError
from shared.ports import LARGE_FILE, ObjectInfo

# The host comes from a job, and would get signed requests: nothing of it is used but the region. What
# stands behind the key's `#` or `?` belongs to the key: an address in OSS has no query.
_ADDRESS = re.compile(
    r"oss://(?P<bucket>[a-z0-9][a-z0-9-]{1,61}[a-z0-9])"
    r"(?:\.oss-(?P<region>[a-z0-9-]+?)(?:-internal)?\.aliyuncs\.com)?/(?P<key>[^/\\].*)",
    re.DOTALL,
)
_DOTS = re.compile(r"(?:^|/)\.{1,2}(?:/|$)")


class OssResultFiles:
    """Reads `oss://bucket.oss-region.aliyuncs.com/key`; `oss://bucket/key` in `region`.

    `open_client` gives a client for a region; each is opened once and kept.
    """

    def __init__(self, open_client: Callable[[str], OssClient], *, region: str | None = None) -> None:
        self._open_client = open_client
        self._region = region
        self._clients: dict[str, OssClient] = {}
        self._opening = threading.Lock()

    def read(self, uri: str) -> bytes:
        """Read a whole file, unless it is large."""
        client, place = self._located(uri)
        with _explained(place):
            return read_object(client, place, most=LARGE_FILE)

    def chunks(self, uri: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Give the bytes from `start` up to `end`, which is left out, piece by piece."""
        client, place = self._located(uri)
        with _explained(place):
            yield from read_chunks(client, place, start=start, end=end)

    def info(self, uri: str) -> ObjectInfo:
        """Tell what is known of a file."""
        client, place = self._located(uri)
        with _explained(place):
            return read_info(client, place)

    def close(self) -> None:
        """Close the kept connections."""
        with self._opening:
            clients = list(self._clients.values())
            self._clients.clear()
        for client in clients:
            client.close()

    def _located(self, uri: str) -> tuple[OssClient, OssObject]:
        found = _ADDRESS.fullmatch(uri)
        if found is None or not _is_key(found["key"]):
            raise ObjectNotFoundError("not the address of a file in OSS", file=uri[:200])
        region = found["region"] or self._region
        if region is None:
            raise SettingError("set LEDGER_REGION to read files whose address names none", file=uri[:200])
        return self._client(region), OssObject(found["bucket"], found["key"], uri[:200])

    def _client(self, region: str) -> OssClient:
        with self._opening:
            if region not in self._clients:
                self._clients[region] = self._open_client(region)
            return self._clients[region]


@contextmanager
def _explained(place: OssObject) -> Iterator[None]:
    """Say of a refusal what it means for a bucket of the user's."""
    try:
        yield
    except SettingError as error:
        if error.details.get("vendor_code") != "NoSuchBucket":
            raise
        raise ObjectNotFoundError("there is no such bucket", file=place.key) from None
    except VendorRefusedError as error:
        if error.details.get("vendor_code") != "AccessDenied":
            raise
        raise SettingError(
            f"grant oss:GetObject on the bucket {place.bucket} to the role that reads results",
            file=place.key,
        ) from None


def _is_key(key: str) -> bool:
    """Tell whether a bucket may hold such a key: others than ours may have empty segments."""
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        return False
    # A client of HTTP would resolve dots, and ask for another file than was signed.
    return size <= MAX_KEY_BYTES and not _DOTS.search(key)
