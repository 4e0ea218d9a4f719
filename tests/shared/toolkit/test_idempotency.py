"""An idempotent function, called again in every way."""

from __future__ import annotations

import contextlib
import json
import math
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.toolkit.call_records import (
    AlreadyRunningError,
    MissingKeyError,
    PayloadMismatchError,
)
from shared.toolkit.guarded_calls import DeadlinePassedError, Skip, Wait
from shared.toolkit.idempotency import idempotent
from shared.toolkit.json_text import encoder
from shared.toolkit.memory_lease_store import MemoryLeaseStore
from tests.shared.toolkit.lease_actors import LEASE, START, Crash, crash
from tests.shared.toolkit.payments import Payments

PATIENCE_S = 30
DAY = 86_400_000


def test_a_second_call_gets_the_first_ones_result_without_running() -> None:
    payments = Payments()

    assert payments.pay("o-1", 5) == payments.pay("o-1", 5) == {"receipt": 1, "amount": 5}
    assert payments.pay("o-2", 5) == {"receipt": 2, "amount": 5}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_the_prebuilt_encoders_write_what_json_writes(value: object) -> None:
    compact = (",", ":")

    assert encoder()(value) == json.dumps(value)
    assert encoder(sort_keys=True, compact=True)(value) == json.dumps(
        value, sort_keys=True, separators=compact
    )


def test_without_the_accelerator_the_encoder_is_the_standard_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("json.encoder.c_make_encoder", None)

    assert encoder(sort_keys=True, compact=True)({"b": 1, "a": []}) == '{"a":[],"b":1}'


@given(JSON)
def test_a_replayed_result_is_the_result(result: object) -> None:
    payments = Payments()
    payments.ends = [lambda: result]
    first, second = payments.pay("o-1", 5), payments.pay("o-1", 5)

    assert first is result
    assert second == result
    assert repr(second) == repr(result)  # 1 and 1.0 and True, and the order of keys


@pytest.mark.parametrize("order", ["o-1", 0, False, {"b": 1, "a": [None, "x"]}, ["é"], ("a", None)])
def test_anything_that_json_holds_is_a_key(order: object) -> None:
    payments = Payments()
    payments.pay(order, 5)
    payments.pay(order, 5)

    assert payments.paid == [order]


def test_keys_are_the_same_whatever_the_order_of_their_members() -> None:
    payments = Payments()
    payments.pay({"a": 1, "b": 2}, 5)
    payments.pay({"b": 2, "a": 1}, 5)

    assert len(payments.paid) == 1


@pytest.mark.parametrize("order", [None, "", [], {}, (None, ""), {"id": None}, [[], {"a": {"b": ""}}]])
def test_a_call_without_a_key_is_refused_unless_it_is_allowed(order: object) -> None:
    payments, lenient = Payments(), Payments(missing_key="run")

    with pytest.raises(MissingKeyError, match="pay"):
        payments.pay(order, 5)
    lenient.pay(order, 5)
    lenient.pay(order, 5)

    assert (payments.paid, lenient.paid) == ([], [order, order])


@pytest.mark.parametrize(
    "order", [object(), math.nan, {1: 1, "a": 1}, {1: 1}, [({None: 1},)], {"a": {True: 1}}]
)
def test_a_key_that_is_not_json_is_an_error_before_anything_runs(order: object) -> None:
    payments = Payments()

    with pytest.raises((TypeError, ValueError)):
        payments.pay(order, 5)
    assert payments.paid == []


def test_functions_on_one_store_share_nothing() -> None:
    """The model's second function silently used the first one's configuration."""
    store = MemoryLeaseStore()
    by_order = Payments(store)
    by_amount = Payments(store, name="refund", key=lambda order, amount: amount)
    by_order.pay("o-1", 1)
    by_amount.pay("o-1", 2)
    by_amount.pay("o-1", 3)
    by_amount.pay("o-2", 3)

    assert (by_order.paid, by_amount.paid) == (["o-1"], ["o-1", "o-1"])


def test_a_key_with_another_payload_is_refused_and_neither_is_shown() -> None:
    payments = Payments(payload=lambda order, amount: {"card": "4111-secret", "amount": amount})
    payments.pay("o-1", 5)

    with pytest.raises(PayloadMismatchError) as caught:
        payments.pay("o-1", 6)
    assert len(str(caught.value.details["key"])) == 64
    assert not [shown for shown in ("4111", "o-1") if shown in str(caught.value)]
    assert payments.pay("o-1", 5) == {"receipt": 1, "amount": 5}
    assert len(payments.paid) == 1


