"""MNS topic or queue: take in what a callback says, settle the job that it names."""

from __future__ import annotations

import logging
from dataclasses import asdict
from functools import partial

from shared import bootstrap, intake
from shared.asking import RESERVE
from shared.handing_over import ARCHIVE, FUNCTION, hand_over
from shared.ports import Services
from shared.toolkit import BatchOutcome, InvocationContext, function_handler, process
from shared.toolkit.message import Messages, Trigger
from shared.toolkit.triggers import recognize

LOG = logging.getLogger(__name__)


@function_handler()
def handler(event: bytes, context: InvocationContext) -> object:
    """Entry point of Function Compute."""
    return handle(event, bootstrap.for_invocation(context))


def handle(event: bytes, services: Services) -> dict[str, object]:
    """Take in every message of the event; raise when any of them must be delivered again.

    Each message has its own fate; a bad one never touches its neighbours. Function Compute retries
    the whole event, and those that were taken in already change nothing then.
    """
    trigger: Trigger = recognize(event)
    if not isinstance(trigger, Messages):
        LOG.warning("a timer has no message: nothing to take in", extra={"timer": trigger.name})
    found = trigger.messages if isinstance(trigger, Messages) else ()
    outcome: BatchOutcome[intake.Receipt] = process(
        found,
        lambda message: intake.take_in(services, message),
        id_of=lambda message: message.message_id,
        run=services.parallel.run,
        # One that is not begun is delivered again; begun with less time left, it could not be stored.
        deadline_ms=services.deadline,
        reserve_ms=RESERVE,
        clock=services.clock.now,
    )
    receipts = [item.value for item in outcome.succeeded if item.value]
    to_deliver = dict.fromkeys(receipt.job for receipt in receipts if receipt.job and receipt.to_deliver)
    to_archive = dict.fromkeys(receipt.job for receipt in receipts if receipt.job and receipt.to_archive)
    left = {FUNCTION: tuple(to_deliver), ARCHIVE: tuple(to_archive)}
    services.parallel.run(
        [partial(hand_over, services, jobs, function=name) for name, jobs in left.items() if jobs]
    )
    outcome.raise_for_failures()
    return {**outcome.report(), "receipts": [asdict(receipt) for receipt in receipts]}
