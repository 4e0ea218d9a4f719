"""What the Tablestore ledger makes of a service that is busy, away or cut off."""

from __future__ import annotations

import socket
import threading
from contextlib import closing

import pytest

from localcloud.loopback import LoopbackServer
from localcloud.tablestore.refusals import RefusedError
from localcloud.tablestore.service import THROTTLED, Service, Trouble
from shared.adapters.aliyun.tablestore_instance import Patience
from shared.adapters.aliyun.tablestore_ledger import TablestoreLedger
from shared.adapters.clocks import ManualClock
from shared.errors import MisconfiguredError, OutcomeUnknownError, StoreUnavailableError
from shared.ports import Change, When
from shared.tables import INBOX, JOBS, Key, Row
from shared.toolkit.context import Credentials
from tests.localcloud.tablestore.worlds import connect, present
from tests.shared.adapters.rows import KEY

INTERNAL = RefusedError(500, "OTSInternalServerError", "Internal server error.")
ALWAYS = 1_000
SECRETS = ("own-secret", "temporary-secret", "token/+==")


# For a while.


def test_a_throttled_write_is_tried_again(service: Service, ledger: TablestoreLedger) -> None:
    service.plan(Trouble(refused=THROTTLED), times=3)

    assert ledger.insert(JOBS, KEY, {"token": 1})


def test_a_busy_row_is_an_answer_only_when_it_is_one(service: Service, ledger: TablestoreLedger) -> None:
    ledger.insert(JOBS, KEY, {"token": 1})
    service.plan(Trouble(refused=RefusedError(409, "OTSRowOperationConflict", "Data is being modified.")))

    assert not ledger.update(JOBS, KEY, {"token": 3}, [When("token", "==", 2)])


@pytest.mark.parametrize("left", [0, 400, 60_000])
def test_tries_end_with_the_time_of_the_invocation(
    service: Service, server: LoopbackServer, left: int
) -> None:
    clock = ManualClock(present())
    end = clock.now() + left
    instance = connect(server.endpoint, clock=clock, remaining_ms=lambda: end - clock.now())
    service.plan(Trouble(refused=THROTTLED), times=ALWAYS)

    with closing(TablestoreLedger(instance)) as ledger, pytest.raises(StoreUnavailableError) as raised:
        ledger.insert(JOBS, KEY, {"token": 1})

    assert clock.now() <= min(end, end - left + Patience().call_ms)
    assert not isinstance(raised.value, OutcomeUnknownError)


def test_an_answer_that_takes_longer_than_the_invocation_has_is_not_waited_for(
    service: Service, server: LoopbackServer
) -> None:
    released = threading.Event()
    service.plan(Trouble(hold=released), times=ALWAYS)
    instance = connect(server.endpoint, remaining_ms=lambda: 50)

    try:
        with closing(instance), pytest.raises(StoreUnavailableError, match="ReadTimeoutError"):
            TablestoreLedger(instance).get(JOBS, KEY)
    finally:
        released.set()


# In doubt.


@pytest.mark.parametrize(
    "trouble",
    [Trouble(answer="lost"), Trouble(answer="cut"), Trouble(refused=INTERNAL)],
    ids=["connection lost", "answer cut", "500"],
)
def test_a_read_without_an_answer_is_tried_again(
    service: Service, ledger: TablestoreLedger, trouble: Trouble
) -> None:
    ledger.insert(JOBS, KEY, {"token": 1})
    service.plan(trouble, operation="GetRow")

    assert ledger.get(JOBS, KEY) == {"token": 1}


@pytest.mark.parametrize("answer", ["lost", "cut"])
def test_a_write_that_happened_unseen_is_in_doubt(
    service: Service, ledger: TablestoreLedger, answer: str
) -> None:
    ledger.insert(JOBS, KEY, {"token": 1})
    trouble = Trouble(answer="lost") if answer == "lost" else Trouble(answer="cut")
    service.plan(trouble, operation="PutRow")
    service.plan(trouble, operation="UpdateRow")

    with pytest.raises(OutcomeUnknownError):
        ledger.insert(JOBS, ("another",), {"holder": "me"})
    with pytest.raises(OutcomeUnknownError):
        ledger.update(JOBS, KEY, {"token": 2, "holder": "me"}, [When("token", "==", 1)])

    assert ledger.get(JOBS, ("another",)) == {"holder": "me"}
    assert ledger.get(JOBS, KEY) == {"token": 2, "holder": "me"}


def test_a_write_that_failed_in_doubt_and_then_holds_is_done(
    service: Service, ledger: TablestoreLedger
) -> None:
    service.plan(Trouble(refused=INTERNAL), times=2)

    assert ledger.insert(JOBS, KEY, {"token": 1})


@pytest.mark.parametrize(
    "change",
    [{"token": 2}, {"holder": None}, {"token": 1, "lease_until": 8}],
    ids=["another value", "no value", "a value too large"],
)
def test_a_change_that_ends_its_own_condition_is_tried_again(
    service: Service, ledger: TablestoreLedger, change: Change
) -> None:
    ledger.insert(JOBS, KEY, {"token": 1, "holder": "me"})
    service.plan(Trouble(refused=INTERNAL), operation="UpdateRow")
    when = [When("token", "==", 1), When("holder", "==", "me"), When("lease_until", "<=", 7, True)]

    assert ledger.update(JOBS, KEY, change, when)


