"""The checksums of OSS: the MD5 that it refuses a body for, and the CRC-64 of what it has stored or sends."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from functools import cache
from typing import BinaryIO, NamedTuple

_READ_AT_ONCE = 1024 * 1024


class Checksums(NamedTuple):
    """What is said of a body when it is put, and what OSS has to say of it then."""

    md5: str
    crc64: str


def checksums(body: bytes | BinaryIO) -> Checksums:
    """Sum a body up; a file is read once, from its start."""
    md5, crc64 = hashlib.md5(usedforsecurity=False), Crc64()
    for chunk in (body,) if isinstance(body, bytes) else _chunks(body):
        md5.update(chunk)
        crc64.update(chunk)
    return Checksums(base64.b64encode(md5.digest()).decode(), str(crc64))


class Crc64:
    """Sums up chunk by chunk; its text is a decimal number, as OSS writes it."""

    def __init__(self) -> None:
        self._add = _crc64()
        self._value = 0

    def update(self, chunk: bytes) -> None:
        """Add a chunk."""
        self._value = self._add(chunk, self._value)

    def __str__(self) -> str:
        return str(self._value)


@cache
def _crc64() -> Callable[[bytes, int], int]:
    """Make the function once: the vendor's client makes its table for every object, a quarter millisecond."""
    import crcmod

    # ECMA-182
    return crcmod.mkCrcFun(0x142F0E1EBA9EA3693, initCrc=0, rev=True, xorOut=0xFFFFFFFFFFFFFFFF)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    yield from iter(lambda: file.read(_READ_AT_ONCE), b"")
