"""What may go wrong on the way: planned for the next requests, so that clients can be seen to bear it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from localcloud.loopback import HttpReply, HttpRequest
from localcloud.oss.wire import RefusedError

THROTTLED = RefusedError(503, "QpsLimitExceeded", "Please reduce your request rate.")
UNAVAILABLE = RefusedError(503, "ServiceUnavailable", "Please reduce your request rate.")
BROKEN = RefusedError(500, "InternalError", "We encountered an internal error. Please try again.")
DENIED = RefusedError(403, "AccessDenied", "You have no right to access this object.")
TOKEN_EXPIRED = RefusedError(403, "SecurityTokenExpired", "The security token you provided has expired.")


@dataclass(frozen=True)
class Fault:
    """What happens to one request.

    `refusal` answers instead of doing anything. `hangs_up` does what was asked and does not answer.
    `meanwhile` is called before anything else. `damages_request` flips a bit of what is sent. The others
    spoil an answer: cut its body after so many bytes, flip a bit of it, or name another checksum.
    """

    refusal: RefusedError | None = None
    hangs_up: bool = False
    meanwhile: Callable[[], object] | None = None
    damages_request: bool = False
    cut_at: int | None = None
    damages_body: bool = False
    damages_checksum: bool = False

    def on_the_way(self, request: HttpRequest) -> HttpRequest:
        """Do to a request what is planned."""
        return replace(request, body=_flipped(request.body)) if self.damages_request else request

    def spoil(self, reply: HttpReply) -> HttpReply | None:
        """Do to an answer what is planned; None when it never leaves."""
        if self.hangs_up:
            return None
        headers = dict(reply.headers)
        if self.damages_checksum and "x-oss-hash-crc64ecma" in headers:
            headers["x-oss-hash-crc64ecma"] = str(int(headers["x-oss-hash-crc64ecma"]) ^ 1)
        body = _flipped(reply.body) if self.damages_body else reply.body
        return replace(reply, headers=headers, body=body, cut_at=self.cut_at)


class Faults:
    """Faults for the next requests of a method, in the order in which they were planned; thread-safe."""

    def __init__(self) -> None:
        self._planned: dict[str, deque[Fault]] = {}
        self._lock = threading.Lock()

    def plan(self, method: str, *faults: Fault) -> None:
        """Plan one fault for each of the next requests of that method."""
        with self._lock:
            self._planned.setdefault(method, deque()).extend(faults)

    def take(self, method: str) -> Fault:
        """Give what happens to a request; nothing, when nothing is planned."""
        with self._lock:
            planned = self._planned.get(method)
            return planned.popleft() if planned else Fault()


def _flipped(body: bytes) -> bytes:
    return bytes(byte ^ 1 for byte in body[:1]) + body[1:]