@pytest.mark.parametrize("when", [[], [When("token", "==", 1)]])
def test_a_change_that_could_happen_twice_is_left_in_doubt(
    service: Service, ledger: TablestoreLedger, when: list[When]
) -> None:
    """Somebody may have written the same columns since: another try would undo that."""
    ledger.insert(JOBS, KEY, {"token": 1})
    service.plan(Trouble(refused=INTERNAL), operation="UpdateRow")

    with pytest.raises(OutcomeUnknownError):
        ledger.update(JOBS, KEY, {"token": 1, "reason": "mine"}, when)

    assert ledger.get(JOBS, KEY) == {"token": 1}


def test_a_write_in_doubt_until_the_end_says_so(service: Service, ledger: TablestoreLedger) -> None:
    service.plan(Trouble(refused=INTERNAL), times=ALWAYS)

    with pytest.raises(OutcomeUnknownError, match="OTSInternalServerError"):
        ledger.insert(JOBS, KEY, {"token": 1})


def test_where_nobody_listens_nothing_is_in_doubt() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(StoreUnavailableError) as raised:
            TablestoreLedger(connect(endpoint)).insert(JOBS, KEY, {})

    assert not isinstance(raised.value, OutcomeUnknownError)


def test_a_connection_without_tls_where_it_should_be_is_none(server: LoopbackServer) -> None:
    ledger = TablestoreLedger(connect(server.endpoint.replace("http:", "https:")))

    with closing(ledger), pytest.raises(StoreUnavailableError, match="SSLError") as raised:
        ledger.insert(JOBS, KEY, {})

    assert not isinstance(raised.value, OutcomeUnknownError)


def test_an_answer_whose_checksum_is_wrong_is_no_answer(service: Service, ledger: TablestoreLedger) -> None:
    service.plan(Trouble(answer="garbled"), operation="PutRow")

    with pytest.raises(OutcomeUnknownError):
        ledger.insert(JOBS, KEY, {"token": 1})

    assert ledger.get(JOBS, KEY) == {"token": 1}


def test_a_mistake_of_ours_is_raised_as_it_is(server: LoopbackServer) -> None:
    def mistake() -> Credentials:
        raise KeyError("mistake")

    with closing(TablestoreLedger(connect(server.endpoint, credentials=mistake))) as ledger:
        with pytest.raises(KeyError, match="mistake"):
            ledger.get(JOBS, KEY)
        with pytest.raises(KeyError, match="mistake"):
            ledger.insert(JOBS, KEY, {})


# Batches.


def rows(count: int) -> list[tuple[Key, Row]]:
    return [((f"job-{n}",), {"token": n}) for n in range(count)]


def test_the_rows_of_a_batch_that_failed_are_sent_again_alone(
    service: Service, ledger: TablestoreLedger
) -> None:
    service.plan(Trouble(refused=THROTTLED, rows=frozenset({1, 3})), operation="BatchWriteRow")
    service.plan(Trouble(refused=THROTTLED, rows=frozenset({0})), operation="BatchWriteRow")

    outcomes = ledger.insert_many(JOBS, rows(5))

    assert [outcome.result() for outcome in outcomes] == [True] * 5
    assert [ledger.get(JOBS, key) for key, _ in rows(5)] == [row for _, row in rows(5)]


def test_each_row_of_a_batch_has_its_own_error(service: Service, ledger: TablestoreLedger) -> None:
    ledger.insert(JOBS, ("job-2",), {})
    wrong = RefusedError(400, "OTSParameterInvalid", "no such thing")
    service.plan(Trouble(refused=wrong, rows=frozenset({0})), operation="BatchWriteRow")

    outcomes = ledger.insert_many(JOBS, rows(3))

    assert [outcome.value for outcome in outcomes] == [None, True, False]
    assert [type(outcome.error) for outcome in outcomes] == [MisconfiguredError, type(None), type(None)]


def test_a_batch_whose_answer_is_lost_leaves_every_row_in_doubt(
    service: Service, ledger: TablestoreLedger
) -> None:
    service.plan(Trouble(answer="lost"), operation="BatchWriteRow")

    outcomes = ledger.insert_many(JOBS, rows(2))

    assert [type(outcome.error) for outcome in outcomes] == [OutcomeUnknownError] * 2
    assert [ledger.get(JOBS, key) for key, _ in rows(2)] == [{"token": 0}, {"token": 1}]


def test_a_batch_that_never_arrives_leaves_nothing(service: Service, ledger: TablestoreLedger) -> None:
    service.plan(Trouble(refused=THROTTLED), operation="BatchWriteRow", times=ALWAYS)

    outcomes = ledger.insert_many(JOBS, rows(2))

    assert [type(outcome.error) for outcome in outcomes] == [StoreUnavailableError] * 2
    assert ledger.get(JOBS, ("job-0",)) is None


def test_rows_that_are_too_large_for_one_request_go_in_several(ledger: TablestoreLedger) -> None:
    body = bytes(1_500_000)
    large: list[tuple[Key, Row]] = [((f"job-{n}", "1"), {"body": body}) for n in range(4)]

    assert [outcome.result() for outcome in ledger.insert_many(INBOX, large)] == [True] * 4


def test_a_row_that_no_request_can_carry_is_refused_before_any_write(ledger: TablestoreLedger) -> None:
    half = "x" * 2_000_000
    row: Row = {"claimed": half, "reason": half, "transport": "mns-topic"}

    with pytest.raises(ValueError, match="inbox"):
        ledger.insert(INBOX, (*KEY, "1"), row)
    with pytest.raises(ValueError, match="inbox"):
        ledger.insert_many(INBOX, [((*KEY, "1"), row)])[0].result()
