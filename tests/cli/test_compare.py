"""`compare`: the ledger beside another system's table, line by line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Shell
from tests.scripted_vendor import answer


@pytest.fixture
def ledger(shell: Shell) -> Shell:
    """Have three settled jobs, and one that is only announced."""
    folder = shell.folder / "old"
    folder.mkdir()
    for name, suggestion in (("one", "pass"), ("two", "block"), ("three", "review")):
        (folder / f"{name}.json").write_bytes(answer(name, suggestion=suggestion))
    shell.json("import", "--raw", str(folder), "--json")
    shell.run("track", "vod.media_audit", "four", "--region", "cn-shanghai")
    return shell


def compared(shell: Shell, table: str, *words: str) -> dict[str, Any]:
    Path("theirs").write_text(table, encoding="utf-8")
    told: dict[str, Any] = json.loads(shell.run("compare", "theirs", *words, "--json").stdout)
    return told


def test_jobs_are_the_same_differ_are_open_or_only_there(ledger: Shell) -> None:
    told = compared(
        ledger,
        "kind,job_id,status,suggestion\n"
        "vod.media_audit,one,success,PASS\n"
        "vod.media_audit,two,succeeded,pass\n"
        "vod.media_audit,four,,\n"
        "vod.media_audit,five,success,pass\n",
    )

    assert {name: told[name] for name in told if name != "examples"} == {
        "same": 1,
        "differs": 1,
        "open": 1,
        "only_there": 1,
        "only_here": 0,
        "unreadable": 0,
    }
    assert told["examples"]["differs"] == ["vod.media_audit/two: suggestion: pass there, block here"]
    assert told["examples"]["only_there"] == ["vod.media_audit/five: theirs:5"]


def test_jobs_that_only_the_ledger_has_are_looked_for_when_asked(ledger: Shell) -> None:
    told = compared(ledger, '{"job_id": "one"}\n', "--kind", "vod.media_audit", "--days", "2")

    assert (told["same"], told["only_here"]) == (1, 3)


def test_what_is_not_said_is_not_compared(ledger: Shell) -> None:
    assert compared(ledger, "job_id\none\ntwo\n", "--kind", "vod.media_audit")["same"] == 2


def test_an_empty_verdict_is_one_that_is_said(ledger: Shell) -> None:
    told = compared(ledger, "job_id,suggestion\none,\n", "--kind", "vod.media_audit")

    assert told["examples"]["differs"] == ["vod.media_audit/one: suggestion: none there, pass here"]


def test_columns_may_have_other_names(ledger: Shell) -> None:
    table = "".join(
        json.dumps({"JobId": name, "verdict": verdict, "tags": []}) + "\n"
        for name, verdict in (("one", "pass"), ("two", "block"))
    )
    columns = ("--column", "job_id=JobId", "--column", "suggestion=verdict", "--column", "labels=tags")

    assert compared(ledger, table, "--kind", "vod.media_audit", *columns)["same"] == 2


@pytest.mark.parametrize("line", ["{", "[]", "1", '{"job_id": null}', '{"kind": "other", "job_id": "one"}'])
def test_a_line_that_names_no_job_is_told_and_stops_no_other(ledger: Shell, line: str) -> None:
    table = f'{{"job_id": "one"}}\n\n{line}\n{{"job_id": "two"}}\n'
    told = compared(ledger, table, "--kind", "vod.media_audit")

    assert (told["same"], told["unreadable"]) == (2, 1)
    assert told["examples"]["unreadable"][0].startswith("theirs:3: ")


@pytest.mark.parametrize(
    ("table", "status", "said"),
    [
        ("job_id\none\n", 0, "1 same"),
        ("job_id\none\nfour\n", 3, "1 same, 1 open"),
        ("job_id\none\nnine\n", 1, "1 same, 1 only there"),
        ("job_id\n", 0, "no jobs there"),
        ("", 0, "no jobs there"),
    ],
)
def test_the_exit_status_says_whether_to_look(ledger: Shell, table: str, status: int, said: str) -> None:
    Path("theirs").write_text(table)
    result = ledger.run("compare", "theirs", "--kind", "vod.media_audit")

    assert (result.exit_code, result.stdout.strip()) == (status, said)


@pytest.mark.parametrize(
    "words", [("nowhere",), ("old/one.json", "--kind", "vod"), ("old/one.json", "--column", "id=JobId")]
)
def test_what_cannot_work_is_refused(ledger: Shell, words: tuple[str, ...]) -> None:
    assert ledger.run("compare", *words).exit_code == 2
