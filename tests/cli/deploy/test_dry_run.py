"""What `--dry-run` shows, without an account."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path
from zipfile import ZipFile

import pytest

from cli.demonstration import TEMPLATE
from cli.deploy.template import read_for
from tests.cli.conftest import Shell
from tests.cli.deploy.conftest import BUCKET, STACK
from tests.cli.deploy.conftest import TEMPLATE as SMALL

CANARY = "canary-delivery-key"
SIGNED = "https://desk.example/hook?Signature=canary"
WORDS = ("deploy", *STACK, "--code-bucket", BUCKET, "--package", "package.zip", "--dry-run")


@pytest.fixture
def desk(shell: Shell) -> Shell:
    """A shell without an account, beside a package and a small template."""
    with ZipFile("package.zip", "w") as zipped:
        zipped.writestr("a", "b")
    Path("template.yml").write_text(SMALL)
    return shell


def words(command: str, **variables: str) -> list[str]:
    """Give the words that a shell makes of a command."""
    printed = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {command}"], env=variables, capture_output=True, check=True, text=True
    )
    return printed.stdout.split("\0")[:-1]


def test_every_call_is_shown_with_the_vendors_command_for_it(desk: Shell) -> None:
    calls = desk.json(*WORDS, "--template", "template.yml", "--json")["calls"]

    assert [(one["service"], one["method"], one["action"]) for one in calls] == [
        ("OSS", "PUT", "PutObject"),
        ("ROS", "POST", "ListStacks"),
        ("ROS", "POST", "CreateStack"),
        ("ROS", "POST", "UpdateStack"),
        ("ROS", "POST", "GetStack"),
        ("ROS", "POST", "ListStackEvents"),
    ]
    (upload, *others) = (shlex.split(one["command"]) for one in calls)
    assert upload[:3] == ["ossutil", "cp", "package.zip"]
    assert [one[:3] for one in others] == [["aliyun", "ros", step["action"]] for step in calls[1:]]


def test_a_shell_makes_of_the_command_what_would_be_sent_and_secrets_are_not_in_it(desk: Shell) -> None:
    given = {"ArchiveBucket": "media archive", "DeliveryKeys": CANARY, "Delivery": SIGNED}
    options = [word for name, value in given.items() for word in ("--parameter", f"{name}={value}")]
    told = desk.run(*WORDS, *options, "--runtime", "python3.12", "--json")
    create = json.loads(told.stdout)["calls"][2]
    said = words(create["command"], DeliveryKeys=CANARY, Delivery=SIGNED, PATH="/usr/bin:/bin")

    sent = dict(zip(said[3::2], said[4::2], strict=True))
    parameters = {
        sent[name]: sent[name.replace("Key", "Value")] for name in sent if name.endswith("ParameterKey")
    }
    assert "canary" not in told.output
    assert given.items() <= parameters.items()
    assert sent["--TemplateBody"] == read_for("python3.12", TEMPLATE).text.rstrip("\n")


def test_people_are_told_what_is_missing_and_that_nothing_was_called(desk: Shell) -> None:
    result = desk.run(*WORDS, "--template", "template.yml")

    assert result.exit_code == 0
    assert "Nothing was called." in result.stdout
    assert "To create the stack, also give ArchiveBucket." in result.stdout
    assert '--TemplateBody "$(cat template.yml)"' in result.stdout
    assert "ClientToken = <new for every run>" in result.stdout
