"""`migrate`: what another release would meet in a ledger, and what lists need that it lacks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.jobs import JobRef
from shared.ports import Change
from shared.tables import JOBS as JOBS_TABLE
from tests.cli.conftest import Shell
from tests.cli.test_replay import JOBS, OldLedger, ledger
from tests.world import KIND, ref

__all__ = ["ledger"]

WORDS = ("migrate", "--check", "--dir", "data")


def checked(shell: Shell, *words: str, status: int = 0) -> Any:
    result = shell.run(*WORDS, *words, "--json")
    assert result.exit_code == status, result.output
    return json.loads(result.stdout)


def change(ledger: OldLedger, job: str, columns: Change) -> None:
    with ledger.opened() as services:
        assert services.ledger.update(JOBS_TABLE, (ref(job).key,), columns, [])


def test_records_of_an_older_normalizer_are_counted_and_the_command_is_named(
    shell: Shell, ledger: OldLedger
) -> None:
    seen = checked(shell)

    assert (seen["jobs"], seen["records_read"], seen["unreadable"]) == (JOBS, JOBS, 0)
    assert seen["normalizers"] == [{"kind": KIND, "made_by": 0, "this_has": 1, "jobs": JOBS}]
    told = shell.run(*WORDS).stdout
    assert f"5 records of {KIND} by normalizer 0, this has 1: media-ledger replay --kind {KIND}" in told
    assert told.endswith("5 jobs, 5 records looked at: all can be read\n")
    assert checked(shell, "--since", "2025-11-23")["jobs"] == 2


def test_records_of_a_newer_normalizer_stay_as_they_are(shell: Shell, ledger: OldLedger) -> None:
    change(ledger, "job-1", {"normalizer_version": 7})

    assert (
        "1 records of vod.media_audit by the newer normalizer 7 stay as they are" in shell.run(*WORDS).stdout
    )


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"effects": "[1]"}, "cannot be read:"),
        ({"digest": "0" * 64}, "cannot be read:"),
        (
            {"effects": '[{"name": "translate", "digest": "", "attempts": 0, "next_at": 0}]'},
            "unknown effect: translate, in 1 jobs",
        ),
    ],
)
def test_what_this_release_does_not_know_needs_a_person(
    shell: Shell, ledger: OldLedger, columns: Change, told: str
) -> None:
    change(ledger, "job-1", columns)
    result = shell.run(*WORDS)

    assert result.exit_code == 1
    assert told in result.stdout
    checked(shell, status=1)


def test_jobs_of_a_kind_that_this_release_does_not_know_are_counted(shell: Shell, ledger: OldLedger) -> None:
    with ledger.opened() as services:
        row = services.ledger.get(JOBS_TABLE, (ref("job-1").key,))
        assert row is not None
        services.ledger.insert(JOBS_TABLE, (JobRef("vod.subtitles", "job-1").key,), row)

    assert checked(shell, status=1)["unknown_kinds"] == {"vod.subtitles": 1}


def test_jobs_of_an_older_release_are_found_by_lists_afterwards(shell: Shell, ledger: OldLedger) -> None:
    with ledger.opened() as services, services.ledger._database() as database:  # type: ignore[attr-defined]  # SQLite
        database.execute("update jobs set seen_kind = null")
        database.execute("delete from lookups")
    assert shell.json("jobs", "--dir", "data", "--json")["jobs"] == []
    assert checked(shell)["unlisted"] == JOBS
    assert f"{JOBS} jobs are not in every list where they belong: media-ledger migrate" in (
        shell.run(*WORDS).stdout
    )

    told = shell.json("migrate", "--dir", "data", "--since", "2025-11-21", "--json")
    assert told == {"jobs": JOBS - 1, "changed": JOBS - 1, "unreadable": []}
    result = shell.run("migrate", "--dir", "data")
    assert (result.exit_code, result.stdout) == (0, f"{JOBS} jobs looked at, 1 rows completed\n")
    assert checked(shell)["unlisted"] == 0
    listed = shell.json("jobs", "--dir", "data", "--verdict", "block", "--label", "ad", "--json")
    assert len(listed["jobs"]) == JOBS


def test_a_row_that_cannot_be_completed_is_named(shell: Shell, ledger: OldLedger) -> None:
    change(ledger, "job-1", {"effects": "[1]"})

    result = shell.run("migrate", "--dir", "data")

    assert result.exit_code == 1
    assert f"cannot be read: {ref('job-1').key}" in result.stdout
