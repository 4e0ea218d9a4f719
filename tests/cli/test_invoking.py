from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import LocalVendor, Shell

EVENTS = Path(__file__).parents[2] / "events" / "callback"


def test_a_function_runs_on_an_event_and_its_answer_is_printed(shell: Shell, vendor: LocalVendor) -> None:
    told = shell.json("invoke", "callback", "--event", str(EVENTS / "mixed-batch.json"))

    assert told["items"] == 3
    assert len(shell.json("jobs", "--json")["jobs"]) == 1


def test_the_platforms_lines_go_to_standard_error(shell: Shell, vendor: LocalVendor) -> None:
    told = shell.run("invoke", "callback", "--event", str(EVENTS / "other-event.json")).stderr.splitlines()

    assert [line for line in told if line.startswith("FC Invoke")] == [
        "FC Invoke Start RequestId: 1-local-1",
        "FC Invoke End RequestId: 1-local-1",
    ]
    assert any('"message": "invocation finished"' in line for line in told)
    assert told[-1].endswith("of 512 MB")


def test_what_a_function_fails_with_is_the_answer(shell: Shell) -> None:
    shell.env["LEDGER_LOG_LEVEL"] = "LOUD"

    result = shell.run("invoke", "track", "--event", str(EVENTS.parent / "track" / "one.json"))

    assert result.exit_code == 3
    assert json.loads(result.stdout)["errorType"] == "SettingError"


def test_a_function_sees_settings_and_nothing_else_of_the_shell(shell: Shell) -> None:
    proxies = {"HTTPS_PROXY": "http://127.0.0.1:9", "LEDGER_TRUST_ENV": "true"}
    shell.env |= {**proxies, "PYTHONSTARTUP": "nowhere", "PYTHONPATH": "/nowhere"}

    event = EVENTS.parent / "track" / "one.json"
    assert shell.json("invoke", "track", "--event", str(event))["announced"] == 1


def test_an_unknown_function_is_answered_with_the_known_ones(shell: Shell) -> None:
    result = shell.run("invoke", "nothing", "--event", str(EVENTS / "topic-json.json"))

    assert result.exit_code == 2
    assert "callback" in result.stderr


def test_a_wrong_setting_is_named_by_the_function_too(shell: Shell) -> None:
    shell.env["LEDGER_WORKERS"] = "0"

    result = shell.run("invoke", "callback", "--event", str(EVENTS / "topic-json.json"))

    assert result.exit_code != 0
    assert "LEDGER_WORKERS" in result.stderr
