"""A folder that stands for the buckets into which jobs write: `<root>/<bucket>/<key>`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.adapters.local.folder_object_store import FolderObjectStore
from shared.errors import FileTooLargeError, ObjectNotFoundError, SettingError
from shared.ports import LARGE_FILE, ObjectInfo

# What stands behind the key's `#` or `?` belongs to the key: an address in OSS has no query.
_ADDRESS = re.compile(r"oss://(?P<bucket>[a-z0-9][a-z0-9-]*)(\.[^/]+)?/(?P<key>.+)", re.DOTALL)


class FolderResultFiles:
    """Reads `oss://bucket.endpoint/key` from a folder; without one, nothing can be read."""

    def __init__(self, root: Path | None) -> None:
        self._store = FolderObjectStore(root) if root else None

    def read(self, uri: str) -> bytes:
        """Read a whole file, unless it is large."""
        with self._at(uri) as (store, key):
            if store.info(key).size > LARGE_FILE:
                raise FileTooLargeError("it is to be read piece by piece", file=uri[:200])
            return store.get(key)

    def chunks(self, uri: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Give the bytes from `start` up to `end`, which is left out, piece by piece."""
        with self._at(uri) as (store, key):
            yield from store.chunks(key, start=start, end=end)

    def info(self, uri: str) -> ObjectInfo:
        """Tell what is known of a file."""
        with self._at(uri) as (store, key):
            return store.info(key)

    @contextmanager
    def _at(self, uri: str) -> Iterator[tuple[FolderObjectStore, str]]:
        if self._store is None:
            raise SettingError("set LEDGER_RESULT_FILES to read what jobs have written", file=uri)
        found = _ADDRESS.fullmatch(uri)
        if found is None:
            raise ObjectNotFoundError("not the address of a file in OSS", file=uri[:200])
        try:
            yield self._store, f"{found['bucket']}/{found['key']}"
        except ValueError as error:
            raise ObjectNotFoundError(f"no file can have this name: {error}", file=uri[:200]) from None
