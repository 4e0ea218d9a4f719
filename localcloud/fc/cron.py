"""Schedules of timer triggers: `@every 5m`, or six fields with seconds first (function-compute.md 3). Pure.

What no page tells is decided as in the library that the vendor's words come from: with a day of the month
and a day of the week, either of them will do. Where clocks are put forward what would be due in between is
left out; where they are put back it is due once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_EVERY = re.compile(r"@every\s+(?P<count>[1-9][0-9]*)(?P<unit>[mh])")
_ZONE = re.compile(r"CRON_TZ=(?P<zone>\S+)\s+(?P<fields>.*)")
_PART = re.compile(r"(?:[*?]|(?P<low>\w+)(?:-(?P<high>\w+))?)(?:/(?P<step>[1-9][0-9]*))?")
_UNITS = {"m": 60_000, "h": 3_600_000}
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_LONGEST_SEARCH_DAYS = 366 * 40  # a 29th of February that is a Sunday is this rare at most


class ScheduleError(ValueError):
    """No schedule that a timer trigger takes."""


@dataclass(frozen=True)
class _Kind:
    """What a field may hold: numbers, or words, of which the first means `low`."""

    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()


_KINDS = (
    _Kind("second", 0, 59),
    _Kind("minute", 0, 59),
    _Kind("hour", 0, 23),
    _Kind("day of month", 1, 31),
    _Kind("month", 1, 12, _MONTHS),
    _Kind("day of week", 0, 7, _DAYS),
)


@dataclass(frozen=True)
class _Fields:
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    is_either_day: bool
    zone: tzinfo

    def has(self, day: date) -> bool:
        """Tell whether something is due on that day."""
        in_month, in_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        fits = in_month or in_week if self.is_either_day else in_month and in_week
        return day.month in self.months and fits


@dataclass(frozen=True)
class Schedule:
    """When something is due: every so many milliseconds, or by `fields`."""

    every_ms: int | None
    fields: _Fields | None

    @classmethod
    def parse(cls, text: str) -> Schedule:
        """Read a schedule; raise `ScheduleError`."""
        zone, expression = split_zone(text)
        if expression.startswith("@"):
            found = _EVERY.fullmatch(expression)
            if zone or not found:
                raise ScheduleError(f"{text!r} is no interval such as '@every 5m' or '@every 1h'")
            return cls(int(found["count"]) * _UNITS[found["unit"]], None)
        fields = expression.split()
        if len(fields) != 6:
            raise ScheduleError(f"{expression!r} has {len(fields)} fields: six are needed, seconds first")
        return cls(None, _read_fields(fields, _zone(zone) if zone else timezone.utc))

    def after(self, moment: int) -> int | None:
        """Give the first due time after a moment, both in epoch milliseconds; None when there is none."""
        if self.fields is None:
            return moment + (self.every_ms or 0)
        return next(_due_after(self.fields, moment), None)


def split_zone(text: str) -> tuple[str | None, str]:
    """Give the time zone that a schedule names, if it names one, and the rest of it."""
    zoned = _ZONE.fullmatch(text.strip())
    return (zoned["zone"], zoned["fields"]) if zoned else (None, text.strip())


def _due_after(fields: _Fields, moment: int) -> Iterator[int]:
    start = datetime.fromtimestamp(moment / 1_000, fields.zone)
    for offset in range(_LONGEST_SEARCH_DAYS):
        day = start.date() + timedelta(days=offset)
        if not fields.has(day):
            continue
        for clock in _times(fields, since=start.time() if day == start.date() else time.min):
            due = _moment(day, clock, fields.zone)
            if due is not None and due > moment:
                yield due


def _times(fields: _Fields, *, since: time) -> Iterator[time]:
    """Give the times of a day, from the minute of `since` on."""
    return (
        time(hour, minute, second)
        for hour in fields.hours
        if hour >= since.hour
        for minute in fields.minutes
        if (hour, minute) >= (since.hour, since.minute)
        for second in fields.seconds
    )


def _moment(day: date, clock: time, zone: tzinfo) -> int | None:
    """Give the moment at which a clock of the zone shows that time; None when it never does."""
    local = datetime.combine(day, clock, zone)
    utc = local.astimezone(timezone.utc)
    exists = utc.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None)
    return int(utc.timestamp()) * 1_000 if exists else None


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ScheduleError(f"{name!r} is no time zone that this machine knows") from None


def _read_fields(fields: list[str], zone: tzinfo) -> _Fields:
    second, minute, hour, day, month, weekday = (
        frozenset(_values(field, kind)) for field, kind in zip(fields, _KINDS, strict=True)
    )
    return _Fields(
        tuple(sorted(second)),
        tuple(sorted(minute)),
        tuple(sorted(hour)),
        day,
        month,
        frozenset(one % 7 for one in weekday),
        is_either_day=not any(fields[place][0] in "*?" for place in (3, 5)),
        zone=zone,
    )


def _values(field: str, kind: _Kind) -> Iterator[int]:
    for part in field.split(","):
        match = _PART.fullmatch(part)
        if match is None or (start := _number(match["low"], kind, kind.low)) is None:
            raise _no_part(part, kind)
        # A step without an end goes on to the last value.
        is_open = match["low"] is None or match["step"]
        end = _number(match["high"], kind, kind.high if is_open else start)
        if end is None:
            raise _no_part(part, kind)
        if start > end:
            raise ScheduleError(f"{part!r} ends before it starts")
        yield from range(start, end + 1, int(match["step"] or 1))


def _number(text: str | None, kind: _Kind, usual: int) -> int | None:
    """Read one end of a part, which may be left out; None when it is no value of the field."""
    if text is None:
        return usual
    if text.upper() in kind.words:
        return kind.words.index(text.upper()) + kind.low
    is_value = text.isascii() and text.isdigit() and kind.low <= int(text) <= kind.high
    return int(text) if is_value else None


def _no_part(part: str, kind: _Kind) -> ScheduleError:
    return ScheduleError(f"{part!r} is no {kind.name} ({kind.low} to {kind.high})")
