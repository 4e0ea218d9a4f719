"""Answer one request of the console: let in or not, which page, what it says."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from shared.console import files
from shared.console.access import Access
from shared.console.answers import Answer, page, static
from shared.console.routes import (
    EvidenceFile,
    JobPage,
    ListPage,
    OverviewPage,
    RawFile,
    StaticFile,
    base_of,
    route,
)
from shared.errors import (
    FunctionError,
    InvalidJobIdError,
    ObjectNotFoundError,
    ParseError,
    RefusedRequestError,
    TemporaryError,
)
from shared.job_filter import Filter
from shared.job_row import read_job
from shared.job_views import view_job
from shared.jobs import JobRef
from shared.listings import list_jobs
from shared.overview import overview
from shared.pages.context import ConsoleLinks, PageContext
from shared.pages.error import render_error
from shared.pages.job import render_job
from shared.pages.list import render_list
from shared.pages.overview import render_overview
from shared.pages.static_files import static_file
from shared.pages.view import JobPlace
from shared.pages.words import LANGUAGES, language
from shared.ports import ObjectLinks, Services
from shared.toolkit import metrics
from shared.toolkit.http_events import HttpRequest
from shared.toolkit.logger import log_failure
from shared.toolkit.masking import Masker

LOG = logging.getLogger(__name__)

_METHODS = ("GET", "HEAD")
_PAGE = 50
_FIRST_TO_LOOK_AT = 10
_DIGITS = 7  # no job has more findings
_OURS = 500


@dataclass(frozen=True)
class Console:
    """Who is let in, and how files are reached: by links, or through the function where there are none."""

    access: Access
    links: ObjectLinks | None = None


def answer(services: Services, console: Console, request: HttpRequest) -> Answer:
    """Answer a request; a refusal and a failure are pages, too. Nothing is raised.

    What Function Compute would answer for an error tells a stranger where in the code it happened.
    """
    context = _context(services, request)
    is_in = False
    try:
        console.access.check(request, now=context.now)
        is_in = True
        found = _found(services, console, request, context)
        metrics.count("console_answers")
    except Exception as error:
        found = _failed(error, context, is_in=is_in)
    return found.without_body() if request.method == "HEAD" else found


def refuse(services: Services, request: HttpRequest, error: RefusedRequestError) -> Answer:
    """Answer a request that somebody else has refused."""
    return _failed(error, _context(services, request), is_in=False)


def _context(services: Services, request: HttpRequest) -> PageContext:
    chosen = next((one for one in LANGUAGES if one == request.query.get("lang")), None)
    # A page repeats nothing of its address that may be a secret which somebody pasted there.
    kept = {name: value for name, value in request.query.items() if Masker().value(name, value) == value}
    return PageContext(
        language=language(request.headers.get("accept-language"), chosen),
        links=ConsoleLinks(base_of(request.raw_path), chosen),
        now=services.clock.now(),
        in_languages={one: f"?{urlencode({**kept, 'lang': one})}" for one in LANGUAGES},
    )


def _found(services: Services, console: Console, request: HttpRequest, context: PageContext) -> Answer:
    if request.method not in _METHODS:
        raise RefusedRequestError("pages are read, with GET or HEAD", why="method", status=405)
    match route(request.raw_path):
        case StaticFile(name):
            return _static(name)
        case EvidenceFile() as asked:
            return files.evidence_file(services, console.links, asked)
        case RawFile() as asked:
            return files.raw_file(services, console.links, asked)
        case JobPage(key):
            return _job(services, console, key, request.query, context)
        case ListPage():
            return _list(services, request.query, context)
        case OverviewPage():
            return _overview(services, context)


def _static(name: str) -> Answer:
    known = static_file(name)
    if known is None:
        raise RefusedRequestError("there is no such file", why="no_page", status=404)
    return static(*known)


def _overview(services: Services, context: PageContext) -> Answer:
    numbers = overview(services, now=context.now)
    first = list_jobs(services, Filter(needs="any"), limit=_FIRST_TO_LOOK_AT)
    return page(render_overview(numbers, first, context))


def _list(services: Services, query: Mapping[str, str], context: PageContext) -> Answer:
    wanted = Filter.read(query)
    after = query.get("after") or None
    listing = list_jobs(services, wanted, limit=_PAGE, after=after)
    return page(
        render_list(wanted, listing, context, kinds=tuple(services.kinds), is_later=after is not None)
    )


def _job(
    services: Services, console: Console, key: str, query: Mapping[str, str], context: PageContext
) -> Answer:
    row = read_job(services.ledger, JobRef.from_key(key).key)
    if row is None:
        raise RefusedRequestError("the ledger does not know this job", why="no_job", status=404)
    place = _place(query)
    view = view_job(services, row, place)
    pictures = files.origin_of(console.links) if view.evidence else None
    return page(render_job(view, context, place), pictures=pictures)


def _place(query: Mapping[str, str]) -> JobPlace:
    start = query.get("from") or "0"
    if not (start.isascii() and start.isdigit() and len(start) <= _DIGITS):
        raise ParseError("must be the number of a finding", layer="query", field="from")
    return JobPlace(at=query.get("at") or None, check=query.get("check"), start=int(start))


def _failed(error: Exception, context: PageContext, *, is_in: bool) -> Answer:
    status, more = _status(error), {}
    if isinstance(error, RefusedRequestError) and not is_in:
        # Told by the metric alone: a flood shall not write a log of its own.
        metrics.count("console_refused", why=error.why)
    elif status >= _OURS:
        log_failure(LOG, "a page could not be shown", error)
        metrics.count("console_failures")
    if status == 401:
        more = {"www-authenticate": "Bearer"}
    elif status == 405:
        more = {"allow": ", ".join(_METHODS)}
    elif status == 503:
        more = {"retry-after": "5"}
    return page(render_error(status, _told(error), context, is_in=is_in), status=status, **more)


def _told(error: Exception) -> str | None:
    """Give what a person is told of an error; of one that nobody expected, nothing."""
    if isinstance(error, ParseError):
        return ": ".join(filter(None, (error.field, error.reason)))
    return error.message if isinstance(error, FunctionError) else None


def _status(error: Exception) -> int:
    match error:
        case RefusedRequestError():
            return error.status
        case ParseError():
            return 400
        case InvalidJobIdError() | ObjectNotFoundError():
            return 404
        case TemporaryError():
            return 503
    return 500