def test_a_result_counts_until_it_expires() -> None:
    payments = Payments(keep_ms=DAY)
    payments.pay("o-1", 5)
    payments.now += DAY - 1
    payments.pay("o-1", 5)
    assert len(payments.paid) == 1

    payments.now += 1
    assert payments.pay("o-1", 5) == {"receipt": 2, "amount": 5}


# While the same call runs.


def suspended(payments: Payments) -> Callable[[], None]:
    """Stop a call inside its body; give what lets it end."""
    begun, go_on = threading.Event(), threading.Event()

    def wait() -> object:
        begun.set()
        assert go_on.wait(PATIENCE_S)
        return {"receipt": "first"}

    payments.ends = [wait]
    caller = threading.Thread(target=payments.pay, args=("o-1", 5), daemon=True)
    caller.start()
    assert begun.wait(PATIENCE_S)

    def end() -> None:
        go_on.set()
        caller.join(PATIENCE_S)

    return end


def test_a_call_that_runs_elsewhere_is_an_error_that_tells_when_to_come_back() -> None:
    payments = Payments()
    payments.ends = [lambda: payments.pay("o-1", 5)]

    with pytest.raises(AlreadyRunningError) as caught:
        payments.pay("o-1", 5)
    assert caught.value.retry_after_ms == LEASE


def test_a_call_that_runs_elsewhere_may_be_skipped() -> None:
    payments = Payments(running=Skip("busy"))
    payments.ends = [lambda: [payments.pay("o-1", 5)]]

    assert payments.pay("o-1", 5) == ["busy"]
    assert payments.paid == ["o-1"]


def test_a_call_that_runs_longer_than_its_record_counts_is_not_run_beside_it() -> None:
    payments = Payments(keep_ms=1)
    end = suspended(payments)
    payments.now += 1
    with pytest.raises(AlreadyRunningError):
        payments.pay("o-1", 5)
    end()

    assert payments.paid == ["o-1"]


@pytest.mark.parametrize("every_ms", [0, -5])
def test_who_waits_lets_time_pass_between_looks(every_ms: int) -> None:
    with pytest.raises(ValueError, match="every_ms"):
        Wait(lambda ms: None, every_ms=every_ms)


def test_who_waits_gets_the_result_of_the_one_that_ran() -> None:
    store, waited = MemoryLeaseStore(), list[int]()
    end_first = suspended(Payments(store))

    def sleep(ms: int) -> None:
        waited.append(ms)
        if len(waited) == 3:
            end_first()

    second = Payments(store, running=Wait(sleep, every_ms=10))

    assert second.pay("o-1", 5) == {"receipt": "first"}
    assert (waited, second.paid) == ([10, 10, 10], [])


@pytest.mark.parametrize(("lease", "waits"), [(LEASE, [10, 10, 5]), (12, [10, 2])])
def test_who_waits_sleeps_no_longer_than_the_deadline_and_the_lease(lease: int, waits: list[int]) -> None:
    store, waited = MemoryLeaseStore(), list[int]()
    gone = Payments(store, lease_ms=lease)
    gone.ends = [crash]
    with pytest.raises(Crash):
        gone.pay("o-1", 5)

    def sleep(ms: int) -> None:
        waited.append(ms)
        second.now += ms

    second = Payments(store, running=Wait(sleep, every_ms=10), deadline=lambda order, amount: START + 25)
    with pytest.raises(AlreadyRunningError) if lease == LEASE else contextlib.nullcontext():
        second.pay("o-1", 5)

    assert waited == waits


def test_without_time_left_nothing_is_begun() -> None:
    payments = Payments(deadline=lambda order, amount: START)

    with pytest.raises(DeadlinePassedError):
        payments.pay("o-1", 5)
    assert payments.paid == []


# The decorator.


async def _coroutine() -> None: ...


def _generator() -> Iterator[int]:
    yield 1


@pytest.mark.parametrize("function", [_coroutine, _generator])
def test_a_function_that_is_not_done_when_it_returns_is_refused(function: Callable[[], object]) -> None:
    with pytest.raises(TypeError, match="pay"):
        idempotent(MemoryLeaseStore(), name="pay", key=lambda: 1, deadline=lambda: START)(function)


@pytest.mark.parametrize("option", ["lease_ms", "keep_ms", "max_attempts", "max_bytes"])
def test_a_number_below_one_is_refused_by_name(option: str) -> None:
    options: dict[str, Any] = {option: 0}
    with pytest.raises(ValueError, match=option):
        Payments(**options)


def test_a_decorated_function_keeps_its_name_and_takes_keywords() -> None:
    @idempotent(MemoryLeaseStore(), name="pay", key=lambda order: order, deadline=lambda order: 2**62)
    def pay(order: str) -> str:
        """Pay."""
        return order.upper()

    assert (pay.__name__, pay.__doc__) == ("pay", "Pay.")
    assert pay(order="a") == pay("a") == "A"
