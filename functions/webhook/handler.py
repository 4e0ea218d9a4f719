"""HTTP: take in the callbacks of VOD and ICE, and what MNS pushes; `reconcile` settles the jobs they name."""

from __future__ import annotations

import json
import logging

from shared import bootstrap, webhooks
from shared.errors import ParseError, RefusedRequestError
from shared.inbound.senders import SenderName
from shared.intake import MAX_BODY
from shared.ports import Services
from shared.toolkit import InvocationContext, function_handler, metrics
from shared.toolkit.http_events import http_request
from shared.toolkit.logger import log_failure
from shared.webhooks import Callers

LOG = logging.getLogger(__name__)

# A body at its limit with every other character escaped, and then some: more is not worth reading.
_MAX_EVENT = 4 * MAX_BODY
# What says to each that it need not send again: VOD and ICE take nothing but 200 (media-jobs.md 1.1, 1.3),
# MNS 204 (media-jobs.md 2).
_TAKEN: dict[SenderName, int] = {"vod": 200, "ice": 200, "mns": 204}


@function_handler()
def handler(event: bytes, context: InvocationContext) -> object:
    """Entry point of Function Compute. Nothing is raised.

    What an HTTP trigger answers for an error is nowhere said: were it 200, a callback would be lost.
    """
    try:
        return handle(event, *bootstrap.for_callbacks(context))
    except Exception as error:
        log_failure(LOG, "a callback could not be taken in", error)
        metrics.count("callbacks_not_taken")
        return _answer(503, "send it again")


def handle(event: bytes, services: Services, callers: Callers) -> dict[str, object]:
    """Answer a request once its callback is kept; raise what its sender is to send it again for."""
    try:
        if len(event) > _MAX_EVENT:
            raise RefusedRequestError("too large for a callback", why="size", status=413)
        try:
            request = http_request(event)
        except ParseError as error:
            raise RefusedRequestError(str(error), why="form", status=400) from None
        sender, receipt = webhooks.receive(services, callers, request)
    except RefusedRequestError as refused:
        # Told by the metric alone: a flood shall not write a log of its own.
        metrics.count("refused_callbacks", why=refused.why)
        return _answer(refused.status, refused.message)
    metrics.count("callbacks_taken", sender=sender, was=receipt.was)
    return _answer(_TAKEN[sender])


def _answer(status: int, error: str | None = None) -> dict[str, object]:
    """Write the answer of an HTTP trigger (function-compute.md 1.6)."""
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"} if error else {},
        "isBase64Encoded": False,
        "body": json.dumps({"error": error}) if error else "",
    }
