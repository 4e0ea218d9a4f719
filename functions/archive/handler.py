"""Asynchronous invocation after a commit, or timer: copy evidence before the vendor deletes it."""

from __future__ import annotations

from shared import archival, bootstrap
from shared.handing_over import HandOver
from shared.ports import Services
from shared.toolkit import InvocationContext, function_handler
from shared.toolkit.parser import decode_json
from shared.toolkit.triggers import timer_tick


@function_handler()
def handler(event: bytes, context: InvocationContext) -> object:
    """Entry point of Function Compute."""
    return handle(event, bootstrap.for_invocation(context))


def handle(event: bytes, services: Services) -> dict[str, int]:
    """Keep the evidence of these jobs, or all that is due, and answer with how many attempts ended how."""
    tree = decode_json(event, layer="archive")
    if isinstance(tree, dict) and timer_tick(tree) is not None:
        outcomes = archival.keep_due_evidence(services)
    else:
        work = HandOver.read(tree)
        work.check_clock(services.clock.now())
        outcomes = archival.keep_evidence_of(services, work.jobs)
    return {str(outcome): count for outcome, count in sorted(outcomes.items())}
