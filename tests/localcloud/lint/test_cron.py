from __future__ import annotations

import pytest

from localcloud.lint.cron import schedule_problem


@pytest.mark.parametrize(
    "schedule",
    [
        "@every 1m",
        "@every 12h",
        "0 0 4 * * *",
        "0 */5 8-18 ? * MON-FRI",
        "0 0,30 0 1 jan,dec *",
        "CRON_TZ=Asia/Shanghai 0 0 4 1 * *",
    ],
)
def test_a_right_schedule_has_no_problems(schedule: str) -> None:
    assert schedule_problem(schedule) is None


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ("@every", "no interval"),
        ("@every 0m", "no interval"),
        ("@every 30s", "no interval"),
        ("@daily", "no interval"),
        ("0 4 * * *", "has 5 fields"),
        ("", "has 0 fields"),
        ("60 0 4 * * *", "'60' is no second (0 to 59)"),
        ("0 0 24 * * *", "'24' is no hour (0 to 23)"),
        ("0 0 4 0 * *", "'0' is no day of month (1 to 31)"),
        ("0 0 4 * FOO *", "'FOO' is no month (1 to 12)"),
        ("0 0 4 * * 8", "'8' is no day of week (0 to 7)"),
        ("0 */0 4 * * *", "'*/0' is no minute"),
        ("0 1- 4 * * *", "'1-' is no minute"),
        ("0 *-5 4 * * *", "'*-5' is no minute"),
        ("0 5-1 4 * * *", "'5-1' ends before it starts"),
        ("CRON_TZ=Asia/Shanghai @every 5m", "no interval"),
        ("CRON_TZ=Asia/Shanghay 0 0 4 * * *", "did you mean Asia/Shanghai?"),
    ],
)
def test_a_wrong_schedule_says_what_is_wrong(schedule: str, said: str) -> None:
    assert said in (schedule_problem(schedule) or "")
