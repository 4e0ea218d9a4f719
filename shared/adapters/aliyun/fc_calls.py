"""An asynchronous invocation on its way to Function Compute, and what is answered to it.

One try: whoever invokes is called again by its own timer or outbox, and a task that was accepted
already is refused then.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.adapters.http_sessions import never_connected
from shared.adapters.vendor_errors import error_for, read_refusal
from shared.errors import (
    FunctionError,
    OutcomeUnknownError,
    PermanentError,
    SettingError,
    VendorUnavailableError,
)
from shared.vendor import ApiRequest

if TYPE_CHECKING:
    import requests

    from shared.ports import Clock

# An answer to an asynchronous invocation is empty, or an error of a few lines.
_MOST_BYTES = 64 * 1024
_ACCEPTED_BEFORE = 409  # function-compute.md 2.2, "Async tasks"
_UNFIT = ("invalidargument", "missingrequiredheader", "pathnotsupported", "entitytoolarge")


@dataclass(frozen=True)
class FcPatience:
    """How long a connection and the answer may take."""

    connect_ms: int = 2_000
    read_ms: int = 5_000


@dataclass(frozen=True)
class FcTask:
    """What is invoked: the function by its whole name, and the id of the task."""

    function: str
    task_id: str


class FcCalls:
    """Sends invocations that are signed already; safe with threads.

    `deadline` tells until when, in epoch milliseconds, an invocation may take. `open_session` opens the
    connections, for the life of this object, when the first call is made.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        deadline: Callable[[], int],
        open_session: Callable[[], requests.Session],
        patience: FcPatience | None = None,
    ) -> None:
        self._clock = clock
        self._deadline = deadline
        self._open_session = open_session
        self._patience = patience or FcPatience()
        self._session: requests.Session | None = None
        self._opening = threading.Lock()

    def send(self, url: str, headers: Mapping[str, str], payload: bytes, *, task: FcTask) -> bool:
        """Invoke; False when a task of that id was accepted before.

        Raise what `read_answer` raises, `VendorUnavailableError` when nothing was sent, and
        `OutcomeUnknownError` when no answer came.
        """
        import requests
        import urllib3

        left = self._deadline() - self._clock.now()
        if left <= 0:
            raise VendorUnavailableError("no time left to invoke", function=task.function)
        try:
            response = self._opened().post(
                url,
                data=payload,
                headers=dict(headers),
                timeout=(
                    min(self._patience.connect_ms, left) / 1000,
                    min(self._patience.read_ms, left) / 1000,
                ),
                allow_redirects=False,
                stream=True,
            )
            with response:
                body = response.raw.read(_MOST_BYTES, decode_content=True)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            failed = error
        else:
            return read_answer(response.status_code, response.headers, body, task=task)
        # Raised outside of the handler: the client's messages hold addresses, and would be the context.
        raise _unanswered(failed, task)

    def close(self) -> None:
        """Close the kept connections; a later call opens new ones."""
        with self._opening:
            session, self._session = self._session, None
        if session is not None:
            session.close()

    def _opened(self) -> requests.Session:
        with self._opening:
            if self._session is None:
                self._session = self._open_session()
            return self._session


def read_answer(status: int, headers: Mapping[str, str], body: bytes, *, task: FcTask) -> bool:
    """Tell whether the task was accepted, and not before.

    Raise `OutcomeUnknownError` for a failure of the server that may have come after accepting; any other
    error says that the task was not accepted: `SettingError` for a function that is not there,
    `VendorRefusedError` for our key or permissions, `ThrottledError` and `VendorUnavailableError` for now,
    `PermanentError` for what would be refused again.
    """
    error_type = headers.get("x-fc-error-type")
    if 200 <= status < 300 and error_type is None:
        return True
    if status == _ACCEPTED_BEFORE:
        return False
    if 200 <= status < 300:
        # A function error is a header, not a status (local-servers.md 5).
        raise PermanentError(
            "the function failed instead of being started",
            function=task.function,
            task_id=task.task_id,
            error_type=error_type,
        )
    raise _refused(status, body, task)


def _refused(status: int, body: bytes, task: FcTask) -> FunctionError:
    refusal = read_refusal(status, body)
    code = refusal.code.lower()
    details: dict[str, Any] = {
        "function": task.function,
        "task_id": task.task_id,
        "status": status,
        "vendor_code": refusal.code or None,
        "request_id": refusal.request_id,
    }
    if status >= 500 and status != 503:
        return OutcomeUnknownError("Function Compute failed; it may have accepted the task", **details)
    if code in ("functionnotfound", "servicenotfound"):
        return SettingError(
            "there is no such function: deploy it, or check the prefix or service in LEDGER_INVOKER",
            **details,
        )
    if status == 413 or code in _UNFIT:
        return PermanentError(f"Function Compute refused the task: {refusal.message}", **details)
    error = error_for(refusal, ApiRequest("fc", "", "InvokeFunction"))
    error.details.update(function=task.function, task_id=task.task_id)
    return error


def _unanswered(failed: Exception, task: FcTask) -> FunctionError:
    reason = type(failed).__name__
    details: dict[str, Any] = {"function": task.function, "task_id": task.task_id}
    if never_connected(failed):
        return VendorUnavailableError(f"Function Compute cannot be reached: {reason}", **details)
    return OutcomeUnknownError(
        f"Function Compute did not answer: {reason}; it may have accepted the task", **details
    )
