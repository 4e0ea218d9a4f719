"""What goes wrong in a browser while a test looks at pages, whatever the test is about."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError

_LEFT = "net::ERR_ABORTED"


class Watch:
    """Notes the faults of a browser context: what its console tells, what did not load, who else was asked.

    `origin` is the one that pages may ask, such as `http://127.0.0.1:8080`. A status that a test wants to see
    is put into `wanted`.
    """

    def __init__(self, context: BrowserContext, *, origin: str) -> None:
        self.faults: list[str] = []
        self.wanted: set[int] = set()
        self.asked: list[str] = []
        self._origin = origin
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("request", self._request)
        context.on("requestfailed", self._failed)
        context.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not self._is_wanted(message.text):
            self.faults.append(f"console: {message.text}")

    def _is_wanted(self, text: str) -> bool:
        return any(f"responded with a status of {status} " in text for status in self.wanted)

    def _error(self, error: WebError) -> None:
        self.faults.append(f"script: {error.error}")

    def _request(self, request: Request) -> None:
        self.asked.append(request.url)
        if not self._belongs(request.url):
            self.faults.append(f"elsewhere: {request.url[:200]}")

    def _failed(self, request: Request) -> None:
        # A picture that is still on its way when the next page is opened is no fault.
        if request.failure != _LEFT:
            self.faults.append(f"failed: {request.url[:200]} {request.failure}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.wanted:
            self.faults.append(f"status {response.status}: {response.url[:200]}")

    def _belongs(self, url: str) -> bool:
        parts = urlsplit(url)
        return parts.scheme == "data" or f"{parts.scheme}://{parts.netloc}" == self._origin
