"""Findings that a record has no room for, on the temporary disk until they are stored.

They are compressed there, to a tenth or less: the disk has 512 MB for all that an instance does at once
(function-compute.md 1.5), and the findings of a report of 200 MB have a multiple of that.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, cast

from shared.errors import StoreUnavailableError

if TYPE_CHECKING:
    from gzip import GzipFile


class FindingsFile:
    """See `Lines`; a context that takes the file away. There is none before the first line."""

    def __init__(self) -> None:
        self._disk: BinaryIO | None = None
        self._writing: GzipFile | None = None

    def write(self, lines: bytes, /) -> None:
        """See `Lines.write`; raise `StoreUnavailableError` when the disk is full."""
        with _no_room_told():
            if self._writing is None:
                self._writing = self._begin()
            self._writing.write(lines)

    def _begin(self) -> GzipFile:
        # Few jobs need them, and every cold start would wait for them.
        import gzip
        import tempfile

        self._disk = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115  # this is the context
        return gzip.GzipFile(fileobj=self._disk, mode="wb", compresslevel=1, mtime=0)

    def clear(self) -> None:
        """See `Lines.clear`."""
        self.close()

    def open(self) -> BinaryIO:
        """End it, and give a seekable file of all lines; whoever opens it reads it before the next does.

        Raise `StoreUnavailableError` when the disk is full.
        """
        import gzip

        if self._writing is None or self._disk is None:
            raise ValueError("no line was written")
        with _no_room_told():
            self._writing.close()
            self._disk.seek(0)
        return cast("BinaryIO", gzip.GzipFile(fileobj=self._disk, mode="rb"))

    def close(self) -> None:
        """Take the file away."""
        disk, self._disk, self._writing = self._disk, None, None
        if disk is not None:
            disk.close()

    def __enter__(self) -> FindingsFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@contextmanager
def _no_room_told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnavailableError(f"the temporary disk takes no more: {error.strerror}") from None
