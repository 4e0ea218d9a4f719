"""An object as a file: for stores that want one to put, without the memory or the disk to hold it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from shared.errors import DownloadFailedError, ObjectNotFoundError
from shared.ports import ObjectInfo, ObjectReads


class ObjectFile(io.RawIOBase):
    """Reads an object from anywhere in it; reading on costs no further request.

    Raise `ObjectNotFoundError` at once when there is none.
    """

    def __init__(self, objects: ObjectReads, key: str) -> None:
        self._objects = objects
        self._key = key
        self._size = objects.info(key).size
        self._at = 0
        self._chunks: Iterator[bytes] | None = None
        self._rest = b""

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that it can be read from anywhere."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place; the next bytes are asked for anew."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        self._chunks, self._rest = None, b""
        return self._at

    def tell(self) -> int:
        """Tell the place of the next byte."""
        return self._at

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # of any buffer, it gets this one
        """Fill as much of a buffer as came at once; 0 at the end."""
        if self._chunks is None:
            self._chunks = self._objects.chunks(self._key, start=self._at)
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk
        given = self._rest[: len(buffer)]
        buffer[: len(given)] = given
        self._rest = self._rest[len(given) :]
        self._at += len(given)
        return len(given)


def opened(objects: ObjectReads, name: str) -> io.BufferedReader:
    """Open an object as a file."""
    return io.BufferedReader(ObjectFile(objects, name))


@dataclass(frozen=True)
class Unchanged:
    """Objects of which each must be, whenever it is read whole, what it was.

    One that is gone by then is a `DownloadFailedError`, too: whoever begins anew is told that there is none.
    """

    objects: ObjectReads
    sha256: str

    def info(self, name: str, /) -> ObjectInfo:
        """See `ObjectReads.info`."""
        with _still_there(name):
            return self.objects.info(name)

    def chunks(self, name: str, /, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """See `ObjectReads.chunks`; raise `DownloadFailedError` at the end of another file than it was."""
        hashed = hashlib.sha256()
        with _still_there(name):
            for chunk in self.objects.chunks(name, start=start, end=end):
                hashed.update(chunk)
                yield chunk
        if start == 0 and end is None and hashed.hexdigest() != self.sha256:
            raise DownloadFailedError("it was changed while it was copied", file=name[:200])


@contextmanager
def _still_there(name: str) -> Iterator[None]:
    try:
        yield
    except ObjectNotFoundError:
        raise DownloadFailedError("it was taken away while it was copied", file=name[:200]) from None
