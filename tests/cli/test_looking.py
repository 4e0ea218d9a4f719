from __future__ import annotations

import json
import random
import re
import sqlite3
from contextlib import closing

import pytest

from localcloud.media.gateway import Gateway
from localcloud.media.mts import MtsProduction
from localcloud.media.server import MediaApiServer
from shared import large_parts
from shared.jobs import JobRef
from tests.cli.conftest import DATA, KEY, LocalVendor, Shell


@pytest.fixture
def job(shell: Shell, vendor: LocalVendor) -> str:
    """Settle one job and give its id."""
    job_id = vendor.submit()
    vendor.clock.sleep(10_000)
    assert shell.run("settle", "vod.media_audit", job_id).exit_code == 0
    return job_id


def test_jobs_are_listed_with_what_became_of_them(shell: Shell, job: str) -> None:
    (told,) = shell.json("jobs", "--json")["jobs"]

    assert (told["job_id"], told["state"], told["suggestion"]) == (job, "succeeded", "review")
    assert job in shell.run("jobs").stdout


@pytest.mark.parametrize("name", ["{id}", "vod.media_audit/{id}", "{key}"])
def test_a_job_is_found_by_any_of_its_names(shell: Shell, job: str, name: str) -> None:
    key = shell.json("jobs", "--json")["jobs"][0]["job"]

    told = shell.json("show", name.format(id=job, key=key), "--json")

    assert told["job"]["job_key"] == key
    assert told["record"]["findings"][0]["label"] == "sexy"


def test_a_job_is_shown_for_people_with_its_findings(shell: Shell, job: str) -> None:
    shown = shell.run("show", job).stdout

    assert "succeeded" in shown
    assert "sexual.suggestive" in shown


