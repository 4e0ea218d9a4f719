"""Where the ledger of a command lies, and which job a name means."""

from __future__ import annotations

import os

import pytest

from shared.jobs import JobRef
from tests.cli.conftest import Shell


@pytest.mark.parametrize("folder", ["/dev/null", "file", "file/below"])
def test_a_place_where_no_ledger_can_be_is_wrong_use(shell: Shell, folder: str) -> None:
    (shell.folder / "file").touch()

    result = shell.run("track", "ice.production", "a", "--dir", folder)

    assert result.exit_code == 2
    assert "--dir" in result.stderr


def test_a_folder_whose_name_is_not_utf8_is_refused(shell: Shell) -> None:
    result = shell.run("track", "ice.production", "a", "--dir", os.fsdecode(b"\xff"))

    assert result.exit_code == 2
    assert "not UTF-8" in result.stderr


def test_where_there_is_no_ledger_every_command_that_makes_one_is_named(shell: Shell) -> None:
    told = shell.run("jobs").stderr

    assert all(f"media-ledger {command}" in told for command in ("demo", "track", "settle"))


def test_an_id_that_two_kinds_have_is_not_guessed_at(shell: Shell) -> None:
    for kind in ("ice.production", "mts.production"):
        shell.json("track", kind, "same", "--json")

    result = shell.run("show", "same")

    assert result.exit_code == 1
    assert "ice.production/same" in result.stderr
    assert "mts.production/same" in result.stderr
    for name in ("mts.production/same", JobRef("mts.production", "same").key):
        assert shell.json("show", name, "--json")["job"]["job_key"] == JobRef("mts.production", "same").key


@pytest.mark.parametrize("command", ["show", "explain", "release", "retry"])
def test_a_name_that_is_not_utf8_is_a_name_that_no_job_has(shell: Shell, command: str) -> None:
    shell.json("track", "ice.production", "a", "--json")

    for more in ((), ("--json",)):
        result = shell.run(command, os.fsdecode(b"\xff"), *more)
        assert result.exit_code == 1
        assert result.stdout + result.stderr
