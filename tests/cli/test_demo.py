from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.demo_consumers import DESK, consumers
from cli.demonstration import samples
from localcloud.loopback import HttpRequest
from shared.adapters.clocks import ManualClock
from tests.cli.conftest import Shell


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a demonstration that several tests look at."""
    return tmp_path_factory.mktemp("demo") / "shown"


@pytest.fixture(scope="module")
def numbers(folder: Path) -> dict[str, Any]:
    """Play the demonstration for a script."""
    told: dict[str, Any] = Shell(folder.parent).json("demo", "--dir", str(folder), "--json")
    return told


def test_every_job_of_the_samples_ends_in_one_state(numbers: dict[str, Any]) -> None:
    assert list(numbers) == [
        *("jobs", "succeeded", "failed", "quarantined"),
        *("unreadable", "lost_callbacks", "findings", "consumers", "archive", "ledger"),
    ]
    assert numbers["jobs"] == numbers["succeeded"] + numbers["failed"] + numbers["quarantined"]
    assert numbers["succeeded"] >= 10
    assert min(numbers[state] for state in ("failed", "quarantined", "unreadable", "findings")) >= 1


def test_every_settled_job_has_its_record_in_the_archive(numbers: dict[str, Any]) -> None:
    records = list(Path(numbers["archive"]).glob("records/kind=*/date=*/*.json"))

    assert len(records) == numbers["succeeded"] + numbers["failed"]
    assert sum(len(json.loads(one.read_bytes())["findings"]) for one in records) == numbers["findings"]


def test_jobs_whose_callbacks_are_lost_are_settled_and_counted(
    shell: Shell, folder: Path, numbers: dict[str, Any]
) -> None:
    jobs = shell.json("jobs", "--dir", str(folder), "--json")["jobs"]
    lost = [job for job in jobs if job["first_seen_by"] == "track"]

    assert numbers["lost_callbacks"] == len(lost) == 3
    assert {job["state"] for job in lost} == {"succeeded"}


def test_nothing_is_left_due(shell: Shell, folder: Path, numbers: dict[str, Any]) -> None:
    jobs = shell.json("jobs", "--dir", str(folder), "--json")["jobs"]

    assert len(jobs) == numbers["jobs"]
    assert [job["next_at"] for job in jobs] == [None] * len(jobs)


def test_the_functions_log_json_lines_into_a_file(folder: Path, numbers: dict[str, Any]) -> None:
    lines = (folder / "functions.log").read_text(encoding="utf-8").splitlines()

    assert all(isinstance(json.loads(line), dict) for line in lines)
    assert "demoAccessKeySecret" not in "".join(lines)
    assert "demo-key-of" not in "".join(lines)


def test_every_sample_reaches_the_function(folder: Path, numbers: dict[str, Any]) -> None:
    lines = map(json.loads, (folder / "functions.log").read_text(encoding="utf-8").splitlines())
    ended = [line["function"] for line in lines if line["message"] == "invocation finished"]

    assert ended.count("callback") == len(samples())
    assert ended.count("deliver") > 1


def test_both_consumers_end_up_knowing_what_the_ledger_knows(numbers: dict[str, Any]) -> None:
    catalogue, desk = numbers["consumers"]

    assert [one["equals_ledger"] for one in numbers["consumers"]] == [True, True]
    assert [one["still_owed"] for one in numbers["consumers"]] == [0, 0]
    assert catalogue["jobs"] == catalogue["taken"] == numbers["succeeded"] + numbers["failed"]
    assert (catalogue["tries_while_down"], catalogue["repeated"]) == (0, 0)
    # Down until the third run of the timer, whose first answer then gets lost.
    assert desk["tries_while_down"] >= desk["jobs"] == desk["taken"] > 1
    assert desk["repeated"] == 1


def test_a_consumer_takes_nothing_that_is_not_signed(tmp_path: Path) -> None:
    with consumers(tmp_path, ManualClock(0)) as serving:
        answer = serving[DESK].answer(HttpRequest("POST", "/events", body=b"{}"))

    assert (answer.status, serving[DESK].did.total()) == (400, 0)


def test_people_are_shown_what_happens_and_where_to_look_next(shell: Shell) -> None:
    result = shell.run("demo", "--dir", "shown")

    assert result.exit_code == 0
    assert f"{len(samples())} events" in result.stderr
    assert "desk is down" in result.stderr
    assert "knows what the ledger knows" in result.stdout
    assert [
        name for name in ("show", "at", "explain", "report") if f"media-ledger {name}" not in result.stdout
    ] == []
    assert "Planted" in result.stdout


def test_an_earlier_demonstration_is_replaced(shell: Shell, folder: Path, numbers: dict[str, Any]) -> None:
    assert shell.json("demo", "--dir", str(folder), "--json") == numbers


def test_a_folder_of_somebody_else_is_left_alone(shell: Shell) -> None:
    mine = shell.folder / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("all of it")

    result = shell.run("demo", "--dir", "mine")

    assert result.exit_code == 1
    assert "mine" in result.stderr
    assert (mine / "thesis.txt").read_text() == "all of it"


def test_what_cannot_be_a_folder_is_named(shell: Shell) -> None:
    (shell.folder / "file").touch()

    result = shell.run("demo", "--dir", "file")

    assert result.exit_code == 1
    assert "cannot be a folder" in result.stderr
