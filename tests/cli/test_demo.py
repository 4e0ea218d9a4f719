from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import Result

from cli.demo_consumers import DESK, consumers
from cli.demonstration import samples
from localcloud.loopback import HttpRequest
from shared.adapters.clocks import ManualClock
from tests.cli.conftest import Shell

EXPORT = Path(__file__).parents[2] / "docs" / "export.md"


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
        *("unreadable", "lost_callbacks", "findings", "pictures", "consumers", "archive", "ledger"),
    ]
    assert numbers["jobs"] == numbers["succeeded"] + numbers["failed"] + numbers["quarantined"]
    assert numbers["succeeded"] >= 10
    assert min(numbers[state] for state in ("failed", "quarantined", "unreadable", "findings")) >= 1


def test_every_settled_job_has_its_record_in_the_archive(numbers: dict[str, Any]) -> None:
    records = list(Path(numbers["archive"]).glob("records/kind=*/date=*/*.json"))

    assert len(records) == numbers["succeeded"] + numbers["failed"]
    assert sum(len(json.loads(one.read_bytes())["findings"]) for one in records) == numbers["findings"]


def test_the_query_of_the_documentation_counts_every_finding(folder: Path, numbers: dict[str, Any]) -> None:
    (query,) = re.findall(r"^```sql\n(.*?)^```", EXPORT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert "media-ledger-demo/" in query
    with duckdb.connect() as connection:
        found = connection.sql(query.replace("media-ledger-demo", folder.as_posix())).fetchall()

    assert sum(count for _, _, count, _, _ in found) == numbers["findings"]
    assert {kind for kind, *_ in found} == {"vod.media_audit", "mts.video_quality"}
    assert all(label is None or re.fullmatch(r"[a-z_.]+", label) for _, label, *_ in found)


def test_every_picture_of_a_review_is_kept_once_for_each_job(
    shell: Shell, folder: Path, numbers: dict[str, Any]
) -> None:
    jobs = shell.json("jobs", "--dir", str(folder), "--json")["jobs"]
    files = {
        path.relative_to(numbers["archive"]).as_posix()
        for path in Path(numbers["archive"]).glob("evidence/*/*/*.png")
    }
    listed = [
        item["key"]
        for path in Path(numbers["archive"]).glob("evidence/*/*/manifest.json")
        for item in json.loads(path.read_bytes())["items"]
    ]

    assert set(listed) == files
    assert len(files) == numbers["pictures"] > 1
    assert {(job["evidence"]["pending"], job["evidence"]["lost"]) for job in jobs} == {(0, 0)}


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


def logged(folder: Path) -> list[dict[str, Any]]:
    """Give what the functions logged, without the platform's own lines."""
    lines = (folder / "functions.log").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if not line.startswith(("FC ", "FunctionCompute "))]


def test_the_functions_log_json_lines_into_a_file(folder: Path, numbers: dict[str, Any]) -> None:
    written = json.dumps(logged(folder))

    assert "invocation finished" in written
    assert "demoAccessKeySecret" not in written
    assert "demo-key-of" not in written


def test_every_sample_reaches_the_function(folder: Path, numbers: dict[str, Any]) -> None:
    ended = [line["function"] for line in logged(folder) if line["message"] == "invocation finished"]

    assert ended.count("callback") == len(samples())
    assert ended.count("deliver") > 1
    # One for each minute; those that settle by name come with the callback over HTTP.
    assert ended.count("reconcile") == 42 + ended.count("webhook") == 43


def test_every_function_has_a_process_that_is_used_again(folder: Path, numbers: dict[str, Any]) -> None:
    ended = [line for line in logged(folder) if line["message"] == "invocation finished"]
    cold = [line["function"] for line in ended if line["cold_start"]]

    assert sorted(cold) == sorted({line["function"] for line in ended})


def test_a_callback_over_http_settles_its_job(shell: Shell, folder: Path, numbers: dict[str, Any]) -> None:
    jobs = shell.json("jobs", "--dir", str(folder), "--json")["jobs"]

    assert [job["state"] for job in jobs if job["first_seen_by"] == "http"] == ["succeeded"]


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


@pytest.fixture(scope="module")
def shown(folder: Path, numbers: dict[str, Any]) -> Result:
    """Play it once more in the same folder, for people."""
    (folder / "archive" / "of-the-first.txt").touch()
    return Shell(folder.parent).run("demo", "--dir", str(folder))


def test_people_are_shown_what_happens_and_where_to_look_next(shown: Result) -> None:
    assert shown.exit_code == 0
    assert f"{len(samples())} events" in shown.stderr
    assert "desk is down" in shown.stderr
    assert "knows what the ledger knows" in shown.stdout
    assert [
        name
        for name in ("show", "at", "evidence", "explain", "report")
        if f"media-ledger {name}" not in shown.stdout
    ] == []
    assert "Planted" in shown.stdout


def test_an_earlier_demonstration_is_replaced_by_one_that_ends_alike(
    shell: Shell, folder: Path, numbers: dict[str, Any], shown: Result
) -> None:
    states = Counter(job["state"] for job in shell.json("jobs", "--dir", str(folder), "--json")["jobs"])

    assert not (folder / "archive" / "of-the-first.txt").exists()
    assert states == {state: numbers[state] for state in ("succeeded", "failed", "quarantined")}
    assert f"{numbers['findings']} findings, and {numbers['pictures']} pictures" in shown.stdout
    assert f"{numbers['lost_callbacks']} callbacks count as lost" in shown.stderr


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
