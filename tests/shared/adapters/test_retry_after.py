"""What a server may say of when it wants to be asked again."""

from __future__ import annotations

import pytest

from shared.adapters.retry_after import retry_after_ms

NOW = 1_763_640_000_000  # 2025-11-20 12:00:00


@pytest.mark.parametrize(
    ("header", "wait_ms"),
    [
        ("0", 0),
        ("120", 120_000),
        (" 3600 ", 3_600_000),
        ("86400", 3_600_000),
        ("9" * 5_000, 3_600_000),
        ("Thu, 20 Nov 2025 12:10:00 GMT", 600_000),
        ("Thursday, 20-Nov-25 12:10:00 GMT", 600_000),
        ("Thu, 20 Nov 2025 12:10:00 -0000", 600_000),
        ("Thu, 20 Nov 2025 11:00:00 GMT", 0),
        ("Fri, 21 Nov 2025 12:00:00 GMT", 3_600_000),
        ("-5", None),
        ("1.5", None),
        ("²", None),
        ("soon", None),
        ("Thu, 99 Nov 2025 12:00:00 GMT", None),
        ("Thu, 20 Nov 99999999999999999999 12:00:00 GMT", None),
        ("Thu, 20 Nov 2025 12:00:00 +99999999999999999999", None),
        ("", None),
    ],
)
def test_a_wait_is_seconds_or_a_date_and_at_most_an_hour(header: str, wait_ms: int | None) -> None:
    assert retry_after_ms(header, now=NOW) == wait_ms
