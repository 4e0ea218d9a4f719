"""What happens to every request before and after its operation: size, key, clock, signature, errors."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from localcloud.loopback import HttpReply, HttpRequest, LoopbackServer
from localcloud.tablestore.instance import Instance
from localcloud.tablestore.messages import ERROR
from localcloud.tablestore.operations import perform
from localcloud.tablestore.protobuf import MalformedError
from localcloud.tablestore.refusals import RefusedError, invalid, unauthenticated
from localcloud.tablestore.signatures import Signer, verify
from shared.toolkit.context import Credentials

if TYPE_CHECKING:
    from shared.ports import Clock

MAX_BODY_BYTES = 4 * 1024 * 1024  # tablestore-oss.md 1.3
_API_VERSION = "2015-12-31"


@dataclass(frozen=True)
class Trouble:
    """What goes wrong with one valid call, for the sake of a test.

    `refused` without `rows` refuses the call before it does anything; with them, only those rows of a
    batch. `answer` says what becomes of the answer after the call was done: it is sent, is lost with its
    connection, is cut in the middle, or has another byte. `hold` is waited for before the answer is sent.
    """

    refused: RefusedError | None = None
    rows: frozenset[int] = frozenset()
    answer: Literal["sent", "lost", "cut", "garbled"] = "sent"
    hold: threading.Event | None = None


THROTTLED = RefusedError(503, "OTSServerBusy", "Server is busy.")


class Service:
    """Answers the signed calls of the owners of `keys` for one instance."""

    def __init__(self, instance: Instance, *, name: str, keys: Iterable[Credentials], clock: Clock) -> None:
        self._instance = instance
        self._name = name
        self._keys = {key.access_key_id: key for key in keys}
        self._clock = clock
        self._numbers = itertools.count(1)
        self._troubles: list[tuple[str | None, Trouble]] = []
        self._planning = threading.Lock()

    def plan(self, trouble: Trouble, *, operation: str | None = None, times: int = 1) -> None:
        """Have the next valid calls, of one operation or of any, go wrong."""
        with self._planning:
            self._troubles += [(operation, trouble)] * times

    def answer(self, request: HttpRequest) -> HttpReply | None:
        """Answer one request; a refusal is an answer too. None where the answer is to be lost."""
        request_id = f"{next(self._numbers):032x}"
        signer: Signer | None = None
        trouble = Trouble()
        try:
            signer = self._admit(request)
            operation = request.target.lstrip("/")
            trouble = self._next_trouble(operation)
            status, body = 200, self._perform(operation, request.body, trouble)
        except RefusedError as refused:
            status, body = refused.status, _error(refused)
        except MalformedError as error:
            status, body = 400, _error(invalid(f"The request cannot be read: {error}."))
        if trouble.hold is not None:
            trouble.hold.wait()
        if trouble.answer == "lost":
            return None
        headers = {"x-ots-requestid": request_id}
        if signer is not None:
            headers = signer.headers(request.target, body, request_id=request_id, now=self._clock.now())
        if trouble.answer == "garbled":
            body = bytes([body[0] ^ 0xFF]) + body[1:]
        return HttpReply(status, body, headers, cut_at=len(body) // 2 if trouble.answer == "cut" else None)

    def _admit(self, request: HttpRequest) -> Signer:
        if request.method != "POST":
            raise RefusedError(405, "OTSMethodNotAllowed", "Only POST method for requests is supported.")
        if len(request.body) > MAX_BODY_BYTES:
            raise RefusedError(413, "OTSRequestBodyTooLarge", "The size of POST data is too large.")
        signer = verify(request, keys=self._keys, now=self._clock.now())
        if request.headers["x-ots-apiversion"] != _API_VERSION:
            raise invalid("Invalid API version.")
        if request.headers["x-ots-instancename"] != self._name:
            raise unauthenticated("The instance is not found.")
        return signer

    def _perform(self, operation: str, body: bytes, trouble: Trouble) -> bytes:
        if trouble.refused is not None and not trouble.rows:
            raise trouble.refused
        return perform(
            self._instance,
            operation,
            body,
            lambda place: trouble.refused if place in trouble.rows else None,
        )

    def _next_trouble(self, operation: str) -> Trouble:
        with self._planning:
            for place, (name, trouble) in enumerate(self._troubles):
                if name in (None, operation):
                    del self._troubles[place]
                    return trouble
        return Trouble()


def serve(service: Service, *, port: int = 0) -> LoopbackServer:
    """Give a server of the service, for a `with` block; port 0 takes a free one."""
    # More is read than is allowed, so that what is too large is refused in the vendor's words.
    return LoopbackServer(service.answer, name="tablestore", port=port, max_body_bytes=4 * MAX_BODY_BYTES)


def _error(refused: RefusedError) -> bytes:
    return ERROR.encode({"code": refused.code, "message": refused.message})
