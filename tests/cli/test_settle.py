from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import KEY, NOON, LocalVendor, Shell


def test_a_finished_job_is_recorded_in_a_folder_here(shell: Shell, vendor: LocalVendor) -> None:
    job = vendor.submit()
    vendor.clock.sleep(10_000)

    told = shell.json("settle", "vod.media_audit", job, "--region", "cn-shanghai", "--json")

    assert (told["state"], told["did"], told["suggestion"]) == ("succeeded", "settled", "review")
    archive = shell.folder / "media-ledger-data" / "archive"
    (record,) = archive.glob(f"records/kind=vod.media_audit/date=*/{job}.json")
    assert json.loads(record.read_bytes())["verdict"]["labels"] == ["porn"]
    assert len(list(archive.glob(f"raw/vod.media_audit/{job}/*.json"))) == 1


def test_a_job_that_is_not_finished_ends_with_status_3_and_says_when_to_ask_again(
    shell: Shell, vendor: LocalVendor
) -> None:
    job = vendor.submit()

    result = shell.run("settle", "vod.media_audit", job)

    assert result.exit_code == 3
    assert "ask again after 2025-11-20 12:01" in result.stderr


def test_a_job_is_asked_about_at_no_higher_rate_than_a_run_has(shell: Shell, vendor: LocalVendor) -> None:
    job = vendor.submit()
    shell.env |= {"LEDGER_CALL_RATES": "vod=0.01", "LEDGER_LEASE_SECONDS": "3600"}

    shell.run("settle", "vod.media_audit", job)

    assert vendor.clock.now() - NOON >= 1_000 / (0.01 * 0.4)


def test_settling_a_settled_job_asks_nobody(shell: Shell, vendor: LocalVendor) -> None:
    job = vendor.submit()
    vendor.clock.sleep(10_000)
    shell.run("settle", "vod.media_audit", job)

    again = shell.json("settle", "vod.media_audit", job, "--json")

    assert (again["state"], again["did"]) == ("succeeded", "nothing")
    assert shell.json("show", job, "--json")["job"]["queries"] == 1


def test_a_job_that_the_vendor_does_not_know_is_waited_for(shell: Shell, vendor: LocalVendor) -> None:
    result = shell.run("settle", "vod.media_audit", "nobody")

    assert result.exit_code == 3
    assert "InvalidJobId.NotFound" in result.stderr


def test_an_answer_that_nobody_can_read_needs_a_person(shell: Shell, vendor: LocalVendor) -> None:
    job = vendor.submit()
    vendor.vod.answer_raw(job, b"<html><body>")

    result = shell.run("settle", "vod.media_audit", job)

    assert result.exit_code == 1
    assert shell.json("show", job, "--json")["job"]["state"] == "quarantined"


def test_missing_keys_are_named_and_no_job_is_blamed(shell: Shell, vendor: LocalVendor) -> None:
    del shell.env["ALIBABA_CLOUD_ACCESS_KEY_ID"], shell.env["ALIBABA_CLOUD_ACCESS_KEY_SECRET"]

    result = shell.run("settle", "vod.media_audit", "abc", "--region", "cn-shanghai")

    assert result.exit_code == 2
    assert "ALIBABA_CLOUD_ACCESS_KEY_SECRET" in result.stderr
    assert shell.json("jobs", "--json")["jobs"][0]["state"] == "tracked"


def test_a_missing_region_is_named(shell: Shell, vendor: LocalVendor) -> None:
    del shell.env["LEDGER_ENDPOINTS"]

    result = shell.run("settle", "vod.media_audit", "abc")

    assert result.exit_code == 2
    assert "LEDGER_REGION" in result.stderr


def test_a_wrong_secret_is_our_fault_and_is_not_shown(shell: Shell, vendor: LocalVendor) -> None:
    shell.env["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] = "canary-wrong-secret"

    result = shell.run("settle", "vod.media_audit", vendor.submit())

    assert result.exit_code == 2
    assert "SignatureDoesNotMatch" in result.stderr
    assert "canary" not in result.output


def test_the_secret_is_nowhere_in_what_is_printed_or_kept(shell: Shell, vendor: LocalVendor) -> None:
    job = vendor.submit()
    vendor.clock.sleep(10_000)

    result = shell.run("--verbose", "settle", "vod.media_audit", job)

    kept = [path.read_bytes() for path in Path("media-ledger-data").rglob("*") if path.is_file()]
    assert KEY.access_key_secret not in result.output
    assert not any(KEY.access_key_secret.encode() in body for body in kept)


def test_both_signatures_and_both_answer_formats_give_the_same_record(
    shell: Shell, vendor: LocalVendor
) -> None:
    job = vendor.submit()
    vendor.clock.sleep(10_000)

    digests = set()
    for scheme in ("acs3", "rpc1"):
        for form in ("json", "xml"):
            shell.env |= {"LEDGER_SIGNATURE": scheme, "LEDGER_ANSWER_FORMAT": form}
            told = shell.json("settle", "vod.media_audit", job, "--dir", f"{scheme}-{form}", "--json")
            digests.add(told["digest"])

    assert len(digests) == 1
    assert None not in digests


def test_an_endpoint_can_be_named_on_the_command_line(shell: Shell, vendor: LocalVendor) -> None:
    del shell.env["LEDGER_ENDPOINTS"]
    job = vendor.submit()
    vendor.clock.sleep(10_000)

    result = shell.run("settle", "vod.media_audit", job, "--endpoint", vendor.endpoint)

    assert result.exit_code == 0


def test_an_unknown_kind_is_answered_with_the_known_ones(shell: Shell) -> None:
    result = shell.run("settle", "vod.transcode", "abc")

    assert result.exit_code == 2
    assert "vod.media_audit" in result.stderr


def test_a_job_id_that_no_job_can_have_is_refused(shell: Shell, vendor: LocalVendor) -> None:
    result = shell.run("settle", "vod.media_audit", "x" * 10_240)

    assert result.exit_code == 1
    assert "too long" in result.stderr
    assert len(result.stderr) < 1_000


def test_what_cannot_be_a_region_is_refused_before_anything_is_written(shell: Shell) -> None:
    result = shell.run("settle", "vod.media_audit", "abc", "--region", "CN Shanghai")

    assert result.exit_code == 2
    assert "not a region" in result.stderr
    assert not (shell.folder / "media-ledger-data").exists()
