"""Seven failures that aws-lambda-powertools 3.37 was seen to have, and that are none of ours.

Each docstring says what happened there. Calls overlap as they do in an instance that serves several
at once, in a pool of threads, and when a worker outlives its lease: all of it ordinary here.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from shared.toolkit.batch import BatchFailedError, process
from shared.toolkit.bound_keys import bind
from shared.toolkit.call_records import LeaseLostError
from shared.toolkit.context import InvocationContext, fake_context
from shared.toolkit.errors import TemporaryError
from shared.toolkit.events import mns_queue
from shared.toolkit.handler import function_handler
from shared.toolkit.idempotency import idempotent
from shared.toolkit.lease_store import LeaseStore
from shared.toolkit.memory_lease_store import MemoryLeaseStore
from shared.toolkit.message import Message
from shared.toolkit.parser import json_value
from shared.toolkit.sqlite_lease_store import SqliteLeaseStore
from tests.shared.toolkit.conftest import LogLines

START, LEASE = 1_763_640_000_000, 60_000
PATIENCE_S = 30


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LeaseStore]:
    if request.param == "memory":
        yield MemoryLeaseStore()
        return
    with closing(SqliteLeaseStore(tmp_path / "leases.db")) as on_disk:
        yield on_disk


class Payments:
    """A payment that several workers are told to make, and who of them made it."""

    def __init__(self, store: LeaseStore) -> None:
        self.now = START
        self.made_by: list[str] = []
        self.pay = idempotent(
            store,
            name="pay",
            key=lambda worker, end: "order 1",
            deadline=lambda worker, end: self.now + LEASE,
            clock=lambda: self.now,
        )(self._pay)

    def _pay(self, worker: str, end: Callable[[], object]) -> dict[str, str]:
        self.made_by.append(worker)
        end()
        return {"by": worker}

    def overtake_a(self, end: Callable[[], object]) -> BaseException | None:
        """Let A end after its lease lapsed and B did all of the same; give A's error."""
        begun, go_on = threading.Event(), threading.Event()

        def be_slow() -> None:
            begun.set()
            assert go_on.wait(PATIENCE_S)
            end()

        with ThreadPoolExecutor(1) as pool:
            late = pool.submit(self.pay, "A", be_slow)
            try:
                assert begun.wait(PATIENCE_S)
                self.now += LEASE
                assert self.pay("B", in_time) == {"by": "B"}
            finally:
                go_on.set()
            return late.exception(PATIENCE_S)


def in_time() -> None:
    """End at once."""


def fail() -> None:
    raise TemporaryError("the bank hung up")


def test_a_late_success_changes_nothing(store: LeaseStore) -> None:
    """There, A's late success replaced B's result, and C was given A's."""
    payments = Payments(store)
    told_to_a = payments.overtake_a(in_time)

    assert payments.pay("C", in_time) == {"by": "B"}
    assert payments.made_by == ["A", "B"]
    assert isinstance(told_to_a, LeaseLostError)
    assert told_to_a.value == {"by": "A"}


def test_a_late_failure_changes_nothing(store: LeaseStore) -> None:
    """There, A's late failure deleted B's result, and C made the payment once more."""
    payments = Payments(store)
    told_to_a = payments.overtake_a(fail)

    assert payments.pay("C", in_time) == {"by": "B"}
    assert payments.made_by == ["A", "B"]
    assert isinstance(told_to_a, LeaseLostError)
    assert isinstance(told_to_a.__cause__, TemporaryError)


Event = dict[str, Any]


def in_2100(event: Event) -> int:
    return 4_102_444_800_000


def test_two_functions_on_one_store_have_each_its_own_key(store: LeaseStore) -> None:
    """There, the second function took over the key of the first one, and skipped an event of its own."""
    paid, mailed = list[Event](), list[Event]()

    @idempotent(store, name="pay", key=lambda event: event["order"], deadline=in_2100)
    def pay(event: Event) -> None:
        paid.append(event)

    @idempotent(store, name="mail", key=lambda event: event["address"], deadline=in_2100)
    def mail(event: Event) -> None:
        mailed.append(event)

    events = [{"order": 1, "address": "a"}, {"order": 1, "address": "b"}]
    for event in events:
        pay(event)
        mail(event)

    assert (paid, mailed) == (events[:1], events)


