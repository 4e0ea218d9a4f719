"""What the toolkit is measured with: the same work as in `toolkit_theirs.py`."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from typing import TextIO

from benchmarks.toolkit_model import BODY, Order
from shared.toolkit import fake_context
from shared.toolkit.batch import process
from shared.toolkit.bound_keys import bind
from shared.toolkit.context import Credentials, InvocationContext
from shared.toolkit.events import message_body, mns_queue, single_message
from shared.toolkit.handler import function_handler
from shared.toolkit.idempotency import idempotent
from shared.toolkit.log_output import configure_logging
from shared.toolkit.memory_lease_store import MemoryLeaseStore
from shared.toolkit.message import Message
from shared.toolkit.metrics import count, record_duration
from shared.toolkit.parser import model

__all__ = ["BODY", "batch", "event", "idempotent_call", "invocation", "records"]

# Temporary keys, as every function with a role is given them: they are looked for in each line.
KEYS = Credentials(
    "STS.NU0123456789abcdef", "0123456789abcdefghijklmnopqrst", "CAIS" + "0123456789abcdef" * 40
)
CONTEXT = fake_context(function_name="orders", credentials=KEYS)
DEADLINE = 4_102_444_800_000  # in 2100


def event(body: str) -> bytes:
    """Make the event of a queue with one message (function-compute.md 2, MNS queue trigger)."""
    message = {
        "id": "6566f1e5-0123-4567-89ab-cdef01234567",
        "source": "MNS-Function-mnsQueue",
        "specversion": "1.0",
        "type": "mns:Queue:SendMessage",
        "datacontenttype": "application/json; charset=utf-8",
        "subject": "acs:mns:cn-shanghai:1000000000000001:queues/orders",
        "time": "2025-11-20T12:00:00.000Z",
        "aliyunaccountid": "1000000000000001",
        "aliyunpublishtime": "2025-11-20T12:00:00.000Z",
        "aliyunoriginalaccountid": "1000000000000001",
        "aliyuneventbusname": "MNS-Function-mnsQueue",
        "aliyunregionid": "cn-shanghai",
        "aliyunpublishaddr": "192.0.2.1",
        "data": {
            "requestId": "6566f1e5-0123-4567-89ab-cdef01234567",
            "messageId": "6566f1e5012345678-1-19af0000000",
            "messageBody": body,
        },
    }
    return json.dumps([message]).encode()


def invocation(sink: TextIO) -> Callable[[bytes], object]:
    """Make an entry point: one log line with the message's id, three metrics, one parsed order."""
    configure_logging(stream=sink)
    log = logging.getLogger("orders")
    order_of = message_body >> model(Order)

    @function_handler(parse=mns_queue >> single_message)
    def handler(message: Message, context: InvocationContext) -> str:
        with bind(message_id=message.message_id):
            order = order_of(message)
            log.info("an order came", extra={"order_id": order.order_id})
            count("orders")
            count("articles", len(order.articles))
            record_duration("parse", 3)
            return order.order_id

    return lambda body: handler(body, CONTEXT)


def idempotent_call() -> Callable[[dict[str, object]], object]:
    """Make an idempotent function on an in-memory store."""

    @idempotent(MemoryLeaseStore(), name="pay", key=lambda order: order, deadline=lambda order: DEADLINE)
    def pay(order: dict[str, object]) -> dict[str, object]:
        return {"paid": order["id"]}

    return pay


def records(count: int) -> list[dict[str, object]]:
    """Make the records of a batch."""
    return [{"messageId": str(number), "body": "{}"} for number in range(count)]


def batch(sink: TextIO, is_bad: Callable[[int], bool]) -> Callable[[Sequence[dict[str, object]]], object]:
    """Make a batch; a failure is logged, and its text masked."""
    configure_logging(stream=sink)

    def work(record: dict[str, object]) -> int:
        number = int(str(record["messageId"]))
        if is_bad(number):
            raise ValueError("bad record")
        return number

    return lambda found: process(found, work, id_of=lambda record: str(record["messageId"])).report()
