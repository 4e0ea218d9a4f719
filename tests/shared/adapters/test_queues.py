"""The contract of `Queues`, held by our client over the wire, and by what stands in for it in tests."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import pytest

from localcloud.loopback import HttpReply, HttpRequest, LoopbackServer
from localcloud.mns.faults import BROKEN, DENIED, THROTTLED, Fault
from shared.adapters.clocks import ManualClock, SystemClock
from shared.errors import (
    FunctionError,
    MisconfiguredError,
    OutcomeUnknownError,
    PermanentError,
    SettingError,
    StoreUnavailableError,
    VendorRefusedError,
)
from shared.queues import NoQueues, Queues
from shared.toolkit.context import Credentials
from tests.localcloud.mns.worlds import OWN, START, TEMPORARY
from tests.memory_queues import MemoryQueues
from tests.shared.adapters.conftest import RACES, Meet
from tests.shared.adapters.mns_on_the_wire import (
    MINUTE,
    MnsOnTheWire,
    mns_on_the_wire,
    mns_queues,
    new_queues,
)

HOSTILE = "中文 & <tag> ]]> \"quoted\" '\U0001f39e'"


@dataclass(frozen=True)
class Kept:
    """Queues `work` and `dead`, and a deadline that is far away."""

    queues: Queues
    deadline: int


@pytest.fixture(params=["wire", "memory"])
def kept(request: pytest.FixtureRequest) -> Iterator[Kept]:
    if request.param == "memory":
        yield Kept(MemoryQueues(ManualClock(START), "work", "dead"), START)
        return
    with mns_on_the_wire("work", "dead") as running:
        yield Kept(running.queues, running.deadline)


@pytest.fixture
def mns() -> Iterator[MnsOnTheWire]:
    with mns_on_the_wire("work", "dead") as running:
        yield running


def test_what_is_sent_is_received_as_it_was_and_hidden_meanwhile(kept: Kept) -> None:
    kept.queues.send("work", HOSTILE, deadline=kept.deadline)

    (message,) = kept.queues.receive("work", limit=16, deadline=kept.deadline)
    assert (message.body, message.received, message.source) == (HOSTILE, 1, None)
    assert message.enqueued_at <= SystemClock().now()
    assert kept.queues.receive("work", limit=16, deadline=kept.deadline) == []


def test_several_are_received_at_once_and_no_more_than_asked_for(kept: Kept) -> None:
    for number in range(5):
        kept.queues.send("work", f"{number}", deadline=kept.deadline)

    first = kept.queues.receive("work", limit=3, deadline=kept.deadline, wait_seconds=1)
    rest = kept.queues.receive("work", limit=16, deadline=kept.deadline)
    assert [one.body for one in (*first, *rest)] == ["0", "1", "2", "3", "4"]


def test_a_deleted_message_is_gone_and_its_receipt_with_it(kept: Kept) -> None:
    kept.queues.send("work", "one", deadline=kept.deadline)
    (message,) = kept.queues.receive("work", limit=1, deadline=kept.deadline)

    assert kept.queues.delete("work", message.receipt, deadline=kept.deadline)
    assert not kept.queues.delete("work", message.receipt, deadline=kept.deadline)
    assert not kept.queues.delete("work", "nonsense", deadline=kept.deadline)
    assert not kept.queues.hide("work", message.receipt, seconds=1, deadline=kept.deadline)


def test_a_hidden_message_comes_again_when_its_time_is_over_and_a_receive_waits_for_it(
    kept: Kept,
) -> None:
    kept.queues.send("work", "one", deadline=kept.deadline)
    (first,) = kept.queues.receive("work", limit=1, deadline=kept.deadline)

    assert kept.queues.hide("work", first.receipt, seconds=1, deadline=kept.deadline)
    assert not kept.queues.delete("work", first.receipt, deadline=kept.deadline)  # it has another receipt now
    (again,) = kept.queues.receive("work", limit=1, deadline=kept.deadline, wait_seconds=5)
    assert (again.message_id, again.received) == (first.message_id, 2)


def test_a_dead_letter_says_where_it_died(mns: MnsOnTheWire) -> None:
    policy = (
        "<Queue><DlqPolicy><Enabled>true</Enabled><DeadLetterTargetQueue>dead</DeadLetterTargetQueue>"
        "<MaxReceiveCount>1</MaxReceiveCount></DlqPolicy></Queue>"
    )
    assert mns.caller.send("PUT", "/queues/work?metaoverride=true", policy).status == 204
    mns.queues.send("work", "one", deadline=mns.deadline)
    (message,) = mns.queues.receive("work", limit=1, deadline=mns.deadline)
    mns.queues.hide("work", message.receipt, seconds=1, deadline=mns.deadline)
    mns.queues.receive("work", limit=1, deadline=mns.deadline, wait_seconds=2)

    (dead,) = mns.queues.receive("dead", limit=1, deadline=mns.deadline)
    assert (dead.body, dead.source) == ("one", mns.service.account.arn("work"))


def test_what_is_published_reaches_the_queues_that_subscribe(mns: MnsOnTheWire) -> None:
    endpoint = "<Endpoint>acs:mns:cn-shanghai:1:queues/work</Endpoint>"
    form = "<NotifyContentFormat>SIMPLIFIED</NotifyContentFormat>"
    mns.caller.send("PUT", "/topics/told")
    mns.caller.send("PUT", "/topics/told/subscriptions/one", f"<Subscription>{endpoint}{form}</Subscription>")

    mns.queues.publish("told", HOSTILE, deadline=mns.deadline)
    assert [one.body for one in mns.queues.receive("work", limit=2, deadline=mns.deadline)] == [HOSTILE]


CALLS: dict[str, Callable[[Queues, int], object]] = {
    "send": lambda queues, deadline: queues.send("work", "one", deadline=deadline),
    "publish": lambda queues, deadline: queues.publish("told", "one", deadline=deadline),
    "receive": lambda queues, deadline: queues.receive("work", limit=1, deadline=deadline),
    "hide": lambda queues, deadline: queues.hide("work", "a-b", seconds=1, deadline=deadline),
    "delete": lambda queues, deadline: queues.delete("work", "a-b", deadline=deadline),
}
each_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


@each_call
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(BROKEN), OutcomeUnknownError),
        (Fault(THROTTLED), StoreUnavailableError),
        (Fault(DENIED), VendorRefusedError),
        (Fault(hangs_up=True), OutcomeUnknownError),
        (Fault(garbles=True), OutcomeUnknownError),
    ],
)
def test_a_failed_call_says_what_may_have_happened(
    mns: MnsOnTheWire, call: Callable[[Queues, int], object], fault: Fault, error: type[FunctionError]
) -> None:
    mns.service.faults.plan(fault)

    with pytest.raises(error) as caught:
        call(mns.queues, mns.deadline)
    assert caught.type is error
    # The SDK's own errors hold whole answers.
    assert (caught.value.__context__, caught.value.__cause__) == (None, None)


@each_call
def test_without_time_nothing_is_asked(mns: MnsOnTheWire, call: Callable[[Queues, int], object]) -> None:
    mns.service.faults.plan(Fault(BROKEN))

    with pytest.raises(StoreUnavailableError, match="no time left") as caught:
        call(mns.queues, SystemClock().now())
    assert caught.type is StoreUnavailableError


@each_call
def test_a_server_that_is_away_is_told_from_one_that_does_not_answer(
    call: Callable[[Queues, int], object],
) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        nobody = new_queues(f"http://127.0.0.1:{listening.getsockname()[1]}")
        with pytest.raises(StoreUnavailableError, match="cannot be reached") as caught:
            call(nobody, SystemClock().now() + 10_000)
        assert caught.type is StoreUnavailableError
        listening.listen()
        with pytest.raises(OutcomeUnknownError, match="no answer"):
            call(nobody, SystemClock().now() + 200)
    nobody.close()


@each_call
@pytest.mark.parametrize("status", [200, 204, 302])
def test_what_does_not_come_from_mns_is_no_answer(call: Callable[[Queues, int], object], status: int) -> None:
    asked: list[HttpRequest] = []

    def answer(request: HttpRequest) -> HttpReply:
        asked.append(request)
        return HttpReply(status, headers={"location": "/elsewhere"})

    with LoopbackServer(answer, name="proxy", max_body_bytes=1 << 20) as proxy:
        queues = new_queues(proxy.endpoint)
        with pytest.raises(OutcomeUnknownError, match="no answer of MNS"):
            call(queues, SystemClock().now() + 10_000)
        queues.close()
    assert len(asked) == 1


@each_call
def test_without_a_setting_no_queue_is_reached(call: Callable[[Queues, int], object]) -> None:
    with pytest.raises(SettingError, match="LEDGER_MNS"):
        call(NoQueues(), START)


def test_a_queue_or_topic_that_does_not_exist_is_a_wrong_setting(mns: MnsOnTheWire) -> None:
    with pytest.raises(SettingError, match="check the name"):
        mns.queues.send("none", "one", deadline=mns.deadline)
    with pytest.raises(SettingError, match="check the name"):
        mns.queues.receive("none", limit=1, deadline=mns.deadline)
    with pytest.raises(SettingError, match="check the name"):
        mns.queues.publish("none", "one", deadline=mns.deadline)


@pytest.mark.parametrize("body", ["x" * 65_537, ""])
def test_a_message_that_can_never_be_taken_is_refused_for_good(mns: MnsOnTheWire, body: str) -> None:
    with pytest.raises(PermanentError, match="takes no such message"):
        mns.queues.send("work", body, deadline=mns.deadline)


@pytest.mark.parametrize(
    "credentials",
    [
        Credentials("own-key", "canary-secret"),
        Credentials("no-key", "canary-secret"),
        Credentials("temporary-key", "temporary-secret", "canary-token"),
    ],
)
def test_a_wrong_key_is_our_fault_and_stays_secret(mns: MnsOnTheWire, credentials: Credentials) -> None:
    queues = new_queues(mns.endpoint, credentials=lambda: credentials)
    with pytest.raises(MisconfiguredError, match="check the access key") as caught:
        queues.send("work", "one", deadline=mns.deadline)
    queues.close()
    assert "canary" not in str(caught.value)


def test_a_clock_that_is_wrong_is_our_fault() -> None:
    with (
        mns_on_the_wire("work", clock=ManualClock(START)) as mns,
        pytest.raises(VendorRefusedError, match="check the clock"),
    ):
        mns.queues.send("work", "one", deadline=mns.deadline)


def test_keys_are_asked_for_at_every_call(mns: MnsOnTheWire) -> None:
    keys = iter([OWN, TEMPORARY])
    queues = new_queues(mns.endpoint, credentials=lambda: next(keys))
    for _ in range(2):
        queues.send("work", "one", deadline=mns.deadline)
    queues.close()

    assert len(mns.queues.receive("work", limit=16, deadline=mns.deadline)) == 2


def test_threads_share_a_client(mns: MnsOnTheWire) -> None:
    threads = [
        threading.Thread(
            target=mns.queues.send, args=("work", f"{number}"), kwargs={"deadline": mns.deadline}
        )
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    received = mns.queues.receive("work", limit=16, deadline=mns.deadline)
    assert sorted(one.body for one in received) == [f"{number}" for number in range(8)]


def receive_until_there_is_none(queues: Queues, meet: Meet, number: int) -> list[str]:
    received: list[str] = []
    deadline = SystemClock().now() + MINUTE
    meet()
    while batch := queues.receive("work", limit=2, deadline=deadline):
        received += [one.body for one in batch]
    return received


@pytest.mark.parametrize("racers", RACES)
def test_of_racing_receivers_one_gets_a_message_while_it_is_hidden(mns: MnsOnTheWire, racers: str) -> None:
    sent = [f"{number:02}" for number in range(40)]
    for body in sent:
        mns.queues.send("work", body, deadline=mns.deadline)

    received = RACES[racers](partial(mns_queues, mns.endpoint))(receive_until_there_is_none)
    assert sorted(body for bodies in received for body in bodies) == sent
