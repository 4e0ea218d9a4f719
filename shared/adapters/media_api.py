"""`MediaApi` over `requests`: signed calls to VOD, MTS and ICE, within a deadline.

One session with kept-alive connections and one TLS context serve the life of the object; both are
opened by the first call. Nothing of a signed query reaches an error or a log.
"""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared.adapters.endpoints import checked_override, endpoint
from shared.adapters.http_sessions import HttpSessions
from shared.adapters.signing import (
    SIGNERS,
    AnswerFormat,
    Envelope,
    Scheme,
    SignedRequest,
    canonical_query,
)
from shared.adapters.vendor_errors import error_for, read_refusal
from shared.errors import OversizedAnswerError, VendorUnavailableError
from shared.toolkit.context import Credentials
from shared.vendor import ApiAnswer, ApiRequest, Part

if TYPE_CHECKING:
    import requests

    from shared.ports import Clock

MAX_ANSWER_BYTES = 64 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True)
class Timeouts:
    """How long a connection and the next bytes may take: as in the vendor's client (query-apis.md 7.1)."""

    connect_ms: int = 5_000
    read_ms: int = 10_000


@dataclass(frozen=True)
class _Reply:
    """What came over the wire. `headers` cares for no case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class SignedMediaApi:
    """Ask the vendor, with the credentials of the moment and a signature of its own for every call.

    `endpoints` replaces the address of a product (`{"vod": "http://127.0.0.1:8080"}`).
    `retry_after_unit_ms` is the unit of `x-acs-retry-after`, which the vendor does not document
    (media-jobs.md 3, errors). `random` gives nonces, so outside of tests it is a `SystemRandom`.
    """

    def __init__(
        self,
        *,
        credentials: Callable[[], Credentials],
        clock: Clock,
        random: random.Random,
        scheme: Scheme = "acs3",
        answer_format: AnswerFormat = "json",
        endpoints: Mapping[str, str] | None = None,
        timeouts: Timeouts | None = None,
        retry_after_unit_ms: int = 1_000,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
        sessions: HttpSessions | None = None,
    ) -> None:
        self._credentials = credentials
        self._clock = clock
        self._random = random
        self._sign = SIGNERS[scheme]
        self._answer_format: AnswerFormat = answer_format
        self._endpoints = {name: checked_override(name, url) for name, url in (endpoints or {}).items()}
        self._timeouts = timeouts or Timeouts()
        self._retry_after_unit_ms = retry_after_unit_ms
        self._max_answer_bytes = max_answer_bytes
        self._sessions = sessions or HttpSessions()
        self._session: requests.Session | None = None
        self._opening = threading.Lock()

    def call(self, request: ApiRequest, *, deadline: int) -> ApiAnswer:
        """Call once: trying again is for whoever counts the calls (`PacedMediaApi`)."""
        url = self._endpoints.get(request.product) or endpoint(request.product, request.region)
        now = self._clock.now()
        if now >= deadline:
            raise VendorUnavailableError(
                "no time left to ask the vendor", product=request.product, action=request.action
            )
        envelope = Envelope(
            host=urlsplit(url).netloc,
            now=now,
            nonce=f"{self._random.getrandbits(128):032x}",
            answer_format=self._answer_format,
        )
        signed = self._sign(request, self._credentials(), envelope)
        reply = self._send(url, signed, request=request, deadline=deadline)
        return self._read(reply, request)

    def close(self) -> None:
        """Close the kept connections; a later call opens new ones."""
        with self._opening:
            session, self._session = self._session, None
        if session is not None:
            session.close()

    def _send(self, url: str, signed: SignedRequest, *, request: ApiRequest, deadline: int) -> _Reply:
        import requests
        import urllib3

        try:
            return self._exchange(url, signed, deadline=deadline)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            reason = type(error).__name__
        # Raised outside of the handler, without a cause or context: the messages of requests hold
        # the whole URL, the signed query with it.
        raise VendorUnavailableError(
            f"no answer from {signed.headers['host']}: {reason}",
            product=request.product,
            action=request.action,
        )

    def _exchange(self, url: str, signed: SignedRequest, *, deadline: int) -> _Reply:
        left = deadline - self._clock.now()
        response = self._open_session().post(
            f"{url}/?{canonical_query(signed.query)}",
            data=signed.body,
            # Identity: answers are small, and the size that counts is the size on the wire.
            headers={**signed.headers, "accept-encoding": "identity"},
            timeout=(
                max(1, min(self._timeouts.connect_ms, left)) / 1000,
                max(1, min(self._timeouts.read_ms, left)) / 1000,
            ),
            allow_redirects=False,
            stream=True,
        )
        with response:
            body = self._body(response, deadline=deadline)
        return _Reply(response.status_code, response.headers, body)

    def _body(self, response: requests.Response, *, deadline: int) -> bytes:
        """Read what comes as it comes: a read timeout alone never ends on a trickle."""
        import requests

        body = bytearray()
        while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
            body += chunk
            if len(body) > self._max_answer_bytes:
                raise OversizedAnswerError(
                    "the vendor's answer is too large", received=bytes(body), limit=self._max_answer_bytes
                )
            if self._clock.now() >= deadline:
                raise requests.ReadTimeout
        return bytes(body)

    def _read(self, reply: _Reply, request: ApiRequest) -> ApiAnswer:
        if not 200 <= reply.status < 300:
            retry_after = _retry_after_ms(reply.headers, unit_ms=self._retry_after_unit_ms)
            refusal = read_refusal(reply.status, reply.body, retry_after_ms=retry_after)
            raise error_for(refusal, request)
        # What came counts, not what was asked for: an answer decides its own format.
        is_xml = reply.body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
        part = Part("answer", "xml" if is_xml else "json", reply.body)
        return ApiAnswer(part, request_id=_request_id(reply))

    def _open_session(self) -> requests.Session:
        with self._opening:
            if self._session is None:
                self._session = self._sessions.open()
            return self._session


def _retry_after_ms(headers: Mapping[str, str], *, unit_ms: int) -> int | None:
    """Read `x-acs-retry-after` as the vendor's client does: a positive integer, or nothing."""
    text = headers.get("x-acs-retry-after", "").strip()
    wait = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    return wait * unit_ms or None


_REQUEST_ID = re.compile(rb'(?:"RequestId"\s*:\s*"|<RequestId>)([\w.-]{1,100})["<]')


def _request_id(reply: _Reply) -> str | None:
    found = _REQUEST_ID.search(reply.body)
    return found.group(1).decode() if found else reply.headers.get("x-acs-request-id")
