"""When timers are due, and what is no schedule."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.fc.cron import Schedule, ScheduleError


def epoch(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp() * 1000)


def due(text: str, start: str, count: int) -> list[str]:
    """Give the first due times after a moment, in UTC."""
    schedule, moment = Schedule.parse(text), epoch(start)

    def times() -> object:
        nonlocal moment
        found = schedule.after(moment)
        assert found is not None
        moment = found
        return datetime.fromtimestamp(found / 1000, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")

    return [str(times()) for _ in islice(range(count), count)]


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("@every 1m", ["2025-11-20 12:01:30", "2025-11-20 12:02:30"]),
        ("@every 2h", ["2025-11-20 14:00:30", "2025-11-20 16:00:30"]),
        ("0 0 4 * * *", ["2025-11-21 04:00:00", "2025-11-22 04:00:00"]),
        ("*/20 * * * * *", ["2025-11-20 12:00:40", "2025-11-20 12:01:00", "2025-11-20 12:01:20"]),
        ("0 5/25 9-10 * * *", ["2025-11-21 09:05:00", "2025-11-21 09:30:00", "2025-11-21 09:55:00"]),
        ("0 0 0 1,15 * ?", ["2025-12-01 00:00:00", "2025-12-15 00:00:00"]),
        ("0 30 8 ? * MON-FRI", ["2025-11-21 08:30:00", "2025-11-24 08:30:00"]),
        ("0 0 0 * * 7", ["2025-11-23 00:00:00", "2025-11-30 00:00:00"]),
        ("0 0 0 13 * fri", ["2025-11-21 00:00:00", "2025-11-28 00:00:00", "2025-12-05 00:00:00"]),
        ("0 0 0 29 2 */7", ["2032-02-29 00:00:00", "2060-02-29 00:00:00"]),
        ("0 0 12 29 FEB *", ["2028-02-29 12:00:00", "2032-02-29 12:00:00"]),
        ("CRON_TZ=Asia/Shanghai 0 0 4 1 * *", ["2025-11-30 20:00:00", "2025-12-31 20:00:00"]),
    ],
)
def test_a_schedule_says_when_it_is_due(text: str, times: list[str]) -> None:
    assert due(text, "2025-11-20 12:00:30", len(times)) == times


def test_what_clocks_leave_out_is_not_due() -> None:
    text = "CRON_TZ=Europe/Berlin 0 30 2 * * *"

    assert due(text, "2026-03-28 12:00:00", 2) == ["2026-03-30 00:30:00", "2026-03-31 00:30:00"]


def test_what_clocks_show_twice_is_due_once() -> None:
    text = "CRON_TZ=Europe/Berlin 0 30 2 * * *"

    assert due(text, "2026-10-24 12:00:00", 2) == ["2026-10-25 00:30:00", "2026-10-26 01:30:00"]


def test_what_never_comes_is_never_due() -> None:
    assert Schedule.parse("0 0 0 30 2 *").after(epoch("2025-11-20")) is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "@every", "@every 0m", "@every 5s", "@hourly", "0 4 * * *", "0 0 0 0 4 * * *"),
        *("60 * * * * *", "* * 24 * * *", "0 0 0 0 * *", "0 0 0 * 13 *", "0 0 0 * * 8", "0 0 0 * * XYZ"),
        *("0 0 0 5-1 * *", "0 0 0 */0 * *", "0 0 0 1;2 * *", "CRON_TZ=Nowhere/Land 0 0 4 * * *"),
    ],
)
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(ScheduleError):
        Schedule.parse(text)


FIELDS = st.tuples(
    *(
        st.one_of(
            st.just("*"),
            st.integers(low, high).map(str),
            st.lists(st.integers(low, high), min_size=1, max_size=3).map(lambda few: ",".join(map(str, few))),
            st.integers(1, 7).map("*/{}".format),
        )
        for low, high in ((0, 59), (0, 59), (0, 23), (1, 28), (1, 12), (0, 7))
    )
).map(" ".join)


@given(FIELDS, st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)))
def test_the_next_due_time_is_later_and_none_is_between(text: str, moment: datetime) -> None:
    schedule, now = Schedule.parse(text), epoch(moment.isoformat())

    found = schedule.after(now)

    assert found is not None
    assert now < found
    assert found % 1000 == 0
    before = now + (found - now) // 2
    assert schedule.after(before) == found
    assert datetime.fromtimestamp(found / 1000, timezone.utc) - moment.replace(
        tzinfo=timezone.utc
    ) < timedelta(days=366 * 12)  # a first of January that is a Sunday
