"""Whose callbacks are taken in is said by variables, and nobody's are if none is set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from shared import bootstrap
from shared.adapters.clocks import ManualClock
from shared.adapters.local.folder_push_certificates import FolderPushCertificates
from shared.adapters.push_certificates import HttpsPushCertificates
from shared.bootstrap.basis import Basis
from shared.bootstrap.callers import build
from shared.errors import RefusedRequestError, SettingError
from shared.inbound.senders import Senders, Topic
from shared.inbound.signatures import KeyedSender
from shared.ports import NoPushCertificates
from shared.settings import Settings
from shared.webhook_settings import WebhookSettings
from shared.webhooks import Callers
from tests.world import START

NEEDED = {"LEDGER_OBJECTS": "file:///archive", "LEDGER_TABLES": "sqlite:///ledger.sqlite"}
ARN = "acs:mns:cn-shanghai:1000000000000001:/topics/media-callbacks"


def read(**variables: str) -> WebhookSettings:
    """Read settings with these variables, named without LEDGER_."""
    return WebhookSettings.read({f"LEDGER_{name}": value for name, value in variables.items()})


@pytest.fixture
def callers(tmp_path: Path) -> Callable[..., Callers]:
    """Build what callbacks are checked with, at a time that stands still."""
    (tmp_path / "clock").write_text(str(START))
    basis = Basis.of(Settings.read({**NEEDED, "LEDGER_CLOCK": str(tmp_path / "clock")}))
    return lambda **variables: build(read(**variables), basis)


def test_without_a_setting_nobody_is_taken_in() -> None:
    assert read().senders() == Senders({"vod": KeyedSender("vod"), "ice": KeyedSender("ice")})


def test_every_sender_has_what_is_set_for_it() -> None:
    settings = read(
        VOD_CALLBACK_KEY="new,old",
        CALLBACK_URLS="vod=http://callbacks.example/v?a=b",
        UNSIGNED_CALLBACKS="ice",
        PUSH_TOPICS=f"{ARN}, acs:mns:cn-beijing:2:topics/a",
        CALLBACK_WINDOW_SECONDS="60",
    )

    assert settings.senders() == Senders(
        {
            "vod": KeyedSender("vod", ("new", "old"), "http://callbacks.example/v?a=b"),
            "ice": KeyedSender("ice", may_be_unsigned=True),
        },
        (Topic("cn-shanghai", "1000000000000001", "media-callbacks"), Topic("cn-beijing", "2", "a")),
        60_000,
    )


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"VOD_CALLBACK_KEY": "a,b,c"}, "LEDGER_VOD_CALLBACK_KEY: must be a key, or a new and an old one"),
        ({"VOD_CALLBACK_KEY": "a,"}, "without blanks"),
        ({"ICE_CALLBACK_KEY": "a key"}, "LEDGER_ICE_CALLBACK_KEY"),
        ({"CALLBACK_URLS": "vod=callbacks.example"}, "must look like vod=https://callbacks.example/vod"),
        ({"CALLBACK_URLS": "mts=https://callbacks.example"}, "unknown name mts: known are ice, vod"),
        ({"UNSIGNED_CALLBACKS": "mns"}, "LEDGER_UNSIGNED_CALLBACKS: known are vod, ice"),
        ({"UNSIGNED_CALLBACKS": "vod", "VOD_CALLBACK_KEY": "k3y"}, "drop one of them"),
        ({"PUSH_TOPICS": "media-callbacks"}, "must look like acs:mns:cn-shanghai"),
        ({"PUSH_TOPICS": f"{ARN},*"}, "must look like acs:mns:cn-shanghai"),
        ({"PUSH_TOPICS": "acs:mns:cn-shanghai:*:/topics/a"}, "must look like acs:mns:cn-shanghai"),
        ({"PUSH_CERTIFICATES": "https://evil.example"}, "must look like file:///folder"),
        ({"CALLBACK_WINDOW_SECONDS": "0"}, "LEDGER_CALLBACK_WINDOW_SECONDS"),
        ({"SOURCE_RATE": "0"}, "LEDGER_SOURCE_RATE"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_allowed_and_without_a_key(
    variables: dict[str, str], says: str
) -> None:
    with pytest.raises(SettingError) as caught:
        read(**variables)

    assert says in str(caught.value)
    assert "k3y" not in str(caught.value)


def test_keys_are_not_shown() -> None:
    settings = read(VOD_CALLBACK_KEY="k3y")

    assert "k3y" not in f"{settings!r} {settings.senders()!r}"


@pytest.mark.parametrize(
    ("variables", "adapter"),
    [
        ({}, NoPushCertificates),
        ({"PUSH_TOPICS": ARN}, HttpsPushCertificates),
        ({"PUSH_TOPICS": ARN, "PUSH_CERTIFICATES": "file:///certificates"}, FolderPushCertificates),
    ],
    ids=["no topic", "the vendor's", "a folder"],
)
def test_certificates_are_where_the_settings_say(
    variables: dict[str, str], adapter: type[object], callers: Callable[..., Callers]
) -> None:
    assert isinstance(callers(**variables).push_certificates, adapter)


def test_every_address_has_a_budget_of_its_own(callers: Callable[..., Callers]) -> None:
    sources = callers(SOURCE_RATE="0.001").sources

    assert [sources.admits(address) for address in ("a", "a", "b")] == [True, False, True]


def test_an_instance_wakes_others_a_few_times_at_once(callers: Callable[..., Callers]) -> None:
    wake_ups = callers().wake_ups

    assert [wake_ups.admits("reconcile") for _ in range(6)] == [True] * 5 + [False]


def test_what_nobody_vouches_for_has_a_part_of_every_budget(tmp_path: Path) -> None:
    stores = {"LEDGER_OBJECTS": f"file://{tmp_path}/a", "LEDGER_TABLES": f"sqlite://{tmp_path}/l.sqlite"}
    built = replace(bootstrap.build(Settings.read(stores)), clock=ManualClock(START))
    services = bootstrap.within_run_budget(built)
    admitted = [services.hearsay.admits("vod") for _ in range(9)]
    others = [services.hearsay.admits(name) for name in ("ice", "nobody")]
    bootstrap.close(services)

    assert (admitted, others) == ([True] * 5 + [False] * 4, [True, True])


def test_who_takes_no_pushes_refuses_them() -> None:
    with pytest.raises(RefusedRequestError):
        NoPushCertificates().get("https://x/a.pem", source="192.0.2.1", deadline=0)
