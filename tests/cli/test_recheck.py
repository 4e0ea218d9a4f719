"""`recheck`: settled jobs against a vendor that says the same, or something else."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import LocalVendor, Shell
from tests.scripted_vendor import answer

MINUTES = 60_000


@pytest.fixture
def job(shell: Shell, vendor: LocalVendor) -> str:
    """Settle a job, and let time pass."""
    name = vendor.submit()
    vendor.clock.sleep(1 * MINUTES)
    shell.json("settle", "vod.media_audit", name, "--region", "cn-shanghai", "--json")
    vendor.clock.sleep(60 * MINUTES)
    return name


def test_the_same_answer_is_as_recorded(shell: Shell, job: str) -> None:
    assert shell.run("recheck", job).stdout == "1 of 1 jobs are as recorded\n"
    assert shell.json("recheck", "--sample", "5", "--json")["jobs"] == [
        {"job": f"vod.media_audit/{job}", "became": "as recorded", "why": None}
    ]


def test_another_verdict_is_a_new_version_and_is_told(shell: Shell, vendor: LocalVendor, job: str) -> None:
    vendor.vod.answer_raw(job, answer(job, suggestion="block"))

    result = shell.run("recheck", job, "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["jobs"] == [
        {
            "job": f"vod.media_audit/{job}",
            "became": "new version",
            "why": "verdict: block, was review; labels: none, was porn, sexual.suggestive;"
            " counts: findings 0, was findings 1",
        }
    ]
    assert shell.json("show", job, "--json")["record"]["verdict"]["suggestion"] == "block"


def test_another_status_is_for_a_person_and_leaves_the_record(
    shell: Shell, vendor: LocalVendor, job: str
) -> None:
    vendor.vod.answer_raw(job, answer(job, "fail"))

    result = shell.run("recheck", job)

    assert result.exit_code == 1
    assert "differs: status: fail, recorded as succeeded" in result.stdout
    assert shell.json("show", job, "--json")["record"]["status"] == "succeeded"


def test_a_vendor_that_is_away_is_asked_later(shell: Shell, job: str) -> None:
    shell.env["LEDGER_ENDPOINTS"] = "vod=http://127.0.0.1:9"

    result = shell.run("recheck", job)

    assert result.exit_code == 3
    assert "put off" in result.stderr


def test_a_key_that_is_refused_ends_it(shell: Shell, job: str) -> None:
    shell.env["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] = "wrong"

    assert shell.run("recheck", job).exit_code == 2


def test_a_job_that_is_not_settled_is_left(shell: Shell, vendor: LocalVendor, job: str) -> None:
    shell.run("track", "vod.media_audit", "open-job", "--region", "cn-shanghai")

    result = shell.run("recheck", "open-job", job)

    assert result.exit_code == 3
    assert "open-job: left: tracked" in result.stderr
    assert "1 of 2 jobs are as recorded" in result.stdout


@pytest.mark.parametrize("words", [(), ("job", "--sample", "1")])
def test_one_says_which_jobs(shell: Shell, words: tuple[str, ...]) -> None:
    assert shell.run("recheck", *words).exit_code == 2
