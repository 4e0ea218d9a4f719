"""`Downloads` from the user's own buckets: what jobs wrote there, which is no stranger's.

A video may be larger than memory and the temporary disk. So a file is read once for its hash, and again by
whoever stores it; what has changed in between is no whole file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from shared.adapters import file_types
from shared.downloads import Download
from shared.errors import DownloadFailedError, DownloadRefusedError, GoneError, ObjectNotFoundError
from shared.object_files import Unchanged, opened
from shared.ports import Clock, ObjectReads

# Most that one PutObject takes: https://alibabacloud.com/help/doc-detail/31978.htm
MAX_BYTES = 5 * 1024**3


class BucketDownloads:
    """Fetches `oss://bucket.oss-region.aliyuncs.com/key`; of a file, no more than a piece is in memory."""

    def __init__(self, files: ObjectReads, *, clock: Clock, max_bytes: int = MAX_BYTES) -> None:
        self._files = files
        self._clock = clock
        self._max_bytes = max_bytes

    @contextmanager
    def download(self, url: str, *, deadline: int) -> Iterator[Download]:
        """See `Downloads.download`. What cannot be read for want of a right is a `SettingError`."""
        try:
            found = self._found(url, deadline)
        except ObjectNotFoundError as error:
            raise GoneError(error.message, file=url[:200]) from None
        yield found

    def _found(self, url: str, deadline: int) -> Download:
        size = self._files.info(url).size
        if size > self._max_bytes:
            raise DownloadRefusedError(f"it is larger than {self._max_bytes} bytes", file=url[:200])
        hashed, head = hashlib.sha256(), b""
        for chunk in self._files.chunks(url):
            if self._clock.now() >= deadline:
                raise DownloadFailedError("no time is left to read it", file=url[:200])
            head += chunk[: file_types.HEAD - len(head)]
            hashed.update(chunk)
        sha256 = hashed.hexdigest()
        kind = file_types.told_by(head) or file_types.OTHER
        open_file = partial(opened, Unchanged(self._files, sha256), url)
        return Download(open_file, size, sha256, kind.content_type, kind.extension)
