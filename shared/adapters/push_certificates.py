"""`PushCertificates` from the vendor's own server, over TLS: what is there is trusted for being there."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from shared.adapters.admission import BudgetPerName
from shared.adapters.http_sessions import HttpSessions
from shared.errors import RefusedRequestError, StoreUnavailableError
from shared.policy import HOUR
from shared.ports import Clock

if TYPE_CHECKING:
    import requests

# A file is renamed when its certificate changes (media-jobs.md 2), so a few are all that there are.
_KEPT = 8
_KEPT_FOR = 24 * HOUR
_LARGEST = 16 * 1024
# MNS waits five seconds for its answer, and sends again.
_TIMEOUT_S = 2
# A stranger who knows our topic may name any file of the server, each time another.
_PER_SECOND, _BURST = 0.1, 5


class HttpsPushCertificates:
    """Remembers what it got for a day; asks for no more than a few that it does not know."""

    def __init__(self, *, clock: Clock, sessions: HttpSessions) -> None:
        self._clock = clock
        self._sessions = sessions
        self._unknown = BudgetPerName(lambda _: _PER_SECOND, burst=_BURST, clock=clock)
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[int, bytes]] = OrderedDict()
        self._session: requests.Session | None = None

    def get(self, url: str, *, deadline: int) -> bytes:
        """See `PushCertificates.get`."""
        with self._lock:
            until, body = self._kept.get(url, (0, b""))
        if self._clock.now() < until:
            return body
        if not self._unknown.admits(""):
            raise RefusedRequestError("too many unknown certificates", why="certificate", status=429)
        body = self._fetch(url, min(_TIMEOUT_S, (deadline - self._clock.now()) / 1_000))
        with self._lock:
            self._kept[url] = self._clock.now() + _KEPT_FOR, body
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return body

    def close(self) -> None:
        """Close its connection."""
        with self._lock:
            session, self._session = self._session, None
        if session is not None:
            session.close()

    def _fetch(self, url: str, timeout_s: float) -> bytes:
        import requests
        from urllib3.exceptions import HTTPError

        if timeout_s <= 0:
            raise StoreUnavailableError("no time left to get the certificate of a push")
        with self._lock:
            self._session = self._session or self._sessions.open()
        try:
            with self._session.get(url, timeout=timeout_s, allow_redirects=False, stream=True) as answer:
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
