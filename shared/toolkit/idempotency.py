"""A function that runs once for each key, however often and from however many places it is called.

The first call claims a lease on the key, runs the body and records what came of it, all fenced: a body
that ends after its lease went to somebody else changes nothing. Every other call gets what is recorded.
The body runs a second time only after a failure that may pass, or after a lease that lapsed: no store
can tell a holder that is gone from one that is slow. So `deadline` must be no earlier than the end of
the process's right to work, which for a function is the end of its invocation.

    success              recorded; returned again, as JSON makes it, without running
    PermanentError       recorded; raised again as `FailedBeforeError` without running
    any other Exception  recorded with type and masked reason; the next call runs, `max_attempts` times in all
    MisconfiguredError   the same, but it is no attempt
    process ends         an attempt; the next call after the lease runs

Nothing is cached in the process, and nothing of the configuration is shared between functions: a store
is only a place.
"""

from __future__ import annotations

import functools
import inspect
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Generic, Literal, ParamSpec, TypeVar, overload

from shared.toolkit import leases
from shared.toolkit.call_records import (
    AlreadyRunningError,
    LeaseLostError,
    MissingKeyError,
    Record,
    Replay,
    Running,
    begun,
    canonical,
    failure,
    next_step,
    success,
    unkept,
)
from shared.toolkit.errors import TemporaryError
from shared.toolkit.lease_store import Change, LeaseStore, Row
from shared.toolkit.leases import ContendedError, Lease
from shared.toolkit.log_output import configured_formatter
from shared.toolkit.masking import Masker

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")

_DAY_MS = 86_400_000


class DeadlinePassedError(TemporaryError):
    """No time was left to begin the call."""


@dataclass(frozen=True)
class Raise:
    """While the same call runs elsewhere, raise `AlreadyRunningError`."""


@dataclass(frozen=True)
class Wait:
    """While the same call runs elsewhere, look again every so often, and raise at the deadline.

    `sleep` waits that many milliseconds. Raise `ValueError` for an `every_ms` below 1.
    """

    sleep: Callable[[int], object]
    every_ms: int = 200

    def __post_init__(self) -> None:
        if self.every_ms < 1:
            raise ValueError(f"every_ms: {self.every_ms} is not 1 or more")


@dataclass(frozen=True)
class Skip(Generic[S]):
    """While the same call runs elsewhere, return this at once."""

    value: S


@overload
def idempotent(
    store: LeaseStore,
    *,
    name: str,
    key: Callable[P, object],
    deadline: Callable[P, int],
    running: Skip[S],
    payload: Callable[P, object] | None = ...,
    missing_key: Literal["raise", "run"] = ...,
    lease_ms: int | None = ...,
    keep_ms: int = ...,
    max_attempts: int = ...,
    max_bytes: int = ...,
    clock: Callable[[], int] | None = ...,
    new_holder: Callable[[], str] | None = ...,
) -> Callable[[Callable[P, R]], Callable[P, R | S]]: ...


