"""`report-job`: one job as one file."""

from __future__ import annotations

import pytest

from tests.cli.conftest import LocalVendor, Shell

KIND = "vod.media_audit"


@pytest.fixture
def job(shell: Shell, vendor: LocalVendor) -> str:
    """Settle a job, and give its id."""
    job_id = vendor.submit()
    vendor.clock.sleep(10_000)
    assert shell.run("settle", KIND, job_id).exit_code == 0
    return job_id


def test_a_job_is_written_into_one_file(shell: Shell, job: str) -> None:
    told = shell.json("report-job", job, "-o", "job.html", "--json")

    page = (shell.folder / "job.html").read_bytes()
    assert told == {"file": "job.html", "bytes": len(page), "pictures": 0}
    assert f"<code><bdi>{job}</bdi></code>".encode() in page
    assert '<html lang="en">' in page.decode()


def test_it_is_written_in_the_language_that_is_asked_for(shell: Shell, job: str) -> None:
    result = shell.run("report-job", f"{KIND}/{job}", "-o", "job.html", "--lang", "zh")

    assert (result.exit_code, "job.html" in result.stderr) == (0, True)
    assert '<html lang="zh-CN">' in (shell.folder / "job.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("{job}", "-o", "job.html", "--lang", "fr"), "unknown language fr: known are en, zh"),
        (("{job}", "-o", "no/folder/job.html"), "no/folder/job.html: No such file or directory"),
    ],
)
def test_what_cannot_be_written_is_said(shell: Shell, job: str, words: tuple[str, ...], said: str) -> None:
    result = shell.run("report-job", *(word.format(job=job) for word in words))

    assert (result.exit_code, said in result.stderr) == (2, True)


def test_a_job_that_is_not_known_has_no_report(shell: Shell, job: str) -> None:
    result = shell.run("report-job", "nothing", "-o", "job.html")

    assert result.exit_code == 1
    assert not (shell.folder / "job.html").exists()
