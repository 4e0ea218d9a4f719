from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing

import pytest

from shared.jobs import JobRef
from tests.cli.conftest import NOON, LocalVendor, Shell

KIND = "vod.media_audit"


@pytest.fixture
def job(shell: Shell, vendor: LocalVendor) -> str:
    """Settle one job and give its id."""
    job_id = vendor.submit()
    vendor.clock.sleep(10_000)
    assert shell.run("settle", KIND, job_id).exit_code == 0
    return job_id


def change(sql: str) -> None:
    with closing(sqlite3.connect("media-ledger-data/ledger.db")) as database, database:
        database.execute(sql)


def test_a_ledger_in_order_is_reported_with_status_zero_and_kept(shell: Shell, job: str) -> None:
    told = shell.json("report", "--json")

    day = shell.folder / "media-ledger-data/archive/reports/completeness/2025-11-20"
    assert (told["jobs"], told["needs_person"]) == (1, False)
    assert json.loads((day / f"{told['run']}.json").read_text(encoding="utf-8")) == told
    assert (day / f"{told['run']}.html").is_file()


def test_a_person_reads_what_was_counted(shell: Shell, job: str) -> None:
    shown = shell.run("report")

    assert shown.exit_code == 0
    assert "1 jobs first seen from 2025-11-14 to 2025-11-21" in shown.stdout
    assert "Nothing needs a person" in shown.stdout
    assert "not listable" in shown.stdout


@pytest.mark.parametrize("state", ["quarantined", "unknown", "nonsense"])
def test_a_job_that_needs_a_person_ends_with_status_one_and_its_name(
    shell: Shell, job: str, state: str
) -> None:
    change(f"update jobs set state = '{state}'")

    result = shell.run("report")

    assert result.exit_code == 1
    assert job in result.stdout


def test_the_window_is_days_of_first_sight(shell: Shell, job: str) -> None:
    assert shell.json("report", "--from", "2025-11-20", "--to", "2025-11-20", "--json")["jobs"] == 1
    assert shell.json("report", "--from", "2025-11-01", "--to", "2025-11-19", "--json")["jobs"] == 0


def test_a_window_that_ends_before_it_begins_is_refused(shell: Shell, job: str) -> None:
    result = shell.run("report", "--from", "2025-11-21", "--to", "2025-11-20")

    assert result.exit_code == 2
    assert "--from 2025-11-21" in result.stderr


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("jobs.csv", "kind,job_id,region\r\n{kind},{job},\r\n{kind},lost,cn-shanghai\r\n"),
        ("jobs.csv", "\ufeffjob_id,kind\n{job},{kind}\nlost,{kind}\n"),
        (
            "jobs.ndjson",
            '{{"kind": "{kind}", "job_id": "{job}"}}\n\n{{"kind": "{kind}", "job_id": "lost"}}\n',
        ),
    ],
)
def test_submitted_jobs_that_the_ledger_does_not_know_are_named(
    shell: Shell, job: str, name: str, text: str
) -> None:
    (shell.folder / name).write_bytes(text.format(kind=KIND, job=job).encode())

    result = shell.run("report", "--submitted", name, "--json")

    source = next(one for one in json.loads(result.stdout)["sources"] if one["name"].startswith("submit"))
    assert result.exit_code == 1
    assert (source["name"], source["compared"]) == (f"submit list {name}", 2)
    assert [finding["examples"] for finding in source["findings"]] == [[JobRef(KIND, "lost").key]]


def test_a_line_that_is_wrong_is_named_and_the_rest_is_compared(shell: Shell, job: str) -> None:
    (shell.folder / "jobs.csv").write_text(f"kind,job_id\n{KIND},{job}\n,x\n{KIND},a,b\n", encoding="utf-8")

    result = shell.run("report", "--submitted", "jobs.csv", "--json")

    told = json.loads(result.stdout)
    (finding,) = next(one for one in told["sources"] if one["name"] == "submit list jobs.csv")["findings"]
    assert result.exit_code == 1
    assert len([one for one in result.stderr.splitlines() if "jobs.csv:3" in one or "jobs.csv:4" in one]) == 2
    assert (told["needs_person"], finding["name"], finding["count"]) == (True, "unreadable_lines", 2)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [(b"id\n1\n", "neither CSV"), (b"kind,id\n1\n", "columns can be"), (b"kind\n", "no column job_id")],
)
def test_a_list_that_is_none_is_refused(shell: Shell, job: str, body: bytes, complaint: str) -> None:
    (shell.folder / "jobs.csv").write_bytes(body)

    result = shell.run("report", "--submitted", "jobs.csv")

    assert result.exit_code == 2
    assert complaint in result.stderr


def test_vod_is_asked_for_its_jobs_only_on_request(shell: Shell, vendor: LocalVendor, job: str) -> None:
    change("update jobs set media_id = 'media-1', region = 'cn-shanghai'")

    told = shell.json("report", "--vod-listings", "5", "--json")["sources"]

    # The local vendor does not know this operation: what it says is told, and ends nothing else.
    listing = next(one for one in told if one["name"] == "VOD ListJobInfo")
    assert (listing["status"], "ListJobInfo" in listing["note"]) == ("cut_short", True)


