"""`explain`, and what a person does after it: `release` and `retry`."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from tests.cli.conftest import NOON, LocalVendor, Shell

KIND = "vod.media_audit"


@pytest.fixture
def kept(shell: Shell, vendor: LocalVendor) -> str:
    """Quarantine a job by an answer that nobody can read, and give its id."""
    job_id = vendor.submit()
    vendor.vod.answer_raw(job_id, b"\x00 no answer")
    assert shell.run("settle", KIND, job_id).exit_code == 1
    return job_id


def test_a_quarantined_job_is_explained_with_its_bytes_and_the_way_out(shell: Shell, kept: str) -> None:
    told = shell.json("explain", kept, "--json")

    (key,) = told["kept_at"]
    stored = (shell.folder / "media-ledger-data/archive" / key).read_bytes()
    assert (told["state"], key.partition("/")[0], stored) == ("quarantined", "quarantine", b"\x00 no answer")
    assert f"media-ledger release {KIND}/{kept}" in told["next"][-1]["what"]
    assert f"media-ledger release {KIND}/{kept}" in shell.run("explain", kept).stdout


def test_a_released_job_is_asked_about_again_and_settles(
    shell: Shell, vendor: LocalVendor, kept: str
) -> None:
    assert shell.run("release", kept).exit_code == 0
    waiting = shell.json("explain", kept, "--json")
    vendor.vod.answer_raw(kept, json.dumps({"MediaAuditJob": {"JobId": kept, "Status": "fail"}}).encode())

    shell.run("settle", KIND, kept)

    assert (waiting["state"], "asked again" in waiting["next"][0]["what"]) == ("tracked", True)
    settled = shell.json("explain", kept, "--json")
    assert settled["state"] == "failed"
    assert any("settled as failed" in one["what"] for one in settled["history"])


def test_of_several_jobs_each_has_its_own_outcome(shell: Shell, vendor: LocalVendor, kept: str) -> None:
    running = vendor.submit("media-2")
    shell.run("settle", KIND, running)

    result = shell.run("release", running, "nobody", kept, "--json")

    told = [one["outcome"] for one in json.loads(result.stdout)["jobs"]]
    assert result.exit_code == 1
    assert (told[0], told[2]) == ("not quarantined", "done")
    assert "does not know this job" in told[1]
    assert shell.json("explain", kept, "--json")["state"] == "tracked"


def test_a_job_without_a_difference_needs_no_acknowledging(shell: Shell, kept: str) -> None:
    result = shell.run("acknowledge", kept)

    assert result.exit_code == 1
    assert "nothing differs" in result.stderr


def test_a_difference_that_somebody_has_seen_needs_nobody(shell: Shell, kept: str) -> None:
    with closing(sqlite3.connect("media-ledger-data/ledger.db")) as database, database:
        database.execute(
            "update jobs set state = 'succeeded', drift = 'status: fail', drifts = 1,"
            " attention = 'drift', attention_at = 5, attention_bucket = substr(job_key, 1, 1)"
        )
    (listed,) = shell.json("jobs", "--needs", "drift", "--json")["jobs"]
    assert (listed["job_id"], listed["needs"]) == (kept, ["drift"])

    assert shell.run("acknowledge", kept).stdout == f"{kept}: seen\n"
    assert shell.json("jobs", "--needs", "any", "--json")["jobs"] == []


def test_a_retry_asks_now_and_a_quarantined_job_is_not_retried(
    shell: Shell, vendor: LocalVendor, kept: str
) -> None:
    running = vendor.submit("media-2")
    shell.run("settle", KIND, running)
    before = shell.json("explain", running, "--json")["next"][0]["at"]

    result = shell.run("retry", running, kept)

    assert result.exit_code == 1
    assert "media-ledger release" in result.stderr
    assert shell.json("explain", running, "--json")["next"][0]["at"] < before


def test_a_held_lease_and_an_odd_delivery_are_told(shell: Shell, kept: str) -> None:
    key = shell.json("explain", kept, "--json")["job"]
    with closing(sqlite3.connect("media-ledger-data/ledger.db")) as database, database:
        database.execute("update jobs set holder = 'h', lease_until = ?", (NOON + 30_000,))
        database.execute("insert into inbox (job_key, message_id) values (?, 'm-1')", (key,))

    told = shell.json("explain", kept, "--json")

    assert told["lease"]["until"] == "2025-11-20 12:00:30Z"
    assert told["deliveries"] == [{"job_key": key, "message_id": "m-1", "received_at": None}]
    assert any("no event type" in one["what"] for one in told["history"])


def test_a_strangers_text_is_shown_as_text(shell: Shell, kept: str) -> None:
    with closing(sqlite3.connect("media-ledger-data/ledger.db")) as database, database:
        database.execute("update jobs set reason = '[red]' || char(27) || '[2J', vendor_status = '[/b]'")

    shown = shell.run("explain", kept)

    assert shown.exit_code == 0
    assert "[red]" in shown.stdout
    assert "[/b]" in shown.stdout
    assert "\x1b" not in shown.stdout


@pytest.mark.parametrize("command", ["explain", "release", "retry"])
def test_a_job_that_the_ledger_does_not_know_is_named(shell: Shell, kept: str, command: str) -> None:
    result = shell.run(command, "somebody-else")

    assert result.exit_code == 1
    assert "somebody-else" in result.stderr
