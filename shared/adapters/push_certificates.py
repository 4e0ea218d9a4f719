"""`PushCertificates` from the vendor's own server, over TLS: what is there is trusted for being there."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future
from concurrent.futures import TimeoutError as LateError
from typing import TYPE_CHECKING

from shared.adapters.admission import BudgetPerName
from shared.adapters.http_sessions import HttpSessions
from shared.errors import RefusedRequestError, StoreUnavailableError
from shared.policy import HOUR
from shared.ports import Clock

if TYPE_CHECKING:
    import requests

# A file is renamed when its certificate changes (media-jobs.md 2), so a few are all that there are. There is
# room for those of every region, so that naming them all pushes none out.
_KEPT = 64
_KEPT_FOR = 24 * HOUR
_LARGEST = 16 * 1024
# MNS waits five seconds for its answer, and sends again.
_TIMEOUT_S = 2
# OSS compresses texts for whoever takes them so.
_AS_IT_IS = {"Accept-Encoding": "identity"}
# A stranger who knows our topic may name any file of the server, each time another: that is to cost the
# stranger's turn, not that of MNS. How many strangers may is limited too.
_PER_SECOND, _BURST = 0.1, 5
_OF_ALL_PER_SECOND, _OF_ALL_BURST = 5, 50


class HttpsPushCertificates:
    """Remembers what it got for a day; asks for no more than a few that it does not know."""

    def __init__(self, *, clock: Clock, sessions: HttpSessions) -> None:
        self._clock = clock
        self._sessions = sessions
        self._unknown = BudgetPerName(lambda _: _PER_SECOND, burst=_BURST, clock=clock)
        self._unknown_of_all = BudgetPerName(lambda _: _OF_ALL_PER_SECOND, burst=_OF_ALL_BURST, clock=clock)
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[int, bytes]] = OrderedDict()
        self._coming: dict[str, Future[bytes]] = {}
        self._session: requests.Session | None = None

    def get(self, url: str, *, source: str, deadline: int) -> bytes:
        """See `PushCertificates.get`. Who asks for one that is being fetched waits for it."""
        with self._lock:
            until, body = self._kept.get(url, (0, b""))
            if self._clock.now() < until:
                self._kept.move_to_end(url)
                return body
            coming, is_first = self._coming.get(url), url not in self._coming
            if coming is None:
                if not (self._unknown.admits(source) and self._unknown_of_all.admits("")):
                    raise RefusedRequestError("too many unknown certificates", why="certificate", status=429)
                coming = self._coming[url] = Future()
        if is_first:
            self._fetch_into(coming, url, deadline)
        try:
            return coming.result(timeout=(deadline - self._clock.now()) / 1_000)
        except LateError:
            raise StoreUnavailableError("no time left to get the certificate of a push") from None

    def close(self) -> None:
        """Close its connection."""
        with self._lock:
            session, self._session = self._session, None
        if session is not None:
            session.close()

    def _fetch_into(self, coming: Future[bytes], url: str, deadline: int) -> None:
        try:
            body = self._fetch(url, min(_TIMEOUT_S, (deadline - self._clock.now()) / 1_000))
        except BaseException as error:
            with self._lock:
                del self._coming[url]
            coming.set_exception(error)
            return
        with self._lock:
            del self._coming[url]
            self._kept[url] = self._clock.now() + _KEPT_FOR, body
            self._kept.move_to_end(url)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        coming.set_result(body)

    def _fetch(self, url: str, timeout_s: float) -> bytes:
        import requests
        from urllib3.exceptions import HTTPError

        if timeout_s <= 0:
            raise StoreUnavailableError("no time left to get the certificate of a push")
        with self._lock:
            self._session = self._session or self._sessions.open()
        try:
            with self._session.get(
                url, headers=_AS_IT_IS, timeout=timeout_s, allow_redirects=False, stream=True
            ) as answer:
                status, body = answer.status_code, b""
                # To the end: only there does it show that a part is missing.
                while len(body) <= _LARGEST and (part := answer.raw.read(_LARGEST + 1 - len(body))):
                    body += part
        except (requests.RequestException, HTTPError, OSError) as error:
            raise StoreUnavailableError(
                "the certificate of a push cannot be had", cause=type(error).__name__
            ) from None
        if status >= 500:
            raise StoreUnavailableError("the certificate of a push cannot be had", status=status)
        if status != 200 or len(body) > _LARGEST:
            raise RefusedRequestError("its certificate is not there", why="certificate")
        return body