def test_vod_is_asked_for_its_jobs_at_no_higher_rate_than_a_run_has(
    shell: Shell, vendor: LocalVendor, job: str
) -> None:
    change("update jobs set media_id = 'media-1', region = 'cn-shanghai'")
    shell.env |= {"LEDGER_CALL_RATES": "vod=0.01", "LEDGER_LEASE_SECONDS": "3600"}
    before = vendor.clock.now()

    shell.run("report", "--vod-listings", "5")

    assert vendor.clock.now() - before >= 1_000 / (0.01 * 0.4)


def test_the_page_is_written_where_it_is_wanted(shell: Shell, job: str) -> None:
    shell.run("report", "-o", "page.html")
    impossible = shell.run("report", "-o", "no/such/folder/page.html")

    assert (shell.folder / "page.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert impossible.exit_code == 2
    assert "no/such/folder" in impossible.stderr
    assert "Nothing needs a person" in impossible.stdout


def test_a_page_that_cannot_be_written_hides_no_verdict(shell: Shell, job: str) -> None:
    change("update jobs set state = 'quarantined'")

    result = shell.run("report", "-o", "no/such/folder/page.html")

    assert result.exit_code == 1
    assert "A person is needed" in result.stdout


def test_beside_a_warning_the_verdict_does_not_claim_more_than_was_proven(shell: Shell, job: str) -> None:
    (shell.folder / "jobs.csv").write_text("kind,job_id\n", encoding="utf-8")

    shown = shell.run("report", "--submitted", "jobs.csv")

    assert shown.exit_code == 0
    assert "but not everything could be proven" in shown.stdout


def test_a_job_seen_first_by_a_clock_ahead_of_midnight_is_in_the_report(shell: Shell, job: str) -> None:
    change(f"update jobs set seen_day = substr(seen_day, 1, 2) || '2025-11-21', first_seen_at = {NOON}")

    assert shell.json("report", "--json")["jobs"] == 1


@pytest.mark.parametrize("first", ["0001-01-01", "2015-11-13"])
def test_a_window_of_more_days_than_anybody_has_kept_is_refused(shell: Shell, job: str, first: str) -> None:
    result = shell.run("report", "--from", first)

    assert result.exit_code == 2
    assert "3,660 days" in result.stderr


def test_a_window_at_the_beginning_of_the_calendar_is_one(shell: Shell, job: str) -> None:
    assert shell.json("report", "--to", "0001-01-03", "--json")["from_day"] == "0001-01-01"


def test_a_list_whose_name_is_not_utf8_is_compared_all_the_same(shell: Shell, job: str) -> None:
    name = os.fsdecode(b"\xff.csv")
    (shell.folder / name).write_text(f"kind,job_id\n{KIND},{job}\n{KIND},\n", encoding="utf-8")

    told = json.loads(shell.run("report", "--submitted", name, "--json").stdout)

    assert "submit list \ufffd.csv" in [source["name"] for source in told["sources"]]


def test_a_person_reads_names_of_what_needs_one_and_how_many_more(shell: Shell, job: str) -> None:
    count = 7
    for number in range(count):
        change(
            "insert into jobs"
            " (job_key, state, token, seen_day, first_seen_at, vendor_status, query_at, due_at)"
            f" values ('{JobRef(KIND, f'old-{number}').key}', 'running', 1,"
            f" '{JobRef(KIND, f'old-{number}').key[0]}.2025-11-18', {NOON - 2 * 86_400_000}, 'Submitted',"
            f" {NOON + 86_400_000}, {NOON + 86_400_000})"
        )

    shown = shell.run("report")

    assert shown.exit_code == 0
    assert shown.stdout.count("running long: ") == 5
    assert "vendor says Submitted" in shown.stdout
    assert "... and 2 more" in shown.stdout
    assert "waiting longest: " in shown.stdout


def test_submitted_jobs_are_named_to_a_person_and_bad_lines_are_cut(shell: Shell, job: str) -> None:
    lines = [f"{KIND},lost", *["nothing,"] * 30]
    (shell.folder / "jobs.csv").write_text("\n".join(["kind,job_id", *lines]), encoding="utf-8")

    shown = shell.run("report", "--submitted", "jobs.csv")

    assert shown.exit_code == 1
    assert f"the ledger does not know: {JobRef(KIND, 'lost').key}" in shown.stdout
    assert shown.stderr.count("jobs.csv:") == 20
    assert "and 10 more lines" in shown.stderr


def test_a_strangers_text_is_no_command_of_the_terminal(shell: Shell, job: str) -> None:
    change("update jobs set state = 'quarantined', reason = '[/red]' || char(27) || '[2J'")

    result = shell.run("report")

    assert "[/red]" in result.stdout
    assert "\x1b" not in result.stdout
