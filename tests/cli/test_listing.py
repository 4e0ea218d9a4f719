"""`jobs`: lists by what is known of jobs, page by page."""

from __future__ import annotations

import pytest

from tests.cli.conftest import LocalVendor, Shell

KIND = "vod.media_audit"


@pytest.fixture
def three(shell: Shell, vendor: LocalVendor) -> list[str]:
    """Announce three jobs and settle the first."""
    names = [vendor.submit(f"media-{number}") for number in range(3)]
    for name in names:
        shell.run("track", KIND, name, "--media-id", f"media-of-{name}", "--json")
        vendor.clock.sleep(1_000)
    vendor.clock.sleep(10_000)
    assert shell.run("settle", KIND, names[0]).exit_code == 0
    return names


def ids(shell: Shell, *words: str) -> list[str]:
    return [job["job_id"] for job in shell.json("jobs", *words, "--json")["jobs"]]


def test_jobs_are_found_by_what_is_known_of_them(shell: Shell, three: list[str]) -> None:
    (settled, *tracked) = three

    assert ids(shell, "--verdict", "block") == ids(shell, "--label", "terrorism") == [settled]
    assert ids(shell, "--media-id", f"media-of-{settled}") == [settled]
    assert ids(shell, "--label", "nobody-has-it") == []
    assert ids(shell, "--state", "succeeded", "--kind", KIND) == [settled]
    assert sorted(ids(shell, "--state", "tracked")) == sorted(tracked)
    assert ids(shell, "--needs", "any") == ids(shell, "--lost-callback") == []


def test_pages_go_on_where_the_last_one_ended(shell: Shell, three: list[str]) -> None:
    first = shell.json("jobs", "--limit", "2", "--json")

    rest = shell.json("jobs", "--limit", "2", "--after", first["after"], "--json")

    assert sorted(job["job_id"] for job in first["jobs"] + rest["jobs"]) == sorted(three)
    assert rest["after"] is None
    assert f"--after {first['after']}" in shell.run("jobs", "--limit", "2").stdout.replace("\n", "")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--day", "today"), "day"),
        (("--after", "nonsense"), "after"),
        (("--kind", "No Kind"), "kind"),
    ],
)
def test_what_cannot_be_read_is_a_wrong_use_that_names_it(
    shell: Shell, three: list[str], words: tuple[str, ...], told: str
) -> None:
    result = shell.run("jobs", *words)

    assert result.exit_code == 2
    assert told in result.stderr
