"""Direct or asynchronous invocation, or HTTP: announce jobs that were submitted, before any callback."""

from __future__ import annotations

import logging

from functions.track import http
from shared import announcements, archive, bootstrap, tracking
from shared.documents.urls import without_query
from shared.errors import ParseError, TemporaryError
from shared.ports import Services
from shared.record import digest
from shared.tables import INBOX, Value, nameless_key
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
    except ParseError as error:
        _keep(payload, services, str(error))
        raise
    report = tracking.report(receipts)
    refused = [receipt for receipt in receipts if receipt.outcome is Outcome.REFUSED]
    if refused:
        first = f"{refused[0].name}: {refused[0].reason}"
        _keep(payload, services, f"{len(refused)} of {len(receipts)} refused; the first: {first}")
    if report[Outcome.NOT_STORED.value]:
        raise TemporaryError("jobs are to be announced again", **tracking.counts(receipts))
    return report


def _keep(payload: bytes, services: Services, reason: str) -> None:
    """Keep what announces nothing: nobody reads the answer of an asynchronous invocation.

    The inbox says why, and by it the completeness report finds the object.
    """
    now = services.clock.now()
    key = archive.quarantine_key(payload, now)
    services.objects.put_new(key, payload, content_type=archive.BYTES)
    row: dict[str, Value] = {
        "transport": tracking.BY,
        "received_at": now,
        "body_key": key,
        "reason": without_query(reason),
    }
    # An invocation that is tried again brings the same bytes: one row says it.
    services.ledger.insert(INBOX, (nameless_key("refused", digest(payload)), tracking.BY), row)
    LOG.error("announcements refused, kept for a person", extra={"object": key})
