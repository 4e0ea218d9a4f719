"""Raw parts that memory has no room for: read from wherever they are, again each time they are needed.

Nothing of them is kept on the temporary disk either, which has 512 MB for all that an instance does at once
(function-compute.md 1.5). A part that changes between two readings is no part.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from shared.errors import DownloadFailedError, FileTooLargeError
from shared.job_row import StoredPart
from shared.kinds.kind import ResultFile
from shared.object_files import Unchanged, opened
from shared.ports import LARGE_FILE, Clock, ObjectInfo, ObjectReads, Services
from shared.vendor import Format, LargePart, Part

MOST_BYTES = 512 * 1024**2
"""A file above this is no report."""


def fetched(services: Services, file: ResultFile, uri: str, *, deadline: int) -> Part:
    """Give a large result file; raise `FileTooLargeError` for one above `MOST_BYTES`.

    Raise `DownloadFailedError`, now or later, when there is no time to read it until `deadline`.
    """
    return _large(file.part, file.format, _Timed(services.large_files, services.clock, deadline), uri)


def archived(services: Services, stored: StoredPart) -> Part:
    """Read a raw part that was archived; raise `ObjectNotFoundError` when it is gone."""
    # The vendor's answer is one HTTP response, which was in memory once.
    if stored.name == "answer" or services.objects.info(stored.key).size <= LARGE_FILE:
        return Part(stored.name, stored.format, services.objects.get(stored.key))
    return _large(stored.name, stored.format, services.objects, stored.key)


def _large(name: str, form: Format, reads: ObjectReads, where: str) -> LargePart:
    size = reads.info(where).size
    if size > MOST_BYTES:
        raise FileTooLargeError("no report is as large", size=size, limit=MOST_BYTES)
    hashed = hashlib.sha256()
    for chunk in reads.chunks(where):
        hashed.update(chunk)
    same = Unchanged(reads, hashed.hexdigest())
    return LargePart(name, form, partial(same.chunks, where), partial(opened, same, where), same.sha256)


@dataclass(frozen=True)
class _Timed:
    """Reads as long as there is time."""

    objects: ObjectReads
    clock: Clock
    deadline: int

    def info(self, name: str, /) -> ObjectInfo:
        """See `ObjectReads.info`."""
        return self.objects.info(name)

    def chunks(self, name: str, /, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """See `ObjectReads.chunks`."""
        for chunk in self.objects.chunks(name, start=start, end=end):
            if self.clock.now() >= self.deadline:
                raise DownloadFailedError("no time is left to read it", file=name[:200])
            yield chunk
