"""The work that `toolkit_ours.py` does, done with aws-lambda-powertools as its documentation shows.

Nothing is switched on that ours has not on, and nothing is left out that ours does: bytes are decoded
(the platform of AWS does that before the handler), keys of an earlier invocation are cleared, failures of
a batch are logged.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any, TextIO

os.environ |= {
    "POWERTOOLS_SERVICE_NAME": "orders",
    "POWERTOOLS_METRICS_NAMESPACE": "orders",
    "POWERTOOLS_TRACE_DISABLED": "1",
}

# Its idempotency package imports its DynamoDB layer, and that the cloud's SDK. Neither is measured, so
# names are enough; the import times are taken in processes of their own, without these.
for _name, _members in {
    "boto3": (),
    "boto3.dynamodb": (),
    "boto3.dynamodb.types": ("TypeDeserializer",),
    "botocore": (),
    "botocore.exceptions": ("ClientError",),
}.items():
    sys.modules[_name] = ModuleType(_name)
    vars(sys.modules[_name]).update(dict.fromkeys(_members, Exception))

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyItemAlreadyExistsError,
    IdempotencyItemNotFoundError,
)
from aws_lambda_powertools.utilities.idempotency.persistence.base import BasePersistenceLayer
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord
from aws_lambda_powertools.utilities.parser import event_parser
from aws_lambda_powertools.utilities.parser.envelopes import SqsEnvelope

from benchmarks.toolkit_model import BODY, Order

__all__ = ["BODY", "batch", "event", "idempotent_call", "invocation", "records"]

CONTEXT = SimpleNamespace(
    function_name="orders",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:eu-west-1:123456789012:function:orders",
    aws_request_id="1-6566f1e5-0123456789abcdef",
    get_remaining_time_in_millis=lambda: 60_000,
)


def event(body: str) -> bytes:
    """Make the event of a queue with one message."""
    attributes = {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": "1763640000000",
        "SenderId": "AIDAIENQZJOLO23YVJ4VO",
        "ApproximateFirstReceiveTimestamp": "1763640000001",
    }
    record = {
        "messageId": "6566f1e5-0123-4567-89ab-cdef01234567",
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": body,
        "attributes": attributes,
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:orders",
        "awsRegion": "eu-west-1",
    }
    return json.dumps({"Records": [record]}).encode()


def invocation(sink: TextIO) -> Callable[[bytes], object]:
    """Make an entry point: one log line with the message's id, three metrics, one parsed order."""
    logger = Logger(service="orders", stream=sink, level="INFO")
    metrics = Metrics(service="orders", namespace="orders")

    @metrics.log_metrics(capture_cold_start_metric=True)
    @logger.inject_lambda_context(clear_state=True, correlation_id_path="Records[0].messageId")
    @event_parser(model=Order, envelope=SqsEnvelope)
    def handler(orders: list[Order], context: Any) -> str:
        order = orders[0]
        logger.info("an order came", extra={"order_id": order.order_id})
        metrics.add_metric(name="orders", unit=MetricUnit.Count, value=1)
        metrics.add_metric(name="articles", unit=MetricUnit.Count, value=len(order.articles))
        metrics.add_metric(name="parse", unit=MetricUnit.Milliseconds, value=3)
        return order.order_id

    return lambda body: handler(json.loads(body), CONTEXT)


class _DictLayer(BasePersistenceLayer):
    """Keeps records in a dict, with the conditions of the layer for DynamoDB."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, DataRecord] = {}

    def _get_record(self, idempotency_key: str) -> DataRecord:
        if idempotency_key not in self.rows:
            raise IdempotencyItemNotFoundError
        return self.rows[idempotency_key]

    def _put_record(self, data_record: DataRecord) -> None:
        there = self.rows.get(data_record.idempotency_key)
        if there is not None and not there.is_expired:
            raise IdempotencyItemAlreadyExistsError(old_data_record=there)
        self.rows[data_record.idempotency_key] = data_record

    def _update_record(self, data_record: DataRecord) -> None:
        self.rows[data_record.idempotency_key] = data_record

    def _delete_record(self, data_record: DataRecord) -> None:
        self.rows.pop(data_record.idempotency_key, None)


def idempotent_call() -> Callable[[dict[str, object]], object]:
    """Make an idempotent function on an in-memory store."""

    config = IdempotencyConfig(lambda_context=CONTEXT)

    @idempotent_function(data_keyword_argument="order", persistence_store=_DictLayer(), config=config)
    def pay(order: dict[str, object]) -> dict[str, object]:
        return {"paid": order["id"]}

    return lambda order: pay(order=order)


def records(count: int) -> dict[str, list[dict[str, object]]]:
    """Make the event of a batch."""
    return {
        "Records": [
            {"messageId": str(number), "body": "{}", "eventSource": "aws:sqs"} for number in range(count)
        ]
    }


def batch(
    sink: TextIO, is_bad: Callable[[int], bool]
) -> Callable[[dict[str, list[dict[str, object]]]], object]:
    """Make a batch processor; a failure is logged, which is an option there and always done here."""
    logger = Logger(service="orders.batch", stream=sink, level="INFO")
    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False, logger=logger)

    def work(record: dict[str, object]) -> int:
        number = int(str(record["messageId"]))
        if is_bad(number):
            raise ValueError("bad record")
        return number

    def run(records: dict[str, list[dict[str, object]]]) -> object:
        return process_partial_response(
            event=records, record_handler=work, processor=processor, context=CONTEXT
        )

    return run
