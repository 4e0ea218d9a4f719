"""A role's keys: had by a signed call, kept, renewed in time, and never the job's fault."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Iterator, Mapping

import pytest

from localcloud.media.gateway import Gateway
from localcloud.media.server import MediaApiServer
from localcloud.media.wire import Action, Answer, RefusedError
from shared.adapters.aliyun.assumed_role import VERSION, AssumedRole
from shared.adapters.clocks import ManualClock
from shared.adapters.media_api import SignedMediaApi
from shared.errors import SettingError, VendorRefusedError, VendorUnavailableError
from shared.toolkit.context import Credentials

OWN = Credentials("own-key", "own-secret")
ARN = "acs:ram::1000000000000002:role/reader"
NOON = 1_763_640_000_000  # 2025-11-20T12:00:00Z
MINUTE = 60_000


class Sts:
    """Gives keys that are good for an hour, numbered."""

    def __init__(self) -> None:
        self.asked: list[Mapping[str, str]] = []
        self.refusal: RefusedError | None = None
        self.answer: Answer | None = None

    def assume(self, params: Mapping[str, str]) -> Answer:
        """Answer AssumeRole."""
        self.asked.append(params)
        if self.refusal is not None:
            raise self.refusal
        number = len(self.asked)
        return self.answer or {
            "Credentials": {
                "AccessKeyId": f"STS.{number}",
                "AccessKeySecret": "canary-secret",
                "SecurityToken": "canary-token",
                "Expiration": f"2025-11-20T{12 + number}:00:00Z",
            }
        }


@pytest.fixture
def clock() -> ManualClock:
    """Give a clock that stands at noon."""
    return ManualClock(NOON)


@pytest.fixture
def sts() -> Sts:
    """Give the service."""
    return Sts()


@pytest.fixture
def role(sts: Sts, clock: ManualClock) -> Iterator[AssumedRole]:
    """Give a role whose keys the service gives over the wire."""
    action = Action("sts", VERSION, "AssumeRole", sts.assume)
    gateway = Gateway([action], keys=[OWN], clock=clock, random=random.Random(1))
    with MediaApiServer(gateway) as server:
        api = SignedMediaApi(
            credentials=lambda: OWN, clock=clock, random=random.Random(1), endpoints={"sts": server.endpoint}
        )
        yield AssumedRole(
            ARN, sts=api, region="cn-shanghai", clock=clock, deadline=lambda: clock.now() + MINUTE
        )
        api.close()


def test_the_keys_of_a_role_are_had_once_and_kept(role: AssumedRole, sts: Sts) -> None:
    assert role() == role() == Credentials("STS.1", "canary-secret", "canary-token")
    assert [dict(asked) for asked in sts.asked] == [
        {"RoleArn": ARN, "RoleSessionName": "media-ledger", "DurationSeconds": "3600"}
    ]


def test_they_are_renewed_ten_minutes_before_they_expire(role: AssumedRole, clock: ManualClock) -> None:
    had = [role().access_key_id]
    for minutes in (49, 1, 59):
        clock.advance(minutes * MINUTE)
        had.append(role().access_key_id)

    assert had == ["STS.1", "STS.1", "STS.2", "STS.2"]


def test_old_keys_are_used_to_their_end_while_no_new_ones_can_be_had(
    role: AssumedRole, sts: Sts, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    role()
    sts.refusal = RefusedError(503, "ServiceUnavailable", "away")
    clock.advance(59 * MINUTE)

    assert role().access_key_id == "STS.1"
    clock.advance(MINUTE)
    with pytest.raises(VendorUnavailableError):
        role()
    assert "canary" not in caplog.text


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "NoPermission", VendorRefusedError),
        (404, "EntityNotExist.Role", VendorRefusedError),
        (400, "InvalidParameter.RoleArn", SettingError),
        (404, "NoSuchThing.NotFound", SettingError),
    ],
)
def test_a_role_that_cannot_be_had_is_a_matter_of_settings(
    role: AssumedRole, sts: Sts, status: int, code: str, kind: type[Exception]
) -> None:
    sts.refusal = RefusedError(status, code, "no")

    with pytest.raises(kind):
        role()


@pytest.mark.parametrize(
    "answer",
    [b"<html>", {"Credentials": {"AccessKeySecret": "canary"}}, {"Credentials": None}],
    ids=lambda answer: json.dumps(str(answer))[:20],
)
def test_an_answer_that_cannot_be_read_is_tried_again_later_and_not_shown(
    role: AssumedRole, sts: Sts, answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sts.answer = answer

    with pytest.raises(VendorUnavailableError, match="AssumeRole") as raised:
        role()

    assert "canary" not in f"{raised.value} {caplog.text}"
