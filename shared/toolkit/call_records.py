"""What is kept of an idempotent call, and what that means for the next one. Pure.

A record is the columns of a lease's row that are no lease: what came of the call, how often its body was
begun, and until when that counts. It is written with the claim, so that a body that takes its process with
it is counted, too.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from shared.toolkit.errors import FunctionError, MisconfiguredError, PermanentError, TemporaryError
from shared.toolkit.json_text import encoder
from shared.toolkit.lease_store import Change, Row, Value
from shared.toolkit.leases import number

_REASON_CHARS = 1_000


# Keys and payloads are compared by their bytes; a result keeps the order it was made in.
canonical = encoder(sort_keys=True, compact=True)
_encode = encoder(compact=True)
_decode = json.JSONDecoder().raw_decode

_OUTCOMES = ("running", "done", "unkept", "failed", "refused")


class MissingKeyError(PermanentError):
    """The call has nothing that tells it from another one, so it was not begun."""


class PayloadMismatchError(PermanentError):
    """The same key came with another payload before; nothing was run."""


class AlreadyRunningError(TemporaryError):
    """The same call is running; `retry_after_ms` tells when its lease ends."""


class FailedBeforeError(PermanentError):
    """The same call failed before in a way that trying again does not change; nothing was run."""


class AttemptsExhaustedError(PermanentError):
    """The same call was begun as often as is allowed and never succeeded; nothing was run."""


class ResultNotKeptError(PermanentError):
    """The call succeeded and will not run again, but what it returned could not be kept.

    `value` is what it returned, for the one caller whose call it was; None for all later ones.
    """

    def __init__(self, message: str, *, value: object, **details: object) -> None:
        super().__init__(message, **details)
        self.value = value


class LeaseLostError(TemporaryError):
    """The body ended after its lease had gone to somebody else: what came of it was not recorded.

    `value` is what it returned; where it raised, that is the cause. The next call gets what is recorded.
    """

    def __init__(self, message: str, *, key: str, value: object = None) -> None:
        super().__init__(message, key=key)
        self.value = value


class Record(NamedTuple):
    """What is kept of a call, named like its columns.

    `result` is JSON. `error_type` and `reason` tell of a failure, masked.
    """

    outcome: str
    attempts: int
    expires_at: int
    payload: str | None = None
    result: str | None = None
    error_type: str | None = None
    reason: str | None = None

    @classmethod
    def read(cls, key: str, row: Row) -> Record:
        """Read a row's record; raise `PermanentError` naming the key when this version cannot."""
        record = cls(*map(row.get, cls._fields))  # type: ignore[arg-type]  # looked at in the next line
        if record.outcome in _OUTCOMES and type(record.attempts) is type(record.expires_at) is int:
            return record
        raise PermanentError("this is no record of a call that can be read", key=key)


def success(value: object, *, expires_at: int, max_bytes: int) -> dict[str, Value]:
    """Give what a success changes in the record; its outcome is `unkept` when the value cannot be kept."""
    try:
        result = _encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        reason = f"it is not JSON: {type(error).__name__}"
    else:
        if len(result) <= max_bytes:
            return {"outcome": "done", "expires_at": expires_at, "result": result}
        reason = f"it takes {len(result)} bytes; {max_bytes} are allowed"
    return {"outcome": "unkept", "expires_at": expires_at, "reason": reason}


def failure(
    error: Exception, *, attempts: int, expires_at: int, mask: Callable[[str], str]
) -> dict[str, Value]:
    """Give what a failure changes in the record of a call that was begun `attempts` times.

    A `PermanentError` is about the input: it is final. Everything else may work later. To be set up
    wrongly is no fault of the call: it does not count as an attempt.
    """
    return {
        "outcome": "refused" if isinstance(error, PermanentError) else "failed",
        "attempts": attempts - isinstance(error, MisconfiguredError),
        "expires_at": expires_at,
        "error_type": type(error).__name__,
        # Masked first: a cut may leave half a secret that no rule knows. No store holds half a character.
        "reason": mask(str(error)).encode(errors="replace").decode()[:_REASON_CHARS],
    }


class Replay(NamedTuple):
    """The call is done; this is what it returned, as JSON makes it."""

    result: Any


class Running(NamedTuple):
    """The same call is running; this is when its lease ends."""

    until: int


def begun(payload: str | None, *, attempts: int = 1, expires_at: int) -> Change:
    """Give the record of a call whose body is about to run, with nothing left of a call before it."""
    return {
        "outcome": "running",
        "attempts": attempts,
        "expires_at": expires_at,
        "payload": payload,
        "result": None,
        "error_type": None,
        "reason": None,
    }


def next_step(
    key: str, row: Row, *, payload: str | None, now: int, keep_ms: int, max_attempts: int
) -> Replay | Running | Change:
    """Decide what a call is to do about a row that is there; a change is what to claim it with.

    Raise where nothing is to be run: for a payload that differs, a result that was not kept, a failure
    that is final, or attempts that are used up.
    """
    record, until = Record.read(key, row), number(row, "lease_until")
    if until <= now and record.expires_at <= now:
        return begun(payload, expires_at=now + keep_ms)
    if record.payload != payload:
        raise PayloadMismatchError("this key came with another payload before", key=key)
    if until > now:
        return Running(until)
    if record.outcome == "done":
        return Replay(_kept(key, record.result))
    if error := _final(key, record, max_attempts):
        raise error
    return begun(payload, attempts=record.attempts + 1, expires_at=now + keep_ms)


def _kept(key: str, result: str | None) -> Any:
    try:
        return _decode(result or "null")[0]
    except (TypeError, ValueError, RecursionError):
        raise PermanentError("what was kept of this call cannot be read", key=key) from None


def _final(key: str, record: Record, max_attempts: int) -> FunctionError | None:
    if record.outcome == "unkept":
        return unkept(key, str(record.reason))
    told = {"key": key, "attempts": record.attempts, "type": record.error_type, "reason": record.reason}
    if record.outcome == "refused":
        return FailedBeforeError("this call failed before and is not run again", **told)
    if record.attempts >= max_attempts:
        return AttemptsExhaustedError("this call never succeeded and is not run again", **told)
    return None


def unkept(key: str, reason: str, value: object = None) -> ResultNotKeptError:
    """Tell that a call succeeded whose result is not there."""
    return ResultNotKeptError(
        "this call succeeded, but its result could not be kept", value=value, key=key, reason=reason
    )
