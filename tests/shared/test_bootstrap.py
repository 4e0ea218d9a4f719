"""The composition root: what it builds, and what it refuses to build."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared import bootstrap
from shared.delivery.rules import DeliveryPlan
from shared.delivery.signature import verify
from shared.delivery.targets import Dispatch
from shared.errors import SettingError
from shared.ports import NoSender
from shared.settings import Settings
from shared.toolkit import InvocationContext, fake_context
from tests.shared.adapters.senders.target_servers import answer, answering, serving


def settings(folder: Path, **more: str) -> Settings:
    stores = {"LEDGER_OBJECTS": f"file://{folder}/archive", "LEDGER_TABLES": f"sqlite://{folder}/ledger.db"}
    return Settings.read({**stores, **more})


@pytest.mark.parametrize("more", [{}, {"LEDGER_CALL_RATES": "vod=1"}, {"LEDGER_CALLBACK_INSTANCES": "200"}])
def test_rates_that_leave_everyone_two_calls_in_a_lease_are_taken(
    tmp_path: Path, more: dict[str, str]
) -> None:
    services = bootstrap.build(settings(tmp_path, **more))

    assert services.policy.smallest_share("vod") * services.policy.lease >= 2_000
    bootstrap.close(services)


@pytest.mark.parametrize("more", [{"LEDGER_CALL_RATES": "mts=0.5"}, {"LEDGER_CALLBACK_INSTANCES": "1000"}])
def test_rates_at_which_nobody_would_ever_ask_are_refused(tmp_path: Path, more: dict[str, str]) -> None:
    with pytest.raises(SettingError, match=r"LEDGER_CALL_RATES: .+ too low .+ LEDGER_CALLBACK_INSTANCES"):
        bootstrap.build(settings(tmp_path, **more))


def test_what_is_left_of_an_invocation_for_its_answer_is_used_for_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "clock").write_text("5000\n")
    monkeypatch.setenv("LEDGER_OBJECTS", f"file://{tmp_path}/archive")
    monkeypatch.setenv("LEDGER_TABLES", f"sqlite://{tmp_path}/ledger.db")
    monkeypatch.setenv("LEDGER_CLOCK", f"{tmp_path}/clock")
    ended_long_ago = InvocationContext.of(fake_context(), started_ms=0, environ={})

    services = bootstrap.for_invocation(ended_long_ago)
    bootstrap.end_instance()

    assert services.deadline == 5_000 - 1_000


def plan(*urls: str) -> str:
    return json.dumps({"targets": {f"target-{number}": {"url": url} for number, url in enumerate(urls)}})


def test_without_targets_nothing_can_be_delivered(tmp_path: Path) -> None:
    services = bootstrap.build(settings(tmp_path))

    assert isinstance(services.sender, NoSender)
    assert services.policy.delivery == DeliveryPlan()
    bootstrap.close(services)


def test_each_kind_of_target_has_its_sender(tmp_path: Path) -> None:
    targets = plan("https://target.example/", "fc:catalogue", "python:no_such_module:hook")
    services = bootstrap.build(settings(tmp_path, LEDGER_DELIVERY=targets))
    dispatch = Dispatch(b"{}", "event", "delivery", 1, "job", 1)

    refused = {}
    for target in services.policy.delivery.targets:
        with pytest.raises(SettingError) as raised:
            services.sender.send(target, dispatch, deadline=services.deadline)
        refused[target.kind] = str(raised.value)

    assert "has no key to sign with" in refused["https"]
    assert "no function can be invoked from here" in refused["function"]
    assert "no_such_module cannot be imported" in refused["hook"]
    bootstrap.close(services)


def test_where_the_queues_are_is_asked_for_only_when_something_is_sent_there(tmp_path: Path) -> None:
    targets = plan("mns://queue/results", "mns://topic/results")
    services = bootstrap.build(settings(tmp_path, LEDGER_DELIVERY=targets))
    dispatch = Dispatch(b"{}", "event", "delivery", 1, "job", 1)

    for target in services.policy.delivery.targets:
        with pytest.raises(SettingError, match="LEDGER_MNS"):
            services.sender.send(target, dispatch, deadline=services.deadline)
    bootstrap.close(services)


def test_an_event_is_signed_with_the_keys_of_its_target(tmp_path: Path) -> None:
    keys = ["the-new-key-of-a-target", "the-old-key-of-a-target"]
    with serving(answering(answer("204 No Content"))) as (port, received):
        url = {"url": f"http://127.0.0.1:{port}/", "private_addresses": True}
        services = bootstrap.build(
            settings(
                tmp_path,
                LEDGER_DELIVERY=json.dumps({"targets": {"here": url}}),
                LEDGER_DELIVERY_KEYS=json.dumps({"here": keys}),
            )
        )
        (target,) = services.policy.delivery.targets
        services.sender.send(target, Dispatch(b"{}", "e", "d", 1, "job", 1), deadline=services.deadline)
        bootstrap.close(services)

    for key in keys:
        verify(received.bodies[0], received.headers(), keys=[key], now=services.clock.now())
