from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import LocalVendor, Shell

EVENTS = Path(__file__).parents[2] / "events" / "callback"


def test_a_function_runs_on_an_event_and_its_answer_is_printed(shell: Shell, vendor: LocalVendor) -> None:
    told = shell.json("invoke", "callback", "--event", str(EVENTS / "mixed-batch.json"))

    assert told["items"] == 3
    assert len(shell.json("jobs", "--json")["jobs"]) == 1


def test_an_unknown_function_is_answered_with_the_known_ones(shell: Shell) -> None:
    result = shell.run("invoke", "nothing", "--event", str(EVENTS / "topic-json.json"))

    assert result.exit_code == 2
    assert "callback" in result.stderr


def test_a_wrong_setting_is_named_by_the_function_too(shell: Shell) -> None:
    shell.env["LEDGER_WORKERS"] = "0"

    result = shell.run("invoke", "callback", "--event", str(EVENTS / "topic-json.json"))

    assert result.exit_code != 0
    assert "LEDGER_WORKERS" in result.stderr
