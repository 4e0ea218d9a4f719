"""HTTP: pages for whoever looks at jobs. Reads the ledger and the archive, and writes nothing."""

from __future__ import annotations

import logging

from shared import bootstrap
from shared.console.answering import Console, answer
from shared.console.answers import text
from shared.errors import ParseError
from shared.ports import Services
from shared.toolkit import InvocationContext, function_handler, metrics
from shared.toolkit.http_events import http_request
from shared.toolkit.logger import log_failure

LOG = logging.getLogger(__name__)


@function_handler()
def handler(event: bytes, context: InvocationContext) -> object:
    """Entry point of Function Compute. Nothing is raised: see `answer`."""
    try:
        services, console = bootstrap.for_console(context)
    except Exception as error:
        log_failure(LOG, "the console could not be opened", error)
        metrics.count("console_failures")
        return text(500, "The console cannot be opened. Its log says why.").event()
    return handle(event, services, console)


def handle(event: bytes, services: Services, console: Console) -> dict[str, object]:
    """Answer a request with a page."""
    try:
        request = http_request(event)
    except ParseError as error:
        return text(400, str(error)).event()
    return answer(services, console, request).event()
