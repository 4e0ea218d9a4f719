"""What `redeliver` prints for people."""

from __future__ import annotations

import pytest

from cli.delivery_outcomes import Told, show, status
from cli.terminal import Exit

AWAY = Told("job", "put off", "desk", 1, next_at=0, reason="away [/red]\x1b[2J")


def test_nothing_to_do_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    show([])

    assert capsys.readouterr().out == "nothing to deliver again\n"


def test_a_long_list_is_cut_with_what_went_wrong_first_and_each_reason_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show([*[Told("job", "delivered", "desk", 1)] * 1_060, AWAY, AWAY])

    lines = [line for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert "put off" in lines[2]
    assert lines[-3:] == [
        "desk: away [/red]\ufffd[2J (2 times)",
        "... and 1,012 more; --json lists all",
        "1,060 delivered, 2 put off",
    ]


def test_what_needs_a_person_goes_before_what_comes_later() -> None:
    refused = Told("job", "undelivered", "desk", 1)

    assert [status(told) for told in ([], [AWAY], [AWAY, refused])] == [
        Exit.DONE,
        Exit.LATER,
        Exit.NEEDS_A_PERSON,
    ]