def test_a_source_is_opened_in_a_report_that_memory_has_no_room_for(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shell.folder / "old"
    folder.mkdir()
    job = {"JobId": "j1", "Status": "Success", "Output": "o.txt"}
    (folder / "one.json").write_text(json.dumps({"Code": "Success", "Job": job}), encoding="utf-8")
    (folder / "one.output.txt").write_text('{"freeze": [{"timestamp": "7"}]}', encoding="utf-8")
    shell.json("import", "--raw", str(folder), "--json")
    monkeypatch.setattr(large_parts, "LARGE_FILE", 1)

    assert shell.json("at", "j1", "output:/0/freeze/0/timestamp") == "7"
    assert shell.json("at", "j1", "answer:/Job/Status") == "Success"
    assert shell.run("at", "j1", "output:/0/freeze/1").exit_code != 0


def test_what_a_job_made_and_what_is_not_understood_are_shown(shell: Shell, vendor: LocalVendor) -> None:
    answer = {
        "JobId": "j1",
        "FunctionName": "VideoClip",
        "State": "Success",
        "Result": '{"Code":"Success","Data":"{\\"result\\":[{\\"file\\":\\"clips/1.mp4\\"}]}"}',
        "Mood": "bright",
    }
    production = MtsProduction(clock=vendor.clock, job_ids=iter(["j1"]))
    actions = [*vendor.vod.actions(), *production.actions()]
    with MediaApiServer(Gateway(actions, keys=(KEY,), clock=vendor.clock, random=random.Random(2))) as server:
        submit = next(action for action in production.actions() if action.name.startswith("Submit"))
        submit.handle({"FunctionName": "VideoClip", "Input": "oss://b.oss/i", "Output": "oss://b.oss/o"})
        production.answer_raw("j1", json.dumps(answer).encode())
        shell.run("settle", "mts.production", "j1", "--endpoint", server.endpoint)

    shown = shell.run("show", "j1").stdout

    assert "clips/1.mp4" in shown
    assert "answer:/Mood = bright" in shown


def test_every_source_of_a_record_opens_in_the_raw_answer(shell: Shell, job: str) -> None:
    record = shell.json("show", job, "--json")["record"]

    opened = shell.json("at", job, record["findings"][0]["source"])

    assert opened == DATA["VideoResult"]["PornResult"]


def test_a_pointer_alone_means_the_answer(shell: Shell, job: str) -> None:
    assert shell.json("at", job, "/MediaAuditJob/Status") == "success"


def test_a_pointer_that_leads_nowhere_says_where_it_ends(shell: Shell, job: str) -> None:
    result = shell.run("at", job, "answer:/MediaAuditJob/Nothing/0")

    assert result.exit_code == 1
    assert "Nothing" in result.stderr


def test_a_job_that_the_ledger_does_not_know_is_named(shell: Shell, job: str) -> None:
    result = shell.run("show", "somebody-else")

    assert result.exit_code == 1
    assert "somebody-else" in result.stderr


def test_no_ledger_is_made_by_looking_for_one(shell: Shell) -> None:
    result = shell.run("jobs", "--dir", "nothing-here")

    assert result.exit_code == 1
    assert "--dir" in result.stderr
    assert not (shell.folder / "nothing-here").exists()


def test_a_strangers_text_is_neither_markup_nor_a_command_of_the_terminal(
    shell: Shell, vendor: LocalVendor
) -> None:
    job_id = vendor.submit()
    texts = {"Type": "[/b]", "Scene": "[red]", "Label": "\x1b[31mRED", "Score": "1", "Content": "c"}
    job = {"JobId": job_id, "Status": "success", "Data": {"TextResult": [texts], "X\x1b[2J": "\x1b[2J[/i]"}}
    vendor.vod.answer_raw(job_id, json.dumps({"MediaAuditJob": job}).encode())
    shell.run("settle", "vod.media_audit", job_id)

    shown = shell.run("show", job_id)

    assert shown.exit_code == 0
    assert "[red]" in shown.stdout
    assert "\x1b" not in shown.stdout


@pytest.mark.parametrize("command", [("jobs",), ("show", "{job}"), ("explain", "{job}")])
def test_a_time_that_no_calendar_has_is_shown_as_it_is(
    shell: Shell, job: str, command: tuple[str, ...]
) -> None:
    with closing(sqlite3.connect("media-ledger-data/ledger.db")) as database, database:
        database.execute("update jobs set state = 'running', query_at = ?1, due_at = ?1", (2**60,))

    shown = shell.run(*(word.format(job=job) for word in command))

    assert shown.exit_code == 0
    assert "no date: 1" in shown.stdout


def test_a_job_id_is_no_command_of_the_terminal_or_the_shell(shell: Shell, vendor: LocalVendor) -> None:
    odd = "x; touch pwned \x1b[2J[/b]"
    shell.json("track", "vod.media_audit", odd, "--json")
    key = shell.json("jobs", "--json")["jobs"][0]["job"]
    with closing(sqlite3.connect("media-ledger-data/ledger.db")) as database, database:
        database.execute("update jobs set state = 'unknown', reason = '\x1b[2J', digest = 'd'")
    version = shell.folder / f"media-ledger-data/archive/versions/{JobRef.from_key(key).path}/d.json"
    version.parent.mkdir(parents=True)
    version.write_text('{"findings": [], "outputs": [], "measures": [], "unmapped": []}', encoding="utf-8")

    listed, explained, shown = shell.run("jobs"), shell.run("explain", key), shell.run("show", key)

    assert "\x1b" not in listed.stdout + explained.stdout + shown.stdout
    assert f"media-ledger retry {key}" in explained.stdout
    assert f"media-ledger at {key} SOURCE" in shown.stdout


def test_a_row_that_nobody_can_read_hides_no_other(shell: Shell, vendor: LocalVendor, job: str) -> None:
    other = vendor.submit("media-2")
    shell.run("settle", "vod.media_audit", other)
    with closing(sqlite3.connect("media-ledger-data/ledger.db")) as database, database:
        database.execute("update jobs set state = 'weird' where job_key like ?", (f"%{other}",))

    result = shell.run("jobs")

    assert job in result.stdout
    assert other in result.stderr


def test_whole_job_ids_are_listed_on_a_narrow_terminal(shell: Shell, job: str) -> None:
    shell.env["COLUMNS"] = "80"

    listed = shell.run("jobs").stdout

    assert job in re.sub(r"\s+", "", listed)
