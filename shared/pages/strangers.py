"""What strangers wrote, made fit for a page: without secrets, and without what no page can hold."""

from __future__ import annotations

import re

from shared.toolkit.masking import Masker

# No control character, half of a surrogate pair or non-character can stand in a page; and none of the marks
# may that turn the direction of writing, which would show another text than was written.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
_MARGIN = 2_000


def plain(text: str, limit: int | None = None) -> str:
    """Give a text as it may be shown, cut to so many characters."""
    # The rules that mask look ahead, but none of them so far that it would matter to what is shown.
    near = text if limit is None else text[: limit + _MARGIN]
    shown = _UNPRINTABLE.sub("\ufffd", Masker().text(near))
    return shown if limit is None or len(shown) <= limit else f"{shown[:limit]}…"
