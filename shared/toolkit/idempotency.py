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
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any, Literal, ParamSpec, TypeVar, overload

from shared.toolkit.call_records import MissingKeyError, canonical
from shared.toolkit.guarded_calls import GuardedCalls, Raise, Skip, Wait
from shared.toolkit.lease_store import LeaseStore

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")

_DAY_MS = 86_400_000
_RAISE = Raise()


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
    running: Raise | Wait | Skip[Any] = _RAISE,
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
    calls = GuardedCalls(
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


def _digest(value: object) -> str:
    text = canonical(value)
    _check_names(value)
    return sha256(text.encode()).hexdigest()


def _check_names(value: object) -> None:
    """Refuse a name that is no text: as JSON, `{1: ...}` and `{"1": ...}` are the same."""
    inner: Iterable[object] = ()
    if isinstance(value, dict):
        for name in value:
            if not isinstance(name, str):
                raise TypeError(f"a key or payload names a member by {type(name).__name__}; make it text")
        inner = value.values()
    elif isinstance(value, (list, tuple)):
        inner = value
    for one in inner:
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


def _now() -> int:
    return time.time_ns() // 1_000_000


def _new_holder() -> str:
    """Draw from the system. The module `random`, or what needs it, takes milliseconds to import."""
    return os.urandom(8).hex()
