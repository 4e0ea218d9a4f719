"""What kind of file begins with certain bytes: pictures, video and sound, which evidence is made of."""

from __future__ import annotations

from typing import NamedTuple

HEAD = 64
"""How many of the first bytes are looked at."""


class FileType(NamedTuple):
    """A kind of file, by two names for the same."""

    content_type: str
    extension: str


OTHER = FileType("application/octet-stream", "")
"""What is said of a file that is none of these."""

_JPEG = FileType("image/jpeg", ".jpg")
_MP3 = FileType("audio/mpeg", ".mp3")
_BY_START = {
    b"\xff\xd8\xff": _JPEG,
    b"\x89PNG\r\n\x1a\n": FileType("image/png", ".png"),
    b"GIF87a": FileType("image/gif", ".gif"),
    b"GIF89a": FileType("image/gif", ".gif"),
    b"\x1a\x45\xdf\xa3": FileType("video/webm", ".webm"),
    b"FLV\x01": FileType("video/x-flv", ".flv"),
    b"ID3": _MP3,
    b"\xff\xfb": _MP3,
    b"\xff\xf3": _MP3,
    b"\xff\xf2": _MP3,
}
_IN_RIFF = {b"WEBP": FileType("image/webp", ".webp"), b"WAVE": FileType("audio/wav", ".wav")}
_BY_BRAND = {
    b"avif": FileType("image/avif", ".avif"),
    b"heic": FileType("image/heic", ".heic"),
    b"mif1": FileType("image/heic", ".heic"),
    b"M4A ": FileType("audio/mp4", ".m4a"),
    b"qt  ": FileType("video/quicktime", ".mov"),
}


def told_by(head: bytes) -> FileType | None:
    """Tell the kind of a file by its first bytes; None for what is none of these, such as a page."""
    if head[:4] == b"RIFF":
        return _IN_RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _BY_BRAND.get(head[8:12], FileType("video/mp4", ".mp4"))
    # Two letters are no proof; the four bytes that are reserved in a bitmap are zero.
    if head[:2] == b"BM" and head[6:10] == bytes(4):
        return FileType("image/bmp", ".bmp")
    return next((kind for start, kind in _BY_START.items() if head.startswith(start)), None)
