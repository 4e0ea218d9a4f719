"""An object as a file: for stores that want one to put, without the memory or the disk to hold it."""

from __future__ import annotations

import io
from collections.abc import Iterator

from shared.ports import ObjectReads


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
