"""Events that become asynchronous invocations."""

from __future__ import annotations

import pytest

from shared.adapters.async_tasks import PAYLOAD_LIMIT
from shared.adapters.local.inline_invoker import InlineInvoker
from shared.adapters.senders.functions import FunctionSender
from shared.delivery.targets import Dispatch, Target
from shared.errors import (
    OutcomeUnknownError,
    SettingError,
    TargetRefusedError,
    TargetUnavailableError,
)
from shared.ports import Invoker

DISPATCH = Dispatch(b"{}", "e" * 64, "0123456789abcdef" * 2, 1, "00.vod.media_audit.job-1", 1)
TARGET = Target("catalogue", "fc:catalogue-update", "function")


def send(invoker: Invoker, dispatch: Dispatch = DISPATCH) -> None:
    FunctionSender(invoker).send(TARGET, dispatch, deadline=0)


def changed(**changes: object) -> Dispatch:
    return Dispatch(**{**vars(DISPATCH), **changes})


def test_the_event_is_the_payload() -> None:
    taken: list[bytes] = []
    invoker = InlineInvoker({"catalogue-update": taken.append}.__getitem__)

    send(invoker)
    invoker.run_accepted()

    assert taken == [b"{}"]


def test_a_repeated_try_is_one_task_and_a_redelivery_is_another() -> None:
    taken: list[bytes] = []
    invoker = InlineInvoker({"catalogue-update": taken.append}.__getitem__)

    for dispatch in (DISPATCH, changed(attempt=2), changed(delivery_id="f" * 32)):
        send(invoker, dispatch)
    invoker.run_accepted()

    assert len(taken) == 2


def test_an_event_that_no_invocation_takes_is_refused() -> None:
    invoker = InlineInvoker({"catalogue-update": lambda _: None}.__getitem__)

    with pytest.raises(TargetRefusedError, match="too long"):
        send(invoker, changed(body=b"x" * (PAYLOAD_LIMIT + 1)))


def test_an_invocation_whose_outcome_is_unknown_is_tried_again() -> None:
    class Away:
        def invoke(self, function: str, payload: bytes, *, task_id: str) -> bool:
            raise OutcomeUnknownError("no answer", function=function)

    with pytest.raises(TargetUnavailableError, match=r"no answer \(function=catalogue-update\)"):
        send(Away())


def test_a_function_that_does_not_exist_is_our_fault() -> None:
    def unknown(function: str) -> None:
        raise SettingError("no such function", function=function)

    with pytest.raises(SettingError, match="no such function"):
        send(InlineInvoker(unknown))  # type: ignore[arg-type]  # it never gives a function
