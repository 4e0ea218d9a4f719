from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from shared import bootstrap
from shared.leasing import LedgerRows
from shared.policy import MINUTE
from shared.ports import Services
from shared.settings import Settings
from shared.tables import JOBS, LEASES
from shared.toolkit import leases
from tests.cli.conftest import NOON, LocalVendor, Shell

FOLDER = "media-ledger-data"


def announce(shell: Shell, vendor: LocalVendor, count: int) -> None:
    """Submit jobs and announce them; then it is time to ask for them."""
    ids = [vendor.submit() for _ in range(count)]
    shell.json("track", "vod.media_audit", *ids, "--region", "cn-shanghai", "--json")
    vendor.clock.sleep(15 * MINUTE)


@contextmanager
def ledger(shell: Shell) -> Iterator[Services]:
    """Open the shell's ledger behind its back."""
    folder = shell.folder / FOLDER
    services = bootstrap.build(
        Settings.read(
            {"LEDGER_OBJECTS": f"file://{folder}/archive", "LEDGER_TABLES": f"sqlite://{folder}/ledger.db"}
        )
    )
    try:
        yield services
    finally:
        bootstrap.close(services)


def test_jobs_that_are_due_are_settled(shell: Shell, vendor: LocalVendor) -> None:
    announce(shell, vendor, 3)
    result = shell.run("reconcile")
    again = shell.run("reconcile")

    assert (result.exit_code, result.stdout) == (0, "3 settled\n3 effects done, 0 callbacks lost\n")
    assert (again.exit_code, again.stdout) == (0, "no job was due\n")


def test_a_limit_leaves_the_rest_for_later_and_says_so(shell: Shell, vendor: LocalVendor) -> None:
    announce(shell, vendor, 3)
    result = shell.run("reconcile", "--limit", "2")

    assert (result.exit_code, result.stdout.splitlines()[0]) == (3, "2 settled")
    assert shell.json("reconcile", "--json")["outcomes"] == {"settled": 1}


def test_until_quiet_takes_as_many_passes_as_it_needs(shell: Shell, vendor: LocalVendor) -> None:
    announce(shell, vendor, 3)
    # A call every 42 seconds of a run's two minutes; one worker, as waiting moves this clock for all.
    shell.env |= {"LEDGER_CALL_RATES": "vod=0.06", "LEDGER_LEASE_SECONDS": "3600", "LEDGER_WORKERS": "1"}
    told = shell.json("reconcile", "--until-quiet", "--json")

    assert (told["outcomes"]["settled"], told["more"]) == (3, False)
    assert told["passes"] > 1


def test_a_budget_that_allows_no_call_in_a_pass_does_not_go_on_for_ever(
    shell: Shell, vendor: LocalVendor
) -> None:
    announce(shell, vendor, 1)
    # A call every 250 seconds: twice in a lease, but not in every pass.
    shell.env |= {"LEDGER_CALL_RATES": "vod=0.01", "LEDGER_LEASE_SECONDS": "3600"}
    result = shell.run("reconcile", "--until-quiet")

    assert (result.exit_code, result.stdout) == (3, "1 postponed\n")


def test_a_setting_that_makes_the_function_fan_out_does_not_concern_the_command(
    shell: Shell, vendor: LocalVendor, caplog: pytest.LogCaptureFixture
) -> None:
    announce(shell, vendor, 3)
    shell.env["LEDGER_FAN_OUT_AT"] = "1"
    result = shell.run("reconcile")

    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "3 settled")
    assert [record.getMessage() for record in caplog.records if record.levelname == "CRITICAL"] == []


def test_a_refused_key_needs_a_person(shell: Shell, vendor: LocalVendor) -> None:
    announce(shell, vendor, 4)
    shell.env["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] = "wrong"
    result = shell.run("reconcile")

    assert result.exit_code == 1
    assert re.search("vod.* refuses us", result.stderr)


def test_a_vendor_that_does_not_answer_is_for_later(shell: Shell, vendor: LocalVendor) -> None:
    announce(shell, vendor, 6)
    shell.env["LEDGER_ENDPOINTS"] = "vod=http://127.0.0.1:9"
    result = shell.run("reconcile")

    assert result.exit_code == 3
    assert "vod cn-shanghai does not answer" in result.stderr


def test_jobs_that_are_missing_in_numbers_speak_against_our_settings(
    shell: Shell, vendor: LocalVendor
) -> None:
    ids = [f"nobody-{number}" for number in range(10)]
    shell.json("track", "vod.media_audit", *ids, "--region", "cn-shanghai", "--json")
    vendor.clock.sleep(15 * MINUTE)
    shell.run("reconcile")
    vendor.clock.sleep(61 * MINUTE)
    result = shell.run("reconcile")

    assert result.exit_code == 1
    assert "too many jobs of vod cn-shanghai are not found" in result.stderr


def test_a_row_that_cannot_be_read_needs_a_person(shell: Shell, vendor: LocalVendor) -> None:
    announce(shell, vendor, 1)
    with ledger(shell) as services:
        services.ledger.insert(
            JOBS, ("00.corrupt",), {"state": "pondering", "due_bucket": "0", "due_at": NOON}
        )
    result = shell.run("reconcile")

    assert result.exit_code == 1
    assert "the row of 00.corrupt cannot be read" in result.stderr


def test_a_run_beside_another_is_told_until_when_to_wait(shell: Shell, vendor: LocalVendor) -> None:
    announce(shell, vendor, 1)
    with ledger(shell) as services:
        store, until = LedgerRows(services.ledger, LEASES), vendor.clock.now() + MINUTE
        leases.claim(store, "reconcile", None, holder="other", now=NOON, until=until)
    result = shell.run("reconcile", "--until-quiet")

    assert result.exit_code == 3
    assert "another run holds the lease until 2025-11-20T12:16:00+00:00" in result.stderr


@pytest.mark.parametrize("words", [("--limit", "0"), ("--limit", "many")])
def test_a_limit_is_a_number_of_jobs(shell: Shell, words: tuple[str, ...]) -> None:
    assert shell.run("reconcile", *words).exit_code == 2


def test_without_a_ledger_nothing_is_made(shell: Shell) -> None:
    result = shell.run("reconcile")

    assert (result.exit_code, (shell.folder / FOLDER).exists()) == (1, False)
