"""What Function Compute takes as an asynchronous task, checked before anything is sent."""

from __future__ import annotations

import re

from shared.errors import PermanentError

PAYLOAD_LIMIT = 128 * 1024  # of an asynchronous invocation: function-compute.md 1.5
_TASK_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,127}")  # function-compute.md 2.2, "Async tasks"


def check_task(function: str, payload: bytes, *, task_id: str) -> None:
    """Raise `PermanentError` for a payload or an id that would be refused."""
    if len(payload) > PAYLOAD_LIMIT:
        raise PermanentError(
            "the payload is too long for an asynchronous invocation",
            function=function,
            task_id=task_id[:128],
            bytes=len(payload),
            limit=PAYLOAD_LIMIT,
        )
    if not _TASK_ID.fullmatch(task_id):
        raise PermanentError("not a task id", function=function, task_id=task_id[:128])
