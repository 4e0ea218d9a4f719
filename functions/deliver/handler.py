"""Asynchronous invocation: tell the next system what became of jobs."""

from __future__ import annotations

from shared import bootstrap, sending
from shared.handing_over import HandOver
from shared.ports import Services
from shared.toolkit import InvocationContext, function_handler
from shared.toolkit.parser import decode_json


@function_handler()
def handler(event: bytes, context: InvocationContext) -> object:
    """Entry point of Function Compute."""
    return handle(event, bootstrap.for_invocation(context))


def handle(event: bytes, services: Services) -> dict[str, int]:
    """Send what is due in the outboxes of these jobs, and answer with how many deliveries ended how."""
    work = HandOver.read(decode_json(event, layer="deliver"))
    work.check_clock(services.clock.now())
    outcomes = sending.deliver(services, work.jobs)
    return {str(outcome): count for outcome, count in sorted(outcomes.items())}
