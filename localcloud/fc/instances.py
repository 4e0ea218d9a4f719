"""The instances of one function: which of them takes a request, when there are more, when they go."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from localcloud.fc.instance import Instance
from localcloud.runner import TooManyInstancesError

ACCOUNT_LIMIT = 100  # instances of an account in a region (function-compute.md 1.5)


@dataclass(frozen=True)
class Figures:
    """What a function has done so far; `instances` are those that run now.

    `peak_mb` is the most memory that one of these is known to have had in use.
    """

    instances: int
    cold_starts: int
    invocations: int
    peak_mb: int


@dataclass(eq=False)
class _Seat:
    """An instance in use or waiting for it."""

    instance: Instance
    requests: int
    idle_since: int


class Instances:
    """Gives each request an instance that has room, the last used one first; safe with threads.

    `make` makes an instance that has not started; `clock` gives milliseconds that only grow. `limit` is how
    many there may be, `concurrency` how many requests each takes at a time; `request_ids` are for requests
    and last hooks.
    """

    def __init__(
        self,
        make: Callable[[], Instance],
        *,
        concurrency: int,
        limit: int | None,
        clock: Callable[[], int],
        request_ids: Iterator[str],
    ) -> None:
        self._make = make
        self._request_ids = request_ids
        self._concurrency = concurrency
        self._limit = ACCOUNT_LIMIT if limit is None else limit
        self._clock = clock
        self._changing = threading.Lock()
        self._seats: list[_Seat] = []  # those used last at the end
        self._is_over = False
        self._cold_starts = 0
        self._invocations = 0

    def figures(self) -> Figures:
        """Tell what was done so far."""
        with self._changing:
            peak_mb = max((seat.instance.peak_mb() for seat in self._seats), default=0)
            return Figures(len(self._seats), self._cold_starts, self._invocations, peak_mb)

    def invoke(self, event: bytes) -> bytes:
        """Have an instance answer; raise `InvocationError`, or `TooManyInstancesError` when all are busy."""
        with self._seated() as instance:
            return instance.invoke(next(self._request_ids), event)

    def stop_idle(self, *, since: int) -> None:
        """Stop the instances that have had no request since then."""
        with self._changing:
            idle = [seat for seat in self._seats if not seat.requests and seat.idle_since <= since]
            for seat in idle:
                self._seats.remove(seat)
        self._stop(idle)

    def stop(self) -> None:
        """Stop every instance for good; requests that are being answered fail."""
        with self._changing:
            self._is_over = True
            seats, self._seats = self._seats, []
        self._stop(seats)

    def _stop(self, seats: list[_Seat]) -> None:
        with ThreadPoolExecutor() as stopping:
            list(stopping.map(self._stop_one, seats))

    def _stop_one(self, seat: _Seat) -> None:
        if seat.requests:  # its last hook would come after them
            seat.instance.end()
        else:
            seat.instance.stop(next(self._request_ids))

    @contextmanager
    def _seated(self) -> Iterator[Instance]:
        seat = self._take()
        try:
            yield seat.instance
        finally:
            self._leave(seat)

    def _take(self) -> _Seat:
        with self._changing:
            if self._is_over:
                raise RuntimeError("these functions have been stopped")
            self._seats = [seat for seat in self._seats if seat.instance.is_usable]
            seat = next((seat for seat in reversed(self._seats) if seat.requests < self._concurrency), None)
            if seat is None:
                if len(self._seats) >= self._limit:
                    raise TooManyInstancesError(f"all {self._limit} instances are busy")
                seat = _Seat(self._make(), 0, 0)
                self._cold_starts += 1
            else:
                self._seats.remove(seat)
            self._seats.append(seat)
            seat.requests += 1
            self._invocations += 1
            return seat

    def _leave(self, seat: _Seat) -> None:
        with self._changing:
            seat.requests -= 1
            seat.idle_since = self._clock()
            is_over = not seat.instance.is_usable
            if is_over and seat in self._seats:
                self._seats.remove(seat)
        if is_over:
            seat.instance.end()
