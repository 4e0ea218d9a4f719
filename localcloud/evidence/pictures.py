"""Small pictures that differ by their name, so that no two pieces of evidence are the same bytes."""

from __future__ import annotations

import hashlib
import struct
import zlib


def picture(name: str, *, size: int = 0) -> bytes:
    """Draw a PNG of one colour; with `size`, of at least so many bytes, by a comment that nobody sees."""
    colour = hashlib.sha256(name.encode()).digest()[:3]
    line = b"\0" + colour * 16
    whole = [
        b"\x89PNG\r\n\x1a\n",
        _chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0)),
        _chunk(b"tEXt", b"Title\0" + name.encode().ljust(size, b".")),
        _chunk(b"IDAT", zlib.compress(line * 16)),
        _chunk(b"IEND", b""),
    ]
    return b"".join(whole)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
