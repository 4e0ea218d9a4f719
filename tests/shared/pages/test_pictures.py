"""How large a picture is, told by its first bytes."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.pages.pictures import size_of

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 640, 360) + b"\x08\x02\0\0\0"
GIF = b"GIF89a" + struct.pack("<HH", 640, 360) + b"\0\0\0"
FRAME = struct.pack(">BBHBHH", 0xFF, 0xC2, 17, 8, 360, 640)
JPEG = (
    b"\xff\xd8\xff\xe0"
    + struct.pack(">H", 16)
    + b"JFIF\0"
    + bytes(9)
    + b"\xff\xff\xdb\0\x04ab"
    + FRAME
    + bytes(9)
)
LOSSY = b"RIFF\0\0\0\0WEBPVP8 " + bytes(4) + b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 640, 360 | 0x4000)
LOSSLESS = b"RIFF\0\0\0\0WEBPVP8L" + bytes(4) + b"\x2f" + struct.pack("<I", 639 | 359 << 14) + bytes(5)
EXTENDED = b"RIFF\0\0\0\0WEBPVP8X" + bytes(8) + (639).to_bytes(3, "little") + (359).to_bytes(3, "little")


@pytest.mark.parametrize("head", [PNG, GIF, JPEG, LOSSY, LOSSLESS, EXTENDED])
def test_the_size_is_told(head: bytes) -> None:
    assert size_of(head) == (640, 360)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        PNG[:20],
        JPEG[:-18],
        b"\xff\xd8\xff\xd9",
        b"%PDF-1.7",
        b"<svg width='1' height='1'>",
        GIF[:6] + bytes(8),
        EXTENDED.replace(b"VP8X", b"ALPH"),
    ],
)
def test_what_does_not_tell_its_size_has_none(head: bytes) -> None:
    assert size_of(head) is None


@given(
    st.sampled_from([PNG, GIF, JPEG, LOSSY, LOSSLESS, EXTENDED, b""]),
    st.integers(0, 40),
    st.binary(max_size=60),
)
def test_any_bytes_have_a_size_that_can_be_drawn_or_none(head: bytes, cut: int, rest: bytes) -> None:
    size = size_of(head[:cut] + rest)

    assert size is None or (size[0] > 0 and size[1] > 0)
