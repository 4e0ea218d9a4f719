"""What the vendor's API gateway does for every product, before and after the operation itself."""

from __future__ import annotations

import random
import threading
from calendar import timegm
from collections import deque
from collections.abc import Iterable, Mapping
from itertools import takewhile
from time import strptime
from typing import TYPE_CHECKING
from urllib.parse import quote

from localcloud.media.rendering import CONTENT_TYPES, render
from localcloud.media.signatures import Stamp, verify
from localcloud.media.wire import Action, Format, RefusedError, WireReply, WireRequest
from shared.toolkit.context import Credentials

if TYPE_CHECKING:
    from shared.ports import Clock

# How far a client's clock may be off: 31 minutes (media-jobs.md 3, signing).
TIME_WINDOW_MS = 31 * 60 * 1000


class Gateway:
    """Answers the signed calls of `actions` for the owners of `keys`.

    Keys with a token are temporary: the token must come with every call. Calls are answered one
    after the other, so the services behind need no locks.
    """

    def __init__(
        self,
        actions: Iterable[Action],
        *,
        keys: Iterable[Credentials],
        clock: Clock,
        random: random.Random,
    ) -> None:
        self._actions = {(action.version, action.name): action for action in actions}
        self._keys: Mapping[str, Credentials] = {key.access_key_id: key for key in keys}
        self._clock = clock
        self._random = random
        self._nonces: dict[str, int] = {}
        self._troubles: deque[RefusedError] = deque()
        self._one_by_one = threading.Lock()

    def throttle(self, times: int = 1, *, retry_after: int | None = None) -> None:
        """Throttle the next valid calls, with HTTP 400 as the vendor does (media-jobs.md 3, errors)."""
        trouble = RefusedError(
            400, "Throttling.User", "Request was denied due to user flow control.", retry_after=retry_after
        )
        self._troubles.extend([trouble] * times)

    def break_down(self, times: int = 1) -> None:
        """Be unavailable for the next valid calls."""
        trouble = RefusedError(
            503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server."
        )
        self._troubles.extend([trouble] * times)

    def stumble(self, times: int = 1) -> None:
        """Fail the next valid calls for no reason that the vendor knows (media-jobs.md 3, errors)."""
        trouble = RefusedError(
            500,
            "InternalError",
            "The operation has failed due to some unknown error, exception or failure.",
        )
        self._troubles.extend([trouble] * times)

    def answer(self, request: WireRequest) -> WireReply:
        """Answer one request; a refusal is an answer too."""
        answer_format = request.answer_format
        with self._one_by_one:
            request_id = self._request_id()
            try:
                body = self._body(request, request_id)
            except RefusedError as refused:
                return _refusal(refused, request, request_id=request_id)
        return WireReply(200, body, _headers(answer_format, request_id))

    def _body(self, request: WireRequest, request_id: str) -> bytes:
        action = self._action(request)
        self._check_stamp(verify(request, self._keys))
        if self._troubles:
            raise self._troubles.popleft()
        answer = action.handle(request.params)
        if isinstance(answer, bytes):
            return answer
        tree = {"RequestId": request_id, **answer}
        return render(tree, root=f"{action.name}Response", answer_format=request.answer_format)

    def _action(self, request: WireRequest) -> Action:
        """Find the operation; version first, as an unsigned call is told too (acme.sh issue 2750)."""
        if not any(version == request.version for version, _ in self._actions):
            raise RefusedError(400, "InvalidVersion", "Specified parameter Version is not valid.")
        try:
            return self._actions[request.version, request.action]
        except KeyError:
            raise RefusedError(
                404,
                "InvalidAction.NotFound",
                "Specified api is not found, please check your url and method.",
            ) from None

    def _check_stamp(self, stamp: Stamp) -> None:
        now = self._clock.now()
        if abs(now - _epoch_ms(stamp.timestamp)) > TIME_WINDOW_MS:
            raise RefusedError(
                400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired."
            )
        for old in list(takewhile(lambda nonce: self._nonces[nonce] < now, self._nonces)):
            del self._nonces[old]
        if stamp.nonce in self._nonces:
            raise RefusedError(400, "SignatureNonceUsed", "Specified signature nonce was used already.")
        self._nonces[stamp.nonce] = now + 2 * TIME_WINDOW_MS

    def _request_id(self) -> str:
        digits = f"{self._random.getrandbits(128):032X}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _refusal(refused: RefusedError, request: WireRequest, *, request_id: str) -> WireReply:
    body = render(
        {
            "RequestId": request_id,
            "HostId": request.headers.get("host", ""),
            "Code": refused.code,
            "Message": refused.message,
            "Recommend": f"https://troubleshoot.api.aliyun.com?q={quote(refused.code)}",
        },
        root="Error",
        answer_format=request.answer_format,
    )
    headers = _headers(request.answer_format, request_id)
    if refused.retry_after is not None:
        headers["x-acs-retry-after"] = str(refused.retry_after)
    return WireReply(refused.status, body, headers)


def _headers(answer_format: Format, request_id: str) -> dict[str, str]:
    return {"content-type": CONTENT_TYPES[answer_format], "x-acs-request-id": request_id}


def _epoch_ms(timestamp: str) -> int:
    try:
        return timegm(strptime(timestamp, "%Y-%m-%dT%H:%M:%SZ")) * 1000
    except ValueError:
        raise RefusedError(
            400, "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted."
        ) from None
