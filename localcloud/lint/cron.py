"""Checks the schedule of a timer trigger with what the local timers read it by."""

from __future__ import annotations

from zoneinfo import available_timezones

from localcloud.fc.cron import Schedule, ScheduleError, split_zone
from localcloud.lint.findings import nearest


def schedule_problem(text: str) -> str | None:
    """Say what is wrong with a schedule, the first of it; None when nothing is."""
    zone, expression = split_zone(text)
    known = available_timezones()  # empty where neither the system nor a package has the data
    if zone and known and zone not in known:
        near = nearest(zone, known)
        return f"{zone!r} is no time zone" + (f"; did you mean {near}?" if near else "")
    try:
        Schedule.parse(text if known else expression)
    except ScheduleError as error:
        return str(error)
    return None
