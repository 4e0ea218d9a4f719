"""Which keys, and which parts of an object, a store takes. Pure."""

from __future__ import annotations

MAX_KEY_BYTES = 1_023  # OSS, "Name": tablestore-oss.md 2


def segments(key: str) -> list[str]:
    """Split a key at its slashes; raise `ValueError` for what is no relative path of UTF-8 text."""
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        raise ValueError(f"an object key must be valid Unicode: {key[:100]!r}") from None
    if size > MAX_KEY_BYTES:
        raise ValueError(f"an object key has at most {MAX_KEY_BYTES} bytes, not {size}: {key[:100]!r}")
    parts = key.split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise ValueError(f"an object key has no empty, '.' or '..' segment: {key!r}")
    # No file name holds NUL, and OSS takes no leading backslash (tablestore-oss.md 2).
    if "\0" in key or key.startswith("\\"):
        raise ValueError(f"an object key has no NUL and no leading backslash: {key!r}")
    return parts


def check_span(start: int, end: int | None) -> None:
    """Raise `ValueError` for what is no part of anything: `end` is left out, and None for the rest."""
    if start < 0 or (end is not None and end <= start):
        raise ValueError(f"bytes {start} to {end} are no part of an object")
