"""What becomes of an asynchronous invocation: how often it is tried, and who is told of its end. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from localcloud.fc.invocation import Outcome

_SECOND = 1_000
_FIRST_WAIT_MS = 500
_LONGEST_WAIT_MS = 5 * 3_600 * _SECOND
_FORMS: Mapping[Literal["queue", "function"], re.Pattern[str]] = {
    # Whether the ARN of a queue ends in /messages is not proven (function-compute.md 2.2): both do.
    "queue": re.compile(r"acs:mns:[^:]*:[^:]*:/?queues/(?P<name>[^/]+)(?:/messages)?"),
    "function": re.compile(r"acs:fc:[^:]*:[^:]*:functions/(?P<name>[^/]+)(?:/[^/]+)?"),
}


@dataclass(frozen=True)
class Destination:
    """Who is told of the end of an invocation."""

    kind: Literal["queue", "function"]
    name: str

    @classmethod
    def of(cls, arn: str) -> Destination:
        """Read an ARN; raise `ValueError` for what is neither a queue of MNS nor a function."""
        for kind, form in _FORMS.items():
            if found := form.fullmatch(arn):
                return cls(kind, found["name"])
        raise ValueError(
            f"{arn!r} is no queue of MNS and no function: of destinations only these are imitated"
        )


@dataclass(frozen=True)
class AsyncConfig:
    """How a function is invoked asynchronously, by default as the platform does (function-compute.md 2.2)."""

    retries: int = 3
    oldest_s: int = 86_400
    on_success: Destination | None = None
    on_failure: Destination | None = None

    def destination(self, outcome: Outcome) -> Destination | None:
        """Tell who is told of that end."""
        return self.on_failure if outcome.error_type else self.on_success


@dataclass(frozen=True)
class Told:
    """What a destination is told beside the payload and the outcome. Time in epoch milliseconds."""

    request_id: str
    function_arn: str
    ended_at: int
    attempts: int


def wait_ms(tries_before: int) -> int:
    """Tell how long a task waits for its next try: 0.5, 1, 2, 4, 8 s, up to 5 hours.

    So it is after throttling (function-compute.md 2.2); no page says how long FC waits after a failure.
    """
    return min(_FIRST_WAIT_MS << min(tries_before, 32), _LONGEST_WAIT_MS)


def invocation_record(told: Told, payload: bytes, outcome: Outcome) -> bytes:
    """Write what a destination gets (function-compute.md 2.2); bytes that are no UTF-8 are replaced."""
    record = {
        "timestamp": told.ended_at,
        "requestContext": {
            "requestId": told.request_id,
            "functionArn": told.function_arn,
            "condition": outcome.error_type or "",
            "approximateInvokeCount": told.attempts,
        },
        "requestPayload": payload.decode(errors="replace"),
        "responseContext": {"statusCode": 200, "functionError": outcome.error_type or ""},
        "responsePayload": outcome.body.decode(errors="replace"),
    }
    return json.dumps(record, ensure_ascii=False).encode()
