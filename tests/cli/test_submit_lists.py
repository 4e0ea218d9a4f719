"""Submit lists as they are read from a file: line by line, whatever stands in it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from cli.submit_lists import lines_of_file
from shared.announcements import MAX_BYTES, Announcement, Refusal
from tests.cli.conftest import Shell

LONG = b"x" * MAX_BYTES


@pytest.mark.parametrize(
    ("content", "place", "announced"),
    [
        (b"job_id\na\n" + LONG * 2 + b"\nb\n", "jobs:3", 2),
        (b'{"job_id":"a"}\n' + LONG + b'y\n{"job_id":"b"}\n', "jobs:2", 2),
        (b"job_id\na\n" + LONG + b"y", "jobs:3", 1),
    ],
    ids=["table", "objects", "the last"],
)
def test_a_line_that_is_too_long_is_refused_with_its_number_and_stops_no_other(
    shell: Shell, content: bytes, place: str, announced: int
) -> None:
    Path("jobs").write_bytes(content)
    result = shell.run("track", "ice.production", "--file", "jobs", "--json")
    told = json.loads(result.stdout)

    assert result.exit_code == 2
    assert [(one["place"], "longer than" in one["reason"]) for one in told["failed"]] == [(place, True)]
    assert told["announced"] == announced


def test_a_line_of_the_greatest_length_is_read(shell: Shell) -> None:
    line = b'{"job_id":"a"}'
    Path("jobs").write_bytes(line + b" " * (MAX_BYTES - len(line) - 1) + b"\n")

    assert shell.json("track", "ice.production", "--file", "jobs", "--json")["announced"] == 1


def test_input_without_any_end_of_line_is_refused(shell: Shell) -> None:
    result = shell.run("track", "ice.production", "--file", "-", stdin=LONG * 3)

    assert result.exit_code == 2
    assert f"-:1: the line is longer than {MAX_BYTES} bytes" in result.stderr


def test_no_more_of_a_line_is_held_than_a_line_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[int] = []

    class Watched(io.BytesIO):
        def readline(self, size: int | None = -1, /) -> bytes:
            line = super().readline(size)
            held.append(len(line))
            return line

    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=Watched(b"job_id\n" + LONG * 3 + b"\na\n")))
    with lines_of_file("-", {"kind": "ice.production"}) as lines:
        assert [type(line.item) for line in lines] == [Refusal, Announcement]

    assert max(held) == MAX_BYTES + 1


@pytest.mark.parametrize(
    "content",
    ["kind,job_id\nice.production,a\n".encode("utf-16"), b"\x00\x01\x02", b'[{"job_id":"a"}]\n'],
    ids=["UTF-16", "binary", "an array"],
)
def test_what_is_neither_a_table_nor_json_lines_is_called_so(shell: Shell, content: bytes) -> None:
    result = shell.run("track", "ice.production", "--file", "-", stdin=content)

    assert result.exit_code == 2
    assert "neither CSV with a heading nor JSON lines, in UTF-8" in result.stderr
