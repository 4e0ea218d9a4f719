"""Announcing by HTTP: the sender reads the answer, so that it says everything."""

from __future__ import annotations

import json

from shared import announcements, tracking
from shared.errors import ParseError
from shared.ports import Services
from shared.toolkit.http_events import HttpRequest
from shared.tracking import Outcome, Receipt


def answer(request: HttpRequest, services: Services) -> dict[str, object]:
    """Announce the jobs of a request's body.

    200 says that all of them are announced; 400 that some never will be, and 503 that some are to be
    sent again: the body says which, and the others are announced.
    """
    if request.method != "POST":
        return _response(405, {"error": "announce jobs with POST"}, allow="POST")
    if len(request.body) > announcements.MAX_BYTES:
        return _response(413, {"error": f"at most {announcements.MAX_BYTES} bytes at once"})
    try:
        items = announcements.read(request.body)
    except ParseError as error:
        return bad_request(str(error))
    receipts = tracking.announce(services, items)
    return _response(_status(receipts), tracking.report(receipts))


def bad_request(reason: str) -> dict[str, object]:
    """Answer a request in which no job can be found."""
    return _response(400, {"error": reason})


def _status(receipts: list[Receipt]) -> int:
    outcomes = {receipt.outcome for receipt in receipts}
    if Outcome.NOT_STORED in outcomes:
        return 503
    return 400 if Outcome.REFUSED in outcomes else 200


def _response(status: int, body: dict[str, object], **headers: str) -> dict[str, object]:
    """Write the answer of an HTTP trigger (function-compute.md 1.6)."""
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", **headers},
        "isBase64Encoded": False,
        "body": json.dumps(body, ensure_ascii=False),
    }
