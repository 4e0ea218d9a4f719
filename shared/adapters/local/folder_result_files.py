"""A folder that stands for the buckets into which jobs write: `<root>/<bucket>/<key>`."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from shared.adapters.local.folder_object_store import FolderObjectStore
from shared.errors import ObjectNotFoundError, SettingError


class FolderResultFiles:
    """Reads `oss://bucket.endpoint/key` from a folder; without one, nothing can be read."""

    def __init__(self, root: Path | None) -> None:
        self._store = FolderObjectStore(root) if root else None

    def read(self, uri: str) -> bytes:
        """Read a whole file."""
        if self._store is None:
            raise SettingError("set LEDGER_RESULT_FILES to read what jobs have written", file=uri)
        place = urlsplit(uri)
        bucket, key = place.netloc.partition(".")[0], place.path.lstrip("/")
        if place.scheme != "oss" or not bucket or not key:
            raise ObjectNotFoundError("not the address of a file in OSS", file=uri[:200])
        try:
            return self._store.get(f"{bucket}/{key}")
        except ValueError as error:
            raise ObjectNotFoundError(f"no file can have this name: {error}", file=uri[:200]) from None
