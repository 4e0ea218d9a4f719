"""The console on this machine: the pages of the function, for whoever has the one-time link.

It listens on the loopback interface alone. A web page of somebody else can have a browser ask there, too: so
a request must name this very address, and bring a cookie that no other site's request takes along.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from threading import Lock
from urllib.parse import parse_qsl, unquote

from localcloud.loopback import HttpReply, HttpRequest
from shared.console.access import cookie
from shared.console.answering import Console, answer, refuse
from shared.console.answers import Answer, redirect
from shared.errors import RefusedRequestError
from shared.ports import ObjectLinks, Services
from shared.toolkit import http_events

MAX_BODY_BYTES = 64 * 1024

_COOKIE = "media_ledger_session"
_ONCE = "/once/"
_ANEW = "run `media-ledger console` anew"


@dataclass
class OneTimeLink:
    """Opens one session, once: `once` is the secret of the link, `session` that of the cookie.

    `host` is what a request must name as its host; `ends` is epoch milliseconds.
    """

    once: str = field(repr=False)
    session: str = field(repr=False)
    ends: int
    host: str = ""
    _lock: Lock = field(default_factory=Lock, repr=False)
    _is_used: bool = False

    @property
    def path(self) -> str:
        """Give the path of the link."""
        return _ONCE + self.once

    @property
    def cookie(self) -> str:
        """Give the name of the session's cookie: by port, as all ports of a host share their cookies."""
        return f"{_COOKIE}_{self.host.partition(':')[2]}"

    def use(self, request: http_events.HttpRequest, *, now: int) -> None:
        """Use the link up; raise `RefusedRequestError` for another one, a second time, or too late."""
        self._check_host(request)
        if not _same(request.raw_path, self.path):
            raise RefusedRequestError("this link is none of this console", why="link")
        with self._lock:
            if self._is_used or now >= self.ends:
                raise RefusedRequestError(f"this link was used, or its time is over: {_ANEW}", why="used")
            self._is_used = True

    def check(self, request: http_events.HttpRequest, *, now: int) -> None:
        """See `Access.check`: let in who opened the link."""
        self._check_host(request)
        if not _same(cookie(request.headers, self.cookie) or "", self.session):
            told = "open the link that `media-ledger console` has printed"
            raise RefusedRequestError(told, why="no_session", status=401)
        if now >= self.ends:
            raise RefusedRequestError(f"its time is over: {_ANEW}", why="over", status=401)

    def _check_host(self, request: http_events.HttpRequest) -> None:
        """Refuse a name that somebody else's name server has led here."""
        if request.headers.get("host") != self.host:
            raise RefusedRequestError(f"the console is at http://{self.host} alone", why="host")


@dataclass(frozen=True)
class ConsoleServer:
    """Answers the requests of a browser as the function does."""

    services: Services
    link: OneTimeLink
    files: ObjectLinks | None

    def serve(self, request: HttpRequest) -> HttpReply:
        """Answer one request."""
        asked = _as_function_sees_it(request)
        is_once = asked.method == "GET" and asked.raw_path.startswith(_ONCE)
        given = self._open(asked) if is_once else answer(self.services, Console(self.link, self.files), asked)
        return HttpReply(given.status, given.body, given.headers)

    def _open(self, request: http_events.HttpRequest) -> Answer:
        try:
            self.link.use(request, now=self.services.clock.now())
        except RefusedRequestError as error:
            return refuse(self.services, request, error)
        kept = f"{self.link.cookie}={self.link.session}; Path=/; HttpOnly; SameSite=Strict"
        return redirect("/", **{"set-cookie": kept})


def host_of(endpoint: str) -> str:
    """Give the host that a browser names for an address; it leaves the port of HTTP away."""
    return endpoint.removeprefix("http://").removesuffix(":80")


def _as_function_sees_it(request: HttpRequest) -> http_events.HttpRequest:
    path, _, query = request.target.partition("?")
    return http_events.HttpRequest(
        method=request.method,
        path=unquote(path),
        raw_path=path,
        headers=request.headers,
        query=dict(parse_qsl(query, keep_blank_values=True)),
        body=b"",
        source_ip="127.0.0.1",
        request_id="local",
    )


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), right.encode())