def test_a_call_without_a_key_is_refused(log: LogLines, store: LeaseStore) -> None:
    """There, it warned and ran: two calls made two payments."""
    paid: list[Event] = []

    @idempotent(store, name="pay", key=lambda event: event.get("order"), deadline=in_2100)
    def pay(event: Event) -> None:
        paid.append(event)

    @function_handler(parse=json_value, environ={})
    def handler(event: Event, context: InvocationContext) -> object:
        pay(event)
        return "paid"

    answers: list[Any] = [handler(b'{"amount": 5}', fake_context()) for _ in range(2)]

    assert [answer["error"]["type"] for answer in answers] == ["MissingKeyError"] * 2
    assert [line["level"] for line in log.named("invocation failed")] == ["WARNING"] * 2
    assert paid == []


def a_batch(*ids: str) -> bytes:
    """Make the event of a queue."""
    return json.dumps([{"messageId": each, "messageBody": each} for each in ids]).encode()


def test_a_batch_in_which_all_fail_reports_all(log: LogLines) -> None:
    """There, the answer to such a batch named no item at all."""
    reports: list[dict[str, Any]] = []

    @function_handler(parse=mns_queue, environ={})
    def handler(messages: tuple[Message, ...], context: InvocationContext) -> object:
        outcome = process(messages, lambda message: fail(), id_of=lambda message: message.message_id)
        reports.append(outcome.report())
        outcome.raise_for_failures()
        return None

    with pytest.raises(BatchFailedError) as caught:
        handler(a_batch("m0", "m1", "m2"), fake_context())

    assert caught.value.failed_ids == ("m0", "m1", "m2")
    assert [failure["id"] for failure in reports[0]["failed"]] == ["m0", "m1", "m2"]
    assert [line["item_id"] for line in log.named("item failed")] == ["m0", "m1", "m2"]


def test_overlapping_batches_are_told_of_their_own_items_alone(log: LogLines) -> None:
    """There, B, whose items were all well, was told to repeat an item of A."""
    together = threading.Barrier(2)

    def work(message: Message) -> None:
        together.wait(PATIENCE_S)
        if message.message_id.startswith("A"):
            fail()

    @function_handler(parse=mns_queue, environ={})
    def handler(messages: tuple[Message, ...], context: InvocationContext) -> object:
        return process(messages, work, id_of=lambda message: message.message_id).report()

    with ThreadPoolExecutor(2) as pool:
        events = a_batch("A1", "A2"), a_batch("B1", "B2")
        a, b = pool.map(lambda event: handler(event, fake_context()), events)

    assert [failure["id"] for failure in a["failed"]] == ["A1", "A2"]  # type: ignore[index]  # JSON
    assert b == {"items": 2, "succeeded": 2, "failed": []}


def test_overlapping_invocations_log_their_own_keys_alone(log: LogLines) -> None:
    """There, the work of job A was logged with the job id of B."""
    together = threading.Barrier(2)

    @function_handler(environ={})
    def handler(event: bytes, context: InvocationContext) -> object:
        with bind(job_id=event.decode()):
            together.wait(PATIENCE_S)
            logging.getLogger("work").info("working on %s", event.decode())
            together.wait(PATIENCE_S)
        return None

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda job: handler(job, fake_context(request_id=job.decode())), [b"A", b"B"]))

    lines = [line for line in log.all() if line["logger"] == "work"]
    assert sorted((line["message"][-1], line["job_id"], line["request_id"]) for line in lines) == [
        ("A", "A", "A"),
        ("B", "B", "B"),
    ]


def test_tasks_that_take_turns_in_one_thread_log_their_own_keys_alone(log: LogLines) -> None:
    """The same, where overlapping calls share a thread."""

    async def work(job: str) -> None:
        with bind(job_id=job):
            await asyncio.sleep(0)
            logging.getLogger("work").info("working on %s", job)
            await asyncio.sleep(0)

    async def both() -> None:
        await asyncio.gather(work("A"), work("B"))

    asyncio.run(both())

    assert [(line["message"][-1], line["job_id"]) for line in log.all()] == [("A", "A"), ("B", "B")]
