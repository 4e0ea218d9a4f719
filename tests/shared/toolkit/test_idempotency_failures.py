"""What an idempotent function does when its body fails, ends late, or returns what cannot be kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pytest

from shared.toolkit.call_records import (
    AlreadyRunningError,
    AttemptsExhaustedError,
    FailedBeforeError,
    LeaseLostError,
    ResultNotKeptError,
)
from shared.toolkit.errors import MisconfiguredError, PermanentError, TemporaryError
from shared.toolkit.lease_store import Change, Row, When
from shared.toolkit.leases import ContendedError
from shared.toolkit.memory_lease_store import MemoryLeaseStore
from tests.shared.toolkit.lease_actors import LEASE, Crash, crash
from tests.shared.toolkit.payments import Payments, raising


def test_a_failure_that_may_pass_is_tried_again_as_often_as_allowed() -> None:
    payments = Payments(max_attempts=3)
    payments.ends = [raising(error) for error in (TemporaryError("1"), KeyError("2"), TemporaryError("3"))]
    for number in "123":
        with pytest.raises((TemporaryError, KeyError), match=number):
            payments.pay("o-1", 5)

    with pytest.raises(AttemptsExhaustedError) as caught:
        payments.pay("o-1", 5)
    assert {**caught.value.details, "key": ""} == {
        "key": "",
        "attempts": 3,
        "type": "TemporaryError",
        "reason": "3",
    }
    assert len(payments.paid) == 3


def test_a_success_after_failures_is_kept() -> None:
    payments = Payments()
    payments.ends = [raising(TemporaryError("busy"))]
    with pytest.raises(TemporaryError):
        payments.pay("o-1", 5)

    assert payments.pay("o-1", 5) == payments.pay("o-1", 5) == {"receipt": 2, "amount": 5}


def test_a_permanent_failure_is_told_again_without_running() -> None:
    payments = Payments()
    payments.ends = [raising(PermanentError("no such account"))]
    with pytest.raises(PermanentError, match="no such account"):
        payments.pay("o-1", 5)

    with pytest.raises(FailedBeforeError, match="type=PermanentError, reason=no such account"):
        payments.pay("o-1", 5)
    assert len(payments.paid) == 1


def test_what_is_our_own_fault_is_no_attempt() -> None:
    payments = Payments(max_attempts=1)
    payments.ends = [raising(MisconfiguredError("wrong key"))] * 3
    for _ in range(3):
        with pytest.raises(MisconfiguredError):
            payments.pay("o-1", 5)

    assert payments.pay("o-1", 5) == {"receipt": 4, "amount": 5}


def test_a_body_that_ends_the_process_counts_as_an_attempt_after_its_lease() -> None:
    payments = Payments(max_attempts=2)
    payments.ends = [crash, crash]
    for _ in range(2):
        with pytest.raises(Crash):
            payments.pay("o-1", 5)
        with pytest.raises(AlreadyRunningError):
            payments.pay("o-1", 5)
        payments.now += LEASE

    with pytest.raises(AttemptsExhaustedError):
        payments.pay("o-1", 5)
    assert len(payments.paid) == 2


def test_a_kept_reason_is_masked_and_bounded() -> None:
    payments = Payments(max_attempts=1)
    payments.ends = [raising(ValueError("https://b.example/x?Signature=abc token=s3cr3t " + "long" * 999))]
    with pytest.raises(ValueError):
        payments.pay("o-1", 5)

    with pytest.raises(AttemptsExhaustedError) as caught:
        payments.pay("o-1", 5)
    kept = str(caught.value)
    assert "https://b.example/x?***" in kept
    assert "abc" not in kept
    assert "s3cr3t" not in kept
    assert len(kept) < 1_500


def test_a_reason_that_utf8_cannot_hold_is_kept_as_well_as_it_can_be() -> None:
    payments = Payments()
    payments.ends = [raising(PermanentError("half \ud800 a character"))]
    with pytest.raises(PermanentError):
        payments.pay("o-1", 5)

    with pytest.raises(FailedBeforeError, match=r"reason=half \? a character"):
        payments.pay("o-1", 5)


# Late ends. The model records both.


@pytest.mark.parametrize(
    "late_end",
    [lambda: {"by": "A"}, raising(TemporaryError("A failed")), raising(PermanentError("A failed"))],
)
def test_a_late_end_of_a_lost_holder_changes_nothing_and_is_told(late_end: Callable[[], object]) -> None:
    store = MemoryLeaseStore()
    a, b, c = Payments(store), Payments(store), Payments(store)
    b.ends = [lambda: {"by": "B"}]

    def lose_the_lease() -> object:
        b.now += LEASE
        assert b.pay("o-1", 5) == {"by": "B"}
        return late_end()

    a.ends = [lose_the_lease]
    with pytest.raises(LeaseLostError) as caught:
        a.pay("o-1", 5)

    assert (caught.value.value is None) != (caught.value.__cause__ is None)
    assert c.pay("o-1", 5) == {"by": "B"}
    assert c.paid == []


# Results that cannot be kept.


@pytest.mark.parametrize(
    ("value", "reason"),
    [("x" * 99, "101 bytes; 100 are allowed"), ({1, 2}, "not JSON"), (math.inf, "not JSON")],
)
def test_a_result_that_cannot_be_kept_is_handed_over_and_never_made_again(value: object, reason: str) -> None:
    payments = Payments(max_bytes=100)
    payments.ends = [lambda: value]

    with pytest.raises(ResultNotKeptError, match=reason) as first:
        payments.pay("o-1", 5)
    with pytest.raises(ResultNotKeptError, match=reason) as second:
        payments.pay("o-1", 5)
    assert (first.value.value, second.value.value) == (value, None)
    assert len(payments.paid) == 1


@pytest.mark.parametrize("change", [{"outcome": "strange"}, {"result": "{broken"}, {"result": "[" * 200_000}])
def test_a_row_that_is_no_record_is_told_by_its_key(change: dict[str, str]) -> None:
    payments = Payments()
    payments.pay("o-1", 5)
    (key,) = payments.store._rows  # type: ignore[attr-defined]  # the key is made within
    payments.store.update(key, change, [])

    with pytest.raises(PermanentError, match=key):
        payments.pay("o-1", 5)


def test_a_store_that_is_away_lets_nothing_run() -> None:
    class Away(MemoryLeaseStore):
        def insert(self, key: str, row: Row) -> bool:
            raise TemporaryError("away")

    payments = Payments(Away())

    with pytest.raises(TemporaryError, match="away"):
        payments.pay("o-1", 5)
    assert payments.paid == []


def test_a_call_that_others_keep_winning_gives_up() -> None:
    class Contended(MemoryLeaseStore):
        def update(self, key: str, change: Change, when: Sequence[When]) -> bool:
            return False

    payments = Payments(Contended())
    payments.ends = [crash]
    with pytest.raises(Crash):
        payments.pay("o-1", 5)
    payments.now += LEASE

    with pytest.raises(ContendedError):
        payments.pay("o-1", 5)
    assert len(payments.paid) == 1
