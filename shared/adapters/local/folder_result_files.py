"""A folder that stands for the buckets into which jobs write: `<root>/<bucket>/<key>`."""

from __future__ import annotations

import re
from pathlib import Path

from shared.adapters.local.folder_object_store import FolderObjectStore
from shared.errors import ObjectNotFoundError, SettingError

# What stands behind the key's `#` or `?` belongs to the key: an address in OSS has no query.
_ADDRESS = re.compile(r"oss://(?P<bucket>[a-z0-9][a-z0-9-]*)(\.[^/]+)?/(?P<key>.+)", re.DOTALL)


class FolderResultFiles:
    """Reads `oss://bucket.endpoint/key` from a folder; without one, nothing can be read."""

    def __init__(self, root: Path | None) -> None:
        self._store = FolderObjectStore(root) if root else None

    def read(self, uri: str) -> bytes:
        """Read a whole file."""
        if self._store is None:
            raise SettingError("set LEDGER_RESULT_FILES to read what jobs have written", file=uri)
        found = _ADDRESS.fullmatch(uri)
        if found is None:
            raise ObjectNotFoundError("not the address of a file in OSS", file=uri[:200])
        try:
            return self._store.get(f"{found['bucket']}/{found['key']}")
        except ValueError as error:
            raise ObjectNotFoundError(f"no file can have this name: {error}", file=uri[:200]) from None