@overload
def idempotent(
    store: LeaseStore,
    *,
    name: str,
    key: Callable[P, object],
    deadline: Callable[P, int],
    running: Raise | Wait = ...,
    payload: Callable[P, object] | None = ...,
    missing_key: Literal["raise", "run"] = ...,
    lease_ms: int | None = ...,
    keep_ms: int = ...,
    max_attempts: int = ...,
    max_bytes: int = ...,
    clock: Callable[[], int] | None = ...,
    new_holder: Callable[[], str] | None = ...,
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...


def idempotent(
    store: LeaseStore,
    *,
    name: str,
    key: Callable[P, object],
    deadline: Callable[P, int],
    running: Raise | Wait | Skip[Any] = Raise(),
    payload: Callable[P, object] | None = None,
    missing_key: Literal["raise", "run"] = "raise",
    lease_ms: int | None = None,
    keep_ms: int = _DAY_MS,
    max_attempts: int = 5,
    max_bytes: int = 1_000_000,
    clock: Callable[[], int] | None = None,
    new_holder: Callable[[], str] | None = None,
) -> Callable[[Callable[P, R]], Callable[P, Any]]:
    """Let a function run once for each key.

    `key`, `payload` and `deadline` get the arguments of the call. What `key` gives is hashed as JSON,
    together with `name`; it is missing when it is None, empty, or a collection of nothing else, and then
    the call raises `MissingKeyError`, or runs unguarded. What `payload` gives must be the same for every
    call with that key. `deadline` gives when the invocation ends, such as `context.deadline_ms`: the
    lease lasts until then, or for `lease_ms` if given, and nobody waits longer. A record counts for
    `keep_ms`, and is at most `max_bytes` of JSON: a larger result raises `ResultNotKeptError`, with the
    result in it, after the call. `clock` gives epoch milliseconds, `new_holder` a name never given before.

    Raise `TypeError` for a coroutine or generator function, and `ValueError` for a number below 1. A call
    raises `TypeError` when `key` or `payload` gives an object whose names are not all text.
    """
    for option, value in {
        "lease_ms": lease_ms,
        "keep_ms": keep_ms,
        "max_attempts": max_attempts,
        "max_bytes": max_bytes,
    }.items():
        if value is not None and value < 1:
            raise ValueError(f"{option}: {value} is not 1 or more")
    calls = _Calls(
        store, running, lease_ms, keep_ms, max_attempts, max_bytes, clock or _now, new_holder or _new_holder
    )

    def decorate(function: Callable[P, R]) -> Callable[P, Any]:
        if _ends_later(function):
            raise TypeError(f"{name}: an idempotent function is done when it returns")

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> Any:
            given = key(*args, **kwargs)
            if _is_missing(given):
                if missing_key == "run":
                    return function(*args, **kwargs)
                raise MissingKeyError("the call has no key; give one, or allow calls without", function=name)
            return calls.run(
                _digest([name, given]),
                None if payload is None else _digest(payload(*args, **kwargs)),
                deadline(*args, **kwargs),
                functools.partial(function, *args, **kwargs),
            )

        return call

    return decorate


@dataclass(frozen=True)
class _Calls:
    """The calls of one decorated function."""

    store: LeaseStore
    running: Raise | Wait | Skip[Any]
    lease_ms: int | None
    keep_ms: int
    max_attempts: int
    max_bytes: int
    clock: Callable[[], int]
    new_holder: Callable[[], str]

    def run(self, key: str, payload: str | None, deadline: int, body: Callable[[], object]) -> object:
        """Run the body, or give what a call before it came to."""
        now = self.clock()
        record = begun(payload, expires_at=now + self.keep_ms)
        # Without a look before it: most calls are the first of their key.
        lease = self._claim(key, None, record, now, deadline)
        lost = 0
        while lease is None:
            if lost == leases.ATTEMPTS:
                raise ContendedError("others kept winning this call", key=key)
            row, now = self.store.get(key), self.clock()
            step = record if row is None else self._next_step(key, row, payload, now)
            if isinstance(step, Replay):
                return step.result
            if isinstance(step, Running):
                if isinstance(self.running, Skip):
                    return self.running.value
                self._wait(key, step.until, now, deadline)
                continue
            record = step
            lease = self._claim(key, row, record, now, deadline)
            lost += 1
        return self._run_claimed(lease, record, body)

    def _next_step(self, key: str, row: Row, payload: str | None, now: int) -> Replay | Running | Record:
        return next_step(
            key, row, payload=payload, now=now, keep_ms=self.keep_ms, max_attempts=self.max_attempts
        )

    def _claim(self, key: str, row: Row | None, record: Record, now: int, deadline: int) -> Lease | None:
        if deadline <= now:
            raise DeadlinePassedError("no time is left to begin this call", key=key)
        until = deadline if self.lease_ms is None else now + self.lease_ms
        return leases.claim(
            self.store, key, row, holder=self.new_holder(), now=now, until=until, change=record._asdict()
        )

    def _wait(self, key: str, until: int, now: int, deadline: int) -> None:
        if not isinstance(self.running, Wait) or now >= deadline:
            raise AlreadyRunningError("this call is running elsewhere", key=key, retry_after_ms=until - now)
        self.running.sleep(min(self.running.every_ms, until - now, deadline - now))

    def _run_claimed(self, lease: Lease, record: Record, body: Callable[[], object]) -> object:
        try:
            value = body()
        except Exception as error:
            ended = failure(
                error, attempts=record.attempts, expires_at=self.clock() + self.keep_ms, mask=_mask
            )
            if not self._finish(lease, ended):
                raise LeaseLostError("it failed after its lease was lost", key=lease.key) from error
            raise
        ended = success(value, expires_at=self.clock() + self.keep_ms, max_bytes=self.max_bytes)
        if not self._finish(lease, ended):
            raise LeaseLostError("it ended after its lease was lost", key=lease.key, value=value)
        if ended["outcome"] == "unkept":
            raise unkept(lease.key, str(ended["reason"]), value)
        return value

    def _finish(self, lease: Lease, change: Change) -> bool:
        return leases.finish(self.store, lease, lambda _: (change, None)) is not None


def _digest(value: object) -> str:
    text = canonical(value)
    _check_names(value)
    return sha256(text.encode()).hexdigest()


def _check_names(value: object) -> None:
    """Refuse a name that is no text: as JSON, `{1: ...}` and `{"1": ...}` are the same."""
    if isinstance(value, dict):
        for name in value:
            if not isinstance(name, str):
                raise TypeError(f"a key or payload names a member by {type(name).__name__}; make it text")
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for one in value:
            _check_names(one)


def _is_missing(key: object) -> bool:
    if isinstance(key, (list, tuple)):
        return all(map(_is_missing, key))
    if isinstance(key, dict):
        return all(map(_is_missing, key.values()))
    return key is None or key == ""


def _ends_later(function: Callable[..., object]) -> bool:
    kinds = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
    return any(is_kind(function) for is_kind in kinds)


def _mask(text: str) -> str:
    formatter = configured_formatter()
    return (formatter.masker if formatter else Masker()).text(text)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _new_holder() -> str:
    """Draw from the system. The module `random`, or what needs it, takes milliseconds to import."""
    return os.urandom(8).hex()
