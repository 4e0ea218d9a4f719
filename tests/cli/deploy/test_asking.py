"""What is typed, and what of it is refused before anything is called."""

from __future__ import annotations

import pytest

from tests.cli.deploy.conftest import Account

ARCHIVE = ("--parameter", "ArchiveBucket=media-archive")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--stack", "1st"), "--stack: a letter"),
        (("--region", "Shanghai!"), "--region: not a region"),
        (("--code-bucket", "oss://bucket"), "--code-bucket: the name of a bucket alone"),
        (("--package", "nowhere.zip"), "nowhere.zip: No such file"),
        (("--package", "template.yml"), "template.yml is no zip"),
        (("--template", "nowhere.yml"), "nowhere.yml: cannot be read"),
        (("--parameter", "ArchiveBucket"), "must look like Name=value"),
        (("--parameter", "ArchiveBuckt=x"), "did you mean ArchiveBucket?"),
        (("--parameter", "Zzz=x"), "has no parameter Zzz"),
        (("--parameter", "CodeKey=x"), "CodeKey is given by this command itself"),
        ((*ARCHIVE, *ARCHIVE), "ArchiveBucket is there twice"),
        (("--parameter", "DeliveryKeys=@nowhere.json"), "DeliveryKeys: nowhere.json cannot be read"),
        ((), "a new stack needs --parameter ArchiveBucket=..."),
    ],
)
def test_what_is_wrong_is_named(account: Account, words: tuple[str, ...], told: str) -> None:
    result = account.deploy(*words)

    assert (result.exit_code, told in result.stderr) == (2, True), result.stderr
    assert account.packages() == []


def test_a_bucket_for_packages_must_be_named(account: Account) -> None:
    result = account.shell.run("deploy", "--stack", "media", "--region", "cn-shanghai")

    assert (result.exit_code, "--code-bucket" in result.stderr) == (2, True)


def test_a_template_with_mistakes_is_not_deployed(account: Account) -> None:
    account.template.write_text(account.template.read_text().replace("BucketName:", "BucketNam:"))
    result = account.deploy(*ARCHIVE)

    assert result.exit_code == 2
    assert "line 16: Resources.Archive" in result.stderr
    assert "media-ledger lint-template" in result.stderr


def test_a_template_whose_runtime_cannot_be_chosen_is_not_deployed(account: Account) -> None:
    function = (
        "  Callback:\n    Type: ALIYUN::FC3::Function\n    Properties:\n      FunctionName: callback\n"
        "      Handler: functions.callback.handler.handle\n      Runtime: custom.debian10\n"
        "      Timeout: 60\n      MemorySize: 512\n"
    )
    account.template.write_text(
        account.template.read_text().replace("Resources:\n", f"Resources:\n{function}")
    )
    result = account.deploy(*ARCHIVE)

    assert result.exit_code == 2
    assert "the function callback cannot run on python3.10" in result.stderr


def test_a_parameter_may_stand_in_a_file(account: Account) -> None:
    (account.shell.folder / "archive").write_text("media-archive\n")

    assert account.deploy("--parameter", "ArchiveBucket=@archive").exit_code == 0
