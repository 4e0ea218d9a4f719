"""`media-ledger deploy` on an account of loopback."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localcloud.ros.stacks import Failure
from tests.cli.deploy.conftest import BUCKET, REGION, STACK, Account

ARCHIVE = ("--parameter", "ArchiveBucket=media-archive")
CANARY = "canary-delivery-key"


def told(result: Any) -> dict[str, Any]:
    """Read what a script is told."""
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def parameters(account: Account, stack_id: str) -> dict[str, str]:
    """Give the parameters that a stack has."""
    get = next(one for one in account.ros.actions() if one.name == "GetStack")
    answer: Any = get.handle({"RegionId": REGION, "StackId": stack_id})
    return {one["ParameterKey"]: one["ParameterValue"] for one in answer["Parameters"]}


def test_a_stack_is_made_updated_and_left_alone_by_one_command(account: Account) -> None:
    made = told(account.deploy(*ARCHIVE, "--json"))
    account.pack("second")
    updated = told(account.deploy("--json"))
    again = told(account.deploy("--json"))

    assert [one["operation"] for one in (made, updated, again)] == ["create", "update", "none"]
    assert [one["stack"]["status"] for one in (made, updated, again)] == [
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_COMPLETE",
    ]
    assert [one["package"]["uploaded"] for one in (made, updated, again)] == [True, True, False]
    assert len({one["stack"]["id"] for one in (made, updated, again)}) == 1


def test_what_runs_is_what_was_packaged_and_earlier_parameters_stay(account: Account) -> None:
    made = told(account.deploy(*ARCHIVE, "--json"))
    account.pack("second")
    account.deploy("--parameter", "Name=other")

    now = parameters(account, made["stack"]["id"])
    (stored,) = [one for one in account.packages() if one.stem in now["CodeKey"]]
    assert stored.read_bytes() == account.package.read_bytes()
    assert len(account.packages()) == 2
    assert (now["CodeBucket"], now["ArchiveBucket"], now["Name"]) == (BUCKET, "media-archive", "other")


@pytest.mark.parametrize("newest_first", [True, False])
def test_every_resource_is_told_of_once_and_the_outputs_at_the_end(
    account: Account, newest_first: bool
) -> None:
    account.ros.newest_first = newest_first
    made = account.deploy(*ARCHIVE)
    account.pack("second")
    updated = account.deploy()

    assert made.stderr.count("CREATE_COMPLETE Package\n") == 1
    assert "export LEDGER_OBJECTS='oss://media-archive'" in made.stdout
    assert "CREATE_COMPLETE" not in updated.stderr
    assert updated.stderr.count("UPDATE_COMPLETE Package\n") == 1
    assert "CallbackQueue" not in updated.stderr


def test_a_failed_creation_is_told_with_its_reason_and_what_to_do(account: Account) -> None:
    account.ros.let_fail("Archive", Failure("BucketAlreadyExists: the requested name is taken"))
    result = account.deploy(*ARCHIVE)
    again = account.deploy(*ARCHIVE)

    assert (result.exit_code, again.exit_code) == (1, 1)
    assert "Archive (ALIYUN::OSS::Bucket): BucketAlreadyExists" in result.stdout
    assert "take another --parameter ArchiveBucket" in result.stdout
    assert "LEDGER_OBJECTS" not in result.stdout
    assert "CREATE_ROLLBACK_COMPLETE: nothing runs" in result.stderr
    assert "delete it" in again.stderr


def test_a_failed_update_leaves_the_version_before_and_can_be_mended(account: Account) -> None:
    account.deploy(*ARCHIVE)
    account.pack("second")
    account.ros.let_fail("Package", Failure("QuotaExceeded: no more memory"))
    failed = account.deploy("--json")
    account.ros.let_fail("Package", None)
    mended = account.deploy()

    assert (failed.exit_code, mended.exit_code) == (1, 0)
    assert "the version before runs as it did" in told(failed)["problem"]
    (failure,) = told(failed)["failures"]
    assert (failure["resource"], failure["type"]) == ("Package", "ALIYUN::FC3::LayerVersion")
    assert "raise it in the Quota Center" in failure["advice"]


def test_what_takes_too_long_goes_on_and_can_be_looked_at_again(account: Account) -> None:
    account.ros.pace_ms = 320_000
    result = account.deploy(*ARCHIVE, "--timeout", "10")
    meanwhile = account.deploy(*ARCHIVE)
    looked = account.shell.run("deploy", *STACK, "--wait-only", "--timeout", "1440", "--json")

    assert (result.exit_code, meanwhile.exit_code, looked.exit_code) == (3, 3, 0)
    assert "--stack media --region cn-shanghai --wait-only` looks on" in result.stderr
    assert "wait for it with --wait-only" in meanwhile.stderr
    assert (told(looked)["operation"], told(looked)["package"]) == ("watch", None)
    assert told(looked)["stack"]["status"] == "CREATE_COMPLETE"


def test_looking_on_says_how_an_update_ended(account: Account) -> None:
    account.deploy(*ARCHIVE)
    account.pack("second")
    account.ros.let_fail("Package", Failure("QuotaExceeded: no more memory"))
    account.deploy()

    result = account.shell.run("deploy", *STACK, "--wait-only")

    assert result.exit_code == 1
    assert "Resource UPDATE failed: QuotaExceeded" in result.stdout


def test_there_is_nothing_to_look_at_without_a_stack(account: Account) -> None:
    result = account.shell.run("deploy", *STACK, "--wait-only")

    assert (result.exit_code, "there is no such stack" in result.stderr) == (1, True)


def test_a_service_that_is_away_for_a_moment_is_asked_again(account: Account) -> None:
    account.gateway.break_down(2)
    account.gateway.throttle(1, retry_after=3)

    assert account.deploy(*ARCHIVE).exit_code == 0


def test_a_service_that_stays_away_is_for_later(account: Account) -> None:
    account.gateway.break_down(5)

    assert account.deploy(*ARCHIVE).exit_code == 3
    assert account.packages() == []


def test_a_bucket_that_is_not_there_is_named_with_the_command_that_makes_it(account: Account) -> None:
    result = account.deploy(*ARCHIVE, "--code-bucket", "another-bucket")

    assert result.exit_code == 2
    assert "aliyun oss mb oss://another-bucket --region cn-shanghai" in result.stderr


def test_what_is_no_oss_is_said(account: Account) -> None:
    endpoints = dict(pair.split("=") for pair in account.shell.env["LEDGER_ENDPOINTS"].split(","))
    account.shell.env["LEDGER_ENDPOINTS"] = f"ros={endpoints['ros']},oss={endpoints['ros']}"
    result = account.deploy(*ARCHIVE)

    assert (result.exit_code, "what answers there is not OSS" in result.stderr) == (2, True)


def test_a_wrong_key_is_said_before_anything_is_uploaded(account: Account) -> None:
    account.shell.env["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] = "another"
    result = account.deploy(*ARCHIVE)

    assert (result.exit_code, account.packages()) == (2, [])
    assert "check the access key" in result.stderr


def test_another_region_is_another_place(account: Account) -> None:
    result = account.deploy("--region", "cn-beijing", *ARCHIVE)

    assert (result.exit_code, "check the region" in result.stderr) == (2, True)


def test_secrets_reach_ros_and_nothing_else(account: Account) -> None:
    keys = json.dumps({"desk": [CANARY]})
    result = account.deploy(*ARCHIVE, "--parameter", f"DeliveryKeys={keys}", "--json")

    assert CANARY not in result.output
    assert parameters(account, told(result)["stack"]["id"])["DeliveryKeys"] == keys
