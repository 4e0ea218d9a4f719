"""Answers of ROS that the local one never gives."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from cli.deploy.release import PackageFile, Release, StackName
from cli.deploy.stacks import Stacks
from cli.deploy.template import DeployedTemplate
from shared.adapters.clocks import ManualClock
from shared.errors import ParseError, PermanentError
from shared.vendor import ApiAnswer, ApiRequest, Part

NAME = StackName("media", "cn-shanghai")
NOTHING: frozenset[str] = frozenset()
RELEASE = Release(
    NAME,
    DeployedTemplate(Path("template.yml"), "python3.10", "", False, NOTHING, NOTHING, NOTHING),
    PackageFile(Path("package.zip"), "sha256", "my-packages"),
    parameters={},
    timeout_minutes=60,
)


class Answering:
    """A `MediaApi` that always answers the same."""

    def __init__(self, answer: bytes | PermanentError) -> None:
        self._answer = answer

    def call(self, request: ApiRequest, *, deadline: int) -> ApiAnswer:
        """Give the answer."""
        if isinstance(self._answer, PermanentError):
            raise self._answer
        return ApiAnswer(Part("answer", "json", self._answer))


def stacks(answer: bytes | PermanentError) -> Stacks:
    """Ask somebody who always answers the same."""
    return Stacks(Answering(answer), clock=ManualClock(0), random=Random(1))


@pytest.mark.parametrize("body", [b"[]", b"<html>", b""])
def test_what_is_no_answer_of_ros_is_an_error(body: bytes) -> None:
    with pytest.raises(ParseError):
        stacks(body).find(NAME)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"Stacks": null}',
        b'{"Stacks": [7, {"StackName": "media-2", "Status": "CREATE_COMPLETE"}]}',
        b'{"Stacks": [{"StackName": "media", "Status": "DELETE_COMPLETE"}]}',
    ],
)
def test_a_stack_of_another_name_or_a_deleted_one_is_not_found(body: bytes) -> None:
    assert stacks(body).find(NAME) is None


def test_what_else_is_not_supported_is_not_taken_for_no_change() -> None:
    refused = PermanentError("the vendor refused the call: not for this type", vendor_code="NotSupported")

    with pytest.raises(PermanentError, match="not for this type"):
        stacks(refused).update(RELEASE, "stack-id")


def test_a_reason_is_told_without_what_is_secret_in_it() -> None:
    body = b'{"StackId": "1", "StatusReason": "no access to https://b.example/k?Signature=canary"}'

    assert "canary" not in stacks(body).get("1", region="cn-shanghai").reason
