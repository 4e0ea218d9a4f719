"""When an event happened, as VOD and ICE write it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

# `...:17Z`, `...:46.540Z`, and with a colon before the milliseconds, as VOD's current sample has it
# (media-jobs.md 1.1). ICE writes the first (media-jobs.md 1.3).
_EVENT_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:[.:]([0-9]{3}))?Z"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def epoch_ms(text: str | None) -> int | None:
    """Give a UTC time as epoch milliseconds; None for what is no such time."""
    found = _EVENT_TIME.fullmatch(text or "")
    if not found:
        return None
    year, month, day, hour, minute, second, ms = (int(digits or 0) for digits in found.groups())
    try:
        moment = datetime(year, month, day, hour, minute, second, ms * 1000, tzinfo=timezone.utc)
    except ValueError:
        return None
    return (moment - _EPOCH) // timedelta(milliseconds=1)
