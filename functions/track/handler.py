"""Direct or asynchronous invocation, or HTTP: announce jobs that were submitted, before any callback."""

from __future__ import annotations

import logging

from functions.track import http
from shared import announcements, archive, bootstrap, tracking
from shared.errors import ParseError, TemporaryError
from shared.ports import Services
from shared.toolkit import InvocationContext, function_handler
from shared.toolkit.http_events import http_request
from shared.tracking import Outcome

LOG = logging.getLogger(__name__)


@function_handler()
def handler(event: bytes, context: InvocationContext) -> object:
    """Entry point of Function Compute."""
    return handle(event, bootstrap.for_invocation(context))


def handle(event: bytes, services: Services) -> dict[str, object]:
    """Announce the jobs of a payload, or of a request's body, and answer with what became of each."""
    try:
        request = http_request(event)
    except ParseError as error:
        if error.field == "body":  # all the rest of a request was there
            return http.bad_request(str(error))
        return _invoked(event, services)
    return http.answer(request, services)


def _invoked(payload: bytes, services: Services) -> dict[str, object]:
    """Raise when anything could not be stored: tried again, what was stored does not change."""
    try:
        receipts = tracking.announce(services, announcements.read(payload))
    except ParseError:
        _keep(payload, services)
        raise
    report = tracking.report(receipts)
    if report[Outcome.REFUSED.value]:
        _keep(payload, services)
    if report[Outcome.NOT_STORED.value]:
        raise TemporaryError("jobs are to be announced again", **tracking.counts(receipts))
    return report


def _keep(payload: bytes, services: Services) -> None:
    """Keep what announces nothing: nobody reads the answer of an asynchronous invocation."""
    key = archive.quarantine_key(payload, services.clock.now())
    services.objects.put_new(key, payload, content_type=archive.BYTES)
    LOG.error("announcements refused, kept for a person", extra={"object": key})
