from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Shell

ROOT = Path(__file__).parents[2]
EVENTS = ROOT / "events" / "callback"
ANSWERS = ROOT / "tests" / "data" / "answers" / "vod.media_audit"


def test_an_event_is_shown_as_messages_and_notifications(shell: Shell) -> None:
    told = shell.json("parse-event", str(EVENTS / "mixed-batch.json"))

    assert [set(message) for message in told["messages"]] == [
        {"message_id", "transport", "notification", "reason"}
    ] * len(told["messages"])
    named = [message["notification"] for message in told["messages"]]
    assert [one is not None and one["kind"] for one in named].count("vod.media_audit") == 1
    assert [message["reason"] is None for message in told["messages"]] == [one is not None for one in named]


def test_an_event_can_come_from_standard_input(shell: Shell) -> None:
    told = shell.json("parse-event", "-", stdin=b"\xff\xfe")

    assert [message["notification"] for message in told["messages"]] == [None]
    assert told["messages"][0]["reason"]


def test_a_timer_is_shown_as_what_it_is(shell: Shell) -> None:
    event = {"triggerTime": "2026-01-01T00:00:00Z", "triggerName": "every", "payload": ""}

    told = shell.json("parse-event", "-", stdin=json.dumps(event).encode())

    assert (told["messages"], told["timer"]["name"]) == ([], "every")


@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_raw_answer_is_normalized_to_the_stored_bytes(shell: Shell, form: str) -> None:
    case = next(path for path in sorted(ANSWERS.iterdir()) if (path / "answer.xml").exists())

    result = shell.run("normalize", "vod.media_audit", str(case / f"answer.{form}"), "--json")

    assert result.stdout_bytes == (case / "record.json").read_bytes()


def test_a_record_is_made_from_answer_and_output_file(shell: Shell) -> None:
    case = next(path.parent for path in sorted(ANSWERS.parent.glob("mts.video_quality/*/output.txt")))
    files = (str(case / "answer.json"), "--output-file", str(case / "output.txt"))

    result = shell.run("normalize", "mts.video_quality", *files, "--json")

    assert result.stdout_bytes == (case / "record.json").read_bytes()


def test_an_unknown_kind_is_answered_with_the_known_ones(shell: Shell) -> None:
    result = shell.run("normalize", "vod.transcode", "-")

    assert result.exit_code == 2
    assert "mts.production" in result.stderr


def test_a_message_that_only_a_ledger_can_sort_says_so(shell: Shell) -> None:
    (message,) = shell.json("parse-event", str(EVENTS / "mps-video-quality.json"))["messages"]

    assert message["notification"] is None
    assert "LEDGER_VIDEO_QUALITY_SOURCES" in message["reason"]


def test_a_raw_answer_can_come_from_standard_input(shell: Shell) -> None:
    answer = {"MediaAuditJob": {"JobId": "j", "Status": "processing"}}

    told = shell.json("normalize", "vod.media_audit", "-", stdin=json.dumps(answer).encode())

    assert told["status"] == "running"


def test_an_answer_that_is_none_is_refused_with_file_and_reason(shell: Shell) -> None:
    broken = shell.folder / "broken.json"
    broken.write_text('{"MediaAuditJob": [')

    result = shell.run("normalize", "vod.media_audit", str(broken))

    assert result.exit_code == 1
    assert "broken.json" in result.stderr
    assert "not JSON" in result.stderr


def test_a_file_that_is_not_there_is_named(shell: Shell) -> None:
    result = shell.run("normalize", "vod.media_audit", "nowhere.json")

    assert result.exit_code == 2
    assert "nowhere.json" in result.stderr


@pytest.mark.parametrize(
    "command", ["demo", "settle", "jobs", "show", "at", "parse-event", "normalize", "invoke"]
)
def test_every_command_takes_json(shell: Shell, command: str) -> None:
    assert "--json" in shell.run(command, "--help").stdout


def test_json_is_taken_where_it_is_printed_anyway(shell: Shell) -> None:
    file = str(EVENTS / "topic-json.json")

    assert shell.json("parse-event", file, "--json") == shell.json("parse-event", file)
