"""An object store in a folder: one file per object, at the path that its key spells.

Every path is walked from the root folder by folder, through descriptors that refuse symbolic links:
no key and no link planted in the folder leads outside, not even one planted meanwhile. POSIX only.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from shared.adapters.object_keys import check_span, segments
from shared.errors import ObjectNotFoundError, StoreUnavailableError
from shared.ports import ObjectInfo

# Nothing, a file where the key needs a folder, a folder, a link: none of them is an object.
_NO_OBJECT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP})
_CHUNK_BYTES = 256 * 1024
_FOLDER = os.O_RDONLY | os.O_DIRECTORY
_PART = re.compile(r"\.[0-9a-f]{16}\.part")


class FolderObjectStore:
    """Keeps objects as files under `root`, which is made by the first write.

    Safe with several threads and processes on one machine. The content type is not kept: the key's
    suffix tells it. Two things that a bucket can hold and a folder cannot, `a` beside `a/b` and a
    segment above the file system's limit (255 bytes), raise `StoreUnavailableError`.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, key: str, body: bytes, *, content_type: str) -> None:
        """Store the object, replacing what stood there."""
        *folders, name = segments(key)
        with _naming(key), self._folder(folders, create=True) as folder, _written(body, folder) as part:
            os.replace(part, name, src_dir_fd=folder, dst_dir_fd=folder)
            os.fsync(folder)

    def put_new(self, key: str, body: bytes, *, content_type: str) -> bool:
        """Store the object if none stands there; tell whether this call stored it."""
        return self._put_new(key, body)

    def put_file(self, key: str, file: BinaryIO, *, content_type: str) -> bool:
        """Store what a file holds if no object stands there; tell whether this call stored it."""
        file.seek(0)
        return self._put_new(key, file)

    def _put_new(self, key: str, body: bytes | BinaryIO) -> bool:
        *folders, name = segments(key)
        with _naming(key), self._folder(folders, create=True) as folder:
            if _is_object(name, folder):
                return False
            with _written(body, folder) as part:
                try:
                    # A link is made whole or not at all, and never replaces: it decides the race.
                    os.link(part, name, src_dir_fd=folder, dst_dir_fd=folder)
                except FileExistsError:
                    if not _is_object(name, folder):
                        raise
                    return False
                os.fsync(folder)
        return True

    def get(self, key: str) -> bytes:
        """Read the whole object; raise `ObjectNotFoundError` when there is none."""
        with self._opened(key) as file:
            return file.read()

    def chunks(self, key: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Give the bytes from `start` up to `end`, which is left out, piece by piece."""
        check_span(start, end)
        with self._opened(key) as file:
            file.seek(start)
            while chunk := file.read(_CHUNK_BYTES if end is None else min(_CHUNK_BYTES, end - file.tell())):
                yield chunk

    def info(self, key: str) -> ObjectInfo:
        """Tell size and time of an object; raise `ObjectNotFoundError` when there is none."""
        with self._opened(key) as file:
            status = os.fstat(file.fileno())
        return ObjectInfo(status.st_size, status.st_mtime_ns // 1_000_000, content_type=None)

    def link(self, key: str, *, seconds: int, saved_as: str | None = None) -> str:
        """Give the address of the file, which does not end, and says nothing of how it is taken."""
        path = "/".join(segments(key))
        return f"{self._root.absolute().as_uri()}/{quote(path)}"

    def remove(self, key: str) -> None:
        """Take the object away, if there is one; its folders stay."""
        *folders, name = segments(key)
        with _naming(key):
            try:
                with self._folder(folders, create=False) as folder:
                    os.unlink(name, dir_fd=folder)
                    os.fsync(folder)
            except OSError as error:
                if error.errno not in _NO_OBJECT:
                    raise

    def has(self, key: str) -> bool:
        """Tell whether an object stands under the key."""
        *folders, name = segments(key)
        with _naming(key):
            try:
                with self._folder(folders, create=False) as folder:
                    return _is_object(name, folder)
            except OSError as error:
                if error.errno in _NO_OBJECT:
                    return False
                raise

    def keys(self, folder: str) -> Iterator[str]:
        """Give every key below a folder, in ascending order."""
        names = segments(folder)
        with _naming(folder), ExitStack() as opened:
            try:
                descriptor = opened.enter_context(self._folder(names, create=False))
            except OSError as error:
                if error.errno in _NO_OBJECT:
                    return
                raise
            yield from _keys(f"{folder}/", descriptor)

    @contextmanager
    def _opened(self, key: str) -> Iterator[BinaryIO]:
        """Give the file of an object; raise `ObjectNotFoundError` when there is none."""
        *folders, name = segments(key)
        with _naming(key), ExitStack() as opened:
            try:
                with self._folder(folders, create=False) as folder:
                    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder)
                # Closed here, for a folder that turns up: then there is no file to close it.
                opened.callback(os.close, descriptor)
                file = opened.enter_context(os.fdopen(descriptor, "rb", closefd=False))
            except OSError as error:
                if error.errno in _NO_OBJECT:
                    raise ObjectNotFoundError("no object stands there", key=key) from None
                raise
            yield file

    @contextmanager
    def _folder(self, names: Sequence[str], *, create: bool) -> Iterator[int]:
        """Give a descriptor of the folder that `names` lead to."""
        folder = self._open_root(create=create)
        try:
            for name in names:
                inner = _enter(name, folder, create=create)
                os.close(folder)
                folder = inner
            yield folder
        finally:
            os.close(folder)

    def _open_root(self, *, create: bool) -> int:
        with suppress(FileNotFoundError):  # most of the time it is there
            return os.open(self._root, _FOLDER)
        if create:
            self._root.mkdir(parents=True, exist_ok=True)
        return os.open(self._root, _FOLDER)


def _enter(name: str, folder: int, *, create: bool) -> int:
    with suppress(FileNotFoundError):
        return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
    if create:
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=folder)
            os.fsync(folder)
    return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)


@contextmanager
def _written(body: bytes | BinaryIO, folder: int) -> Iterator[str]:
    """Write the bytes whole, under a name of their own that is gone at the end."""
    # Random, as in `tempfile` (which knows no folder descriptors): process ids repeat in containers.
    part = f".{secrets.token_hex(8)}.part"
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if isinstance(body, bytes):
                file.write(body)
            else:
                shutil.copyfileobj(body, file)
            file.flush()
            os.fsync(descriptor)
        yield part
    finally:
        with suppress(FileNotFoundError):
            os.unlink(part, dir_fd=folder)


def _is_object(name: str, folder: int) -> bool:
    try:
        return stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


def _keys(prefix: str, folder: int) -> Iterator[str]:
    with os.scandir(folder) as found:
        # A folder sorts as what its keys go on with: "a-b" comes before "a/c".
        names = sorted(
            f"{entry.name}/" if entry.is_dir(follow_symlinks=False) else entry.name
            for entry in found
            if not entry.is_symlink() and _is_key(prefix + entry.name) and not _PART.fullmatch(entry.name)
        )
    for name in names:
        if not name.endswith("/"):
            yield prefix + name
            continue
        inner = _enter(name[:-1], folder, create=False)
        try:
            yield from _keys(prefix + name, inner)
        finally:
            os.close(inner)


def _is_key(path: str) -> bool:
    """Tell whether a path could be a key: a folder holds names that are no text."""
    try:
        segments(path)
    except ValueError:
        return False
    return True


@contextmanager
def _naming(key: str) -> Iterator[None]:
    """Say which object it was about when the file system gives up.

    A failed sync after the file got its name is told as a failed write too: whoever puts the object
    again finds it there, and both answers are success.
    """
    try:
        yield
    except OSError as error:
        raise StoreUnavailableError(
            "the archive folder did not take or give the object", key=key, reason=error.strerror
        ) from error
