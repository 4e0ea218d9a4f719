"""The `Retry-After` header, in which a server says when it wants to be asked again."""

from __future__ import annotations

from datetime import timezone
from email.utils import parsedate_to_datetime

from shared.policy import HOUR, SECOND

_LONGEST_WAIT = 1 * HOUR


def retry_after_ms(text: str, *, now: int) -> int | None:
    """Read the header, seconds or a date; at most an hour, and None for what is neither."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:10]) * SECOND, _LONGEST_WAIT)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # the latter for a year or zone of many digits
        return None
    at = date if date.tzinfo else date.replace(tzinfo=timezone.utc)
    return max(0, min(int(at.timestamp() * 1000) - now, _LONGEST_WAIT))
