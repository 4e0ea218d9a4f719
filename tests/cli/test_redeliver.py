"""`redeliver`: targets are told once more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.conftest import LocalVendor, Shell
from tests.cli.loopback_target import KEY, Publisher, publisher

KIND = "vod.media_audit"


@pytest.fixture
def target(shell: Shell, vendor: LocalVendor) -> Iterator[Publisher]:
    with publisher() as serving:
        shell.env |= serving.settings()
        yield serving


@pytest.fixture
def job(shell: Shell, vendor: LocalVendor, target: Publisher) -> str:
    """Settle a job that the publisher is to be told of, and give its id."""
    return settled(shell, vendor)


def settled(shell: Shell, vendor: LocalVendor) -> str:
    job_id = vendor.submit()
    vendor.clock.sleep(10_000)
    assert shell.run("settle", KIND, job_id).exit_code == 0
    return job_id


def again(shell: Shell, *words: str, status: int = 0) -> list[dict[str, Any]]:
    result = shell.run("redeliver", *words, "--json")
    assert result.exit_code == status, result.output
    told: list[dict[str, Any]] = json.loads(result.stdout)["deliveries"]
    return told


def row(shell: Shell, job: str) -> dict[str, Any]:
    told: dict[str, Any] = shell.json("show", job, "--json")["job"]
    return told


def test_a_job_is_told_again_as_the_same_event_in_another_delivery(
    shell: Shell, target: Publisher, vendor: LocalVendor, job: str
) -> None:
    (first,) = again(shell, "--job", job)
    vendor.clock.sleep(1_000)
    (second,) = again(shell, "--job", f"{KIND}/{job}")

    assert (first["target"], first["version"], first["outcome"]) == ("publisher", 1, "delivered")
    assert first == second
    one, other = target.taken
    assert one.body == other.body
    assert one.headers["media-ledger-delivery-id"] != other.headers["media-ledger-delivery-id"]
    assert "outbox" not in row(shell, job)


def test_people_get_a_table_and_sums(shell: Shell, target: Publisher, job: str) -> None:
    shown = shell.run("redeliver", "--job", job)

    assert shown.exit_code == 0
    assert all(word in shown.stdout for word in (job, "publisher", "1 delivered"))


def test_what_a_target_does_not_take_is_put_off_with_its_reason(
    shell: Shell, target: Publisher, job: str
) -> None:
    target.status = 500

    (one,) = again(shell, "--job", job, status=3)
    explained = shell.json("explain", job, "--json")

    assert (one["outcome"], one["next_at"] > "2025-11-20 12:00:10") == ("put_off", True)
    assert "answered 500: as told" in one["reason"]
    assert [entry["last"] for entry in explained["outbox"]] == [one["reason"]]
    assert "answered 500" in shell.run("show", job).stdout


def test_what_a_target_refuses_is_undelivered_until_it_takes_it(
    shell: Shell, target: Publisher, job: str
) -> None:
    target.status = 410
    (refused,) = again(shell, "--job", job, status=1)
    explained, report = shell.json("explain", job, "--json"), shell.run("report", "-o", "page.html")
    target.status = 200
    (taken,) = again(shell, "--undelivered")

    assert (refused["outcome"], taken["outcome"]) == ("undelivered", "delivered")
    assert [one["target"] for one in explained["undelivered"]] == ["publisher"]
    assert report.exit_code == 1
    assert "publisher never took version 1" in report.stdout
    assert "media-ledger redeliver --undelivered" in (shell.folder / "page.html").read_text(encoding="utf-8")
    assert shell.run("report").exit_code == 0
    assert again(shell, "--undelivered") == []


def test_all_of_some_days_are_told_again_but_what_is_not_settled(
    shell: Shell, vendor: LocalVendor, target: Publisher, job: str
) -> None:
    other, running = settled(shell, vendor), vendor.submit("media-2")
    shell.run("settle", KIND, running)
    vendor.clock.sleep(3 * 86_400_000)

    assert again(shell, "--since", "2025-11-21") == []
    told = again(shell, "--since", "2025-11-20")
    assert {one["job"].rpartition(".")[2] for one in told} == {job, other}
    assert len(target.taken) == 2


def test_a_rehearsal_says_what_would_be_done_and_does_nothing(
    shell: Shell, vendor: LocalVendor, target: Publisher, job: str
) -> None:
    settled(shell, vendor)
    before = row(shell, job)

    rehearsed = again(shell, "--since", "2025-11-20", "--dry-run")

    assert row(shell, job) == before
    assert target.taken == []
    done = again(shell, "--since", "2025-11-20")
    assert [{**one, "outcome": "delivered"} for one in rehearsed] == done


def test_a_rehearsal_of_what_was_never_taken_looks_at_nothing_else(
    shell: Shell, target: Publisher, job: str
) -> None:
    assert again(shell, "--undelivered", "--dry-run") == []
    target.status = 410
    again(shell, "--job", job, status=1)

    (one,) = again(shell, "--undelivered", "--dry-run")
    assert (one["target"], one["outcome"]) == ("publisher", "to_be_told")


def test_the_sending_can_be_left_to_the_timer(shell: Shell, target: Publisher, job: str) -> None:
    del shell.env["LEDGER_DELIVERY_KEYS"]

    (one,) = again(shell, "--job", job, "--no-wait")

    assert one["outcome"] == "left_to_the_timer"
    assert target.taken == []
    (entry,) = json.loads(row(shell, job)["outbox"])
    assert (entry["target"], entry["attempts"]) == ("publisher", 0)


def test_what_is_wrong_with_one_job_stops_no_other(
    shell: Shell, vendor: LocalVendor, target: Publisher, job: str
) -> None:
    running = vendor.submit("media-2")
    shell.run("settle", KIND, running)

    jobs = ("--job", "nobody", "--job", running, "--job", job)
    rehearsed, told = again(shell, *jobs, "--dry-run", status=1), again(shell, *jobs, status=1)

    assert [one["outcome"] for one in told] == ["nobody", "nobody", "delivered"]
    assert "does not know this job" in told[0]["reason"]
    assert told[1]["reason"] == "not settled: running"
    assert rehearsed[:2] == told[:2]


@pytest.mark.parametrize("rehearsal", [[], ["--dry-run"]])
def test_a_record_that_is_gone_from_the_archive_is_told(
    shell: Shell, vendor: LocalVendor, target: Publisher, job: str, rehearsal: list[str]
) -> None:
    other = settled(shell, vendor)
    (version,) = (shell.folder / "media-ledger-data/archive/versions" / KIND / job).iterdir()
    version.unlink()

    one, _ = again(shell, "--job", job, "--job", other, *rehearsal, status=1)

    assert (one["outcome"], version.name in one["reason"]) == ("nobody", True)


def test_a_job_that_no_rule_sends_there_is_told_with_how_to_see_why(
    shell: Shell, target: Publisher, job: str
) -> None:
    (one,) = again(shell, "--job", job, "--to", "archive", status=1)

    assert f"media-ledger rules --job {KIND}/{job}" in one["reason"]
    assert again(shell, "--job", job, "--undelivered", status=1)[0]["reason"] == "no target lacks it"
    assert again(shell, "--since", "2025-11-20", "--to", "archive") == []


def test_a_target_that_is_gone_is_named(shell: Shell, target: Publisher, job: str) -> None:
    target.status = 410
    again(shell, "--job", job, status=1)
    shell.env["LEDGER_DELIVERY"] = '{"targets": {"other": {"url": "fc:other"}}, "rules": [{"to": ["other"]}]}'
    del shell.env["LEDGER_DELIVERY_KEYS"]

    (one,) = again(shell, "--undelivered", status=1)

    assert one["reason"] == "LEDGER_DELIVERY has no target publisher any more"


def test_an_older_version_goes_first_and_is_told(
    shell: Shell, vendor: LocalVendor, target: Publisher, job: str
) -> None:
    target.status = 500
    again(shell, "--job", job, status=3)
    vendor.vod.answer_raw(job, json.dumps({"MediaAuditJob": newer(job)}).encode())
    assert shell.run("retry", job).exit_code == 0
    assert shell.run("reconcile").exit_code == 0

    (one,) = again(shell, "--job", job, status=3)

    assert one["version"] == 2
    assert one["reason"].startswith("version 1 goes first")
    assert "answered 500" in one["reason"]


def newer(job: str) -> dict[str, object]:
    return {"JobId": job, "Status": "success", "Data": {"Suggestion": "pass", "Label": "normal"}}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "say what to deliver again"),
        (["--job", "a", "--since", "2025-11-20"], "not both"),
        (["--job", "a", "--to", "publsher"], "did you mean 'publisher'?"),
        (["--since", "2025-11-21"], "not after 2025-11-20"),
        (["--since", "0001-01-01"], "of the last 3,660"),
    ],
)
def test_wrong_use_is_explained(shell: Shell, job: str, words: list[str], complaint: str) -> None:
    result = shell.run("redeliver", *words)

    assert result.exit_code == 2
    assert complaint in result.stderr


@pytest.mark.parametrize("name", ["LEDGER_DELIVERY", "LEDGER_DELIVERY_KEYS"])
def test_what_this_shell_lacks_is_named_before_anything_is_written(
    shell: Shell, target: Publisher, job: str, name: str
) -> None:
    before = row(shell, job)
    shell.env[name] = ""
    if name == "LEDGER_DELIVERY":
        shell.env["LEDGER_DELIVERY_KEYS"] = ""

    result = shell.run("redeliver", "--job", job)

    assert result.exit_code == 2
    assert f"{name} " in result.stderr
    assert row(shell, job) == before


def test_no_key_is_ever_shown(shell: Shell, target: Publisher, job: str) -> None:
    target.status = 500
    shown = shell.run("--verbose", "redeliver", "--job", job)

    assert KEY not in shown.output
