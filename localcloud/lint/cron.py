"""Reads the schedule of a timer trigger: `@every 5m`, or six fields with seconds first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from zoneinfo import available_timezones

from localcloud.lint.findings import nearest

# function-compute.md 3. That of Go knows more units, which no page of the vendor promises.
_EVERY = re.compile(r"@every\s+[1-9][0-9]*[mh]")
_ZONE = re.compile(r"CRON_TZ=(\S+)\s+(.*)")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS = (
    ("second", 0, 59, ()),
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 7, _DAYS),
)
_PART = re.compile(r"(?P<from>\*|\?|\w+)(-(?P<to>\w+))?(/(?P<step>\w+))?")


def schedule_problems(text: str) -> Iterator[str]:
    """Say what is wrong with a schedule."""
    zoned = _ZONE.fullmatch(text.strip())
    if zoned:
        yield from _zone_problems(zoned[1])
    expression = zoned[2] if zoned else text.strip()
    if expression.startswith("@"):
        if not _EVERY.fullmatch(expression):
            yield f"{expression!r} is no interval such as '@every 5m' or '@every 1h'"
        return
    fields = expression.split()
    if len(fields) != len(_FIELDS):
        yield f"{expression!r} has {len(fields)} fields: six are needed, seconds first"
        return
    for field, (name, low, high, words) in zip(fields, _FIELDS, strict=True):
        for part in field.split(","):
            if not _is_part(part, low, high, words):
                yield f"{part!r} is no {name} ({low} to {high})"


def _zone_problems(zone: str) -> Iterator[str]:
    known = available_timezones()  # empty where neither the system nor a package has the data
    if known and zone not in known:
        near = nearest(zone, known)
        yield f"{zone!r} is no time zone" + (f"; did you mean {near}?" if near else "")


def _is_part(part: str, low: int, high: int, words: tuple[str, ...]) -> bool:
    match = _PART.fullmatch(part)
    if match is None:
        return False
    if match["step"] and not _in_range(match["step"], 1, high):
        return False
    if match["from"] in ("*", "?"):
        return match["to"] is None
    ends = [match["from"], *([match["to"]] if match["to"] else [])]
    return all(end.upper() in words or _in_range(end, low, high) for end in ends)


def _in_range(text: str, low: int, high: int) -> bool:
    return text.isascii() and text.isdigit() and low <= int(text) <= high
