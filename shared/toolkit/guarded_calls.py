"""The calls of a function that runs once for each key, and what they do about each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from shared.toolkit import leases
from shared.toolkit.call_records import (
    AlreadyRunningError,
    LeaseLostError,
    Replay,
    Running,
    begun,
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

S = TypeVar("S")


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


@dataclass(frozen=True)
class GuardedCalls:
    """The calls of one idempotent function."""

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
        return self._run_claimed(lease, body)

    def _next_step(self, key: str, row: Row, payload: str | None, now: int) -> Replay | Running | Change:
        return next_step(
            key, row, payload=payload, now=now, keep_ms=self.keep_ms, max_attempts=self.max_attempts
        )

    def _claim(self, key: str, row: Row | None, record: Change, now: int, deadline: int) -> Lease | None:
        if deadline <= now:
            raise DeadlinePassedError("no time is left to begin this call", key=key)
        until = deadline if self.lease_ms is None else now + self.lease_ms
        return leases.claim(
            self.store, key, row, holder=self.new_holder(), now=now, until=until, change=record
        )

    def _wait(self, key: str, until: int, now: int, deadline: int) -> None:
        if not isinstance(self.running, Wait) or now >= deadline:
            raise AlreadyRunningError("this call is running elsewhere", key=key, retry_after_ms=until - now)
        self.running.sleep(min(self.running.every_ms, until - now, deadline - now))

    def _run_claimed(self, lease: Lease, body: Callable[[], object]) -> object:
        try:
            value = body()
        except Exception as error:
            attempts = leases.number(lease.row, "attempts")
            ended = failure(error, attempts=attempts, expires_at=self.clock() + self.keep_ms, mask=_mask)
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


def _mask(text: str) -> str:
    formatter = configured_formatter()
    return (formatter.masker if formatter else Masker()).text(text)
