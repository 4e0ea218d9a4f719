"""What a file is, by its first bytes alone."""

from __future__ import annotations

import pytest

from localcloud.evidence.pictures import picture
from shared.adapters.file_types import HEAD, told_by

FTYP = b"\0\0\0\x20ftyp"


@pytest.mark.parametrize(
    ("head", "content_type", "extension"),
    [
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg", ".jpg"),
        (picture("a"), "image/png", ".png"),
        (b"GIF87a\x01\0", "image/gif", ".gif"),
        (b"GIF89a\x01\0", "image/gif", ".gif"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "image/webp", ".webp"),
        (b"BM\x36\x10\0\0\0\0\0\0\x36\0", "image/bmp", ".bmp"),
        (FTYP + b"avif", "image/avif", ".avif"),
        (FTYP + b"heic", "image/heic", ".heic"),
        (FTYP + b"isom", "video/mp4", ".mp4"),
        (FTYP + b"qt  ", "video/quicktime", ".mov"),
        (b"\x1a\x45\xdf\xa3\x01", "video/webm", ".webm"),
        (b"FLV\x01\x05", "video/x-flv", ".flv"),
        (b"ID3\x04\0", "audio/mpeg", ".mp3"),
        (b"\xff\xfb\x90\x64", "audio/mpeg", ".mp3"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "audio/wav", ".wav"),
        (FTYP + b"M4A ", "audio/mp4", ".m4a"),
    ],
)
def test_pictures_video_and_sound_are_known(head: bytes, content_type: str, extension: str) -> None:
    assert told_by(head[:HEAD]) == (content_type, extension)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"<html>",
        b"<?xml version='1.0'?><Error>",
        b"<svg onload='alert(1)'>",
        b'{"Code":"AccessDenied"}',
        b"BMW is a maker of cars",
        b"RIFF\x24\0\0\0AVI LIST",
        b"%PDF-1.7",
        b"PK\x03\x04",
        b"MZ\x90\0",
        b"\x7fELF",
    ],
)
def test_nothing_else_is(head: bytes) -> None:
    assert told_by(head) is None
