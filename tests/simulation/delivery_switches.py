"""What happens without the mechanisms that deliveries rest on: switches like those of `switches.py`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from functions.callback import handler as callback
from localcloud.consumer import Consumer
from shared import answers, attempts, reconciliation, sending
from shared.adapters.parallel import SequentialParallel
from shared.adapters.senders import https
from shared.delivery import outbox, signature
from shared.delivery.outbox import Delivery
from shared.delivery.rules import DeliveryPlan
from shared.delivery.targets import Target
from shared.handing_over import FUNCTION, hand_over
from shared.job_row import DUE_INPUTS, JobRow
from shared.ports import Change, Services
from shared.record import JobRecord
from tests.simulation.switches import Switch, caught, ends_a_lease, unasked
from tests.simulation.weather import but_for_one, calm

_RESTS_ON = ("token", "outbox", "undelivered", *DUE_INPUTS)


def _is_of_deliveries(change: Change) -> bool:
    return "outbox" in change and "holder" not in change and "wanted" not in change


def _claim_anyway(monkeypatch: pytest.MonkeyPatch) -> None:
    claim = attempts.claim

    def claim_unasked(
        services: Services, row: JobRow, entry: Delivery, limit: int
    ) -> tuple[JobRow, Delivery] | None:
        ledger = unasked(_is_of_deliveries, *_RESTS_ON)(services.ledger)
        return claim(replace(services, ledger=ledger), row, entry, limit)

    monkeypatch.setattr(attempts, "claim", claim_unasked)


def _remove_before_sending(monkeypatch: pytest.MonkeyPatch) -> None:
    make = attempts.make

    def remove_and_make(
        services: Services, row: JobRow, entry: Delivery, target: Target | None
    ) -> Exception | None:
        attempts._exchange(services, row, entry, None)
        return make(services, row, entry, target)

    monkeypatch.setattr(attempts, "make", remove_and_make)


def _send_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "heads", lambda entries: tuple(sorted(entries, key=outbox._place)))


def _drop_older_deliveries(monkeypatch: pytest.MonkeyPatch) -> None:
    def only_new(entries: Iterable[Delivery], new: Iterable[Delivery]) -> tuple[Delivery, ...]:
        return tuple(new)

    monkeypatch.setattr(answers, "with_entries", only_new)


def _give_up_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Delivery, "given_up", lambda self, reason: None)


def _ask_again_as_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(https, "retry_after_ms", lambda text, *, now: None)


def _sign_with_one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    sign = signature.sign

    def sign_with_the_first(body: bytes, *, keys: Sequence[str], now: int) -> Mapping[str, str]:
        return sign(body, keys=keys[:1], now=now)

    monkeypatch.setattr(signature, "sign", sign_with_the_first)


def _leave_it_to_the_callback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciliation, "hand_over", lambda services, keys, **named: None)


def _one_target_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    deliver = sending.deliver

    def one_by_one(services: Services, keys: Sequence[str]) -> object:
        return deliver(replace(services, parallel=SequentialParallel()), keys)

    monkeypatch.setattr(sending, "deliver", one_by_one)


def _send_where_it_is_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    def send(services: Services, keys: Sequence[str], *, function: str) -> object:
        is_meant = function == FUNCTION
        return sending.deliver(services, keys) if is_meant else hand_over(services, keys, function=function)

    monkeypatch.setattr(callback, "hand_over", send)


def _tell_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    def all_targets(self: DeliveryPlan, record: JobRecord) -> tuple[str, ...]:
        return tuple(target.name for target in self.targets)

    monkeypatch.setattr(DeliveryPlan, "targets_for", all_targets)


def _take_each_event_once(monkeypatch: pytest.MonkeyPatch) -> None:
    is_newest = Consumer._is_newest
    seen: set[tuple[int, str]] = set()

    def is_first_and_newest(self: Consumer, event: Mapping[str, Any]) -> bool:
        one = (id(self), event["id"])
        is_first = one not in seen
        seen.add(one)
        return is_first and is_newest(self, event)

    monkeypatch.setattr(Consumer, "_is_newest", is_first_and_newest)


DELIVERY_SWITCHES: Mapping[str, Switch] = {
    "the claim of a delivery": Switch(caught("attempts"), patch=_claim_anyway),
    "a delivery is written on condition": Switch(
        caught("row rules"), ledger=unasked(_is_of_deliveries, *_RESTS_ON)
    ),
    "the send before the removal": Switch(caught("told", "consumers"), patch=_remove_before_sending),
    "the order of versions": Switch(caught("order"), seed=1, patch=_send_in_any_order),
    "a commit keeps deliveries": Switch(caught("row rules", "told"), seed=1, patch=_drop_older_deliveries),
    "a commit sees deliveries": Switch(
        caught("row rules"), jobs=16, seed=4, ledger=unasked(ends_a_lease, "outbox")
    ),
    "what is given up is said": Switch(caught("told"), patch=_give_up_in_silence),
    "the wish of a target": Switch(caught("wishes"), seed=2, patch=_ask_again_as_planned),
    "the signature with the old key": Switch(caught("signatures"), seed=1, patch=_sign_with_one_key),
    "the timer hands over": Switch(caught("quiet"), patch=_leave_it_to_the_callback),
    "targets beside each other": Switch(caught("delays"), sky=but_for_one, patch=_one_target_after_the_other),
    "sending elsewhere": Switch(caught("delays"), sky=but_for_one, patch=_send_where_it_is_settled),
    "a consumer decides by version": Switch(
        caught("consumers"), sky=calm, jobs=16, seed=10, patch=_take_each_event_once
    ),
    "the rules": Switch(caught("audience"), patch=_tell_everybody),
}
"""By the mechanism's name; docs/reliability.md has the same table."""
