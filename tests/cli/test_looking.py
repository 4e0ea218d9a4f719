from __future__ import annotations

import pytest

from tests.cli.conftest import DATA, LocalVendor, Shell


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
