"""`MediaApi` within a budget of calls: again on what is temporary, and every try takes a token of its own."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from shared.errors import NoTimeLeftError, TemporaryError, ThrottledError
from shared.ports import Clock, MediaApi
from shared.toolkit.budget import NoBudgetLeftError, TokenBucket, share
from shared.vendor import ApiAnswer, ApiRequest

# Then it is for the job's own schedule: a held lease is no place to wait for a vendor to come back.
_MOST_TRIES = 4
_FIRST_WAIT_MS = 200
_LONGEST_WAIT_MS = 5_000


class CallBudget:
    """A part of what the account may call per second, by product; safe with threads.

    A product without a rate of its own has the lowest of them. The buckets start empty as the budget is
    made, so that what happens before the first call counts towards its wait.
    """

    def __init__(self, per_second: Mapping[str, float], *, clock: Clock, part: float, among: int = 1) -> None:
        rates = {name: share(rate, part=part, among=among) for name, rate in per_second.items()}
        self._lowest = min(rates.values())
        self._clock = clock
        self._buckets = {name: TokenBucket(rate, clock=clock.now) for name, rate in rates.items()}
        self._opening = threading.Lock()

    def take(self, product: str, *, deadline: int) -> None:
        """Wait until a call is allowed; raise `NoTimeLeftError`, at once, when that is after the deadline.

        Its `retry_after_ms` tells when one is.
        """
        try:
            self._bucket(product).take(until_ms=deadline, sleep=self._clock.sleep)
        except NoBudgetLeftError as error:
            raise NoTimeLeftError(
                "the budget of calls allows none before the deadline",
                retry_after_ms=error.retry_after_ms,
                product=product,
            ) from None

    def _bucket(self, product: str) -> TokenBucket:
        with self._opening:
            if product not in self._buckets:
                self._buckets[product] = TokenBucket(self._lowest, clock=self._clock.now)
            return self._buckets[product]


@dataclass(frozen=True)
class PacedMediaApi:
    """Call `inner`, which tries once, up to four times; `random` draws the waits between."""

    inner: MediaApi
    clock: Clock
    random: random.Random
    budget: CallBudget | None = None

    def call(self, request: ApiRequest, *, deadline: int) -> ApiAnswer:
        """Call once, trying again on what is temporary as long as `deadline` allows."""
        failed: TemporaryError | None = None
        for tries in range(1, _MOST_TRIES + 1):
            try:
                if self.budget is not None:
                    self.budget.take(request.product, deadline=deadline)
            except NoTimeLeftError:
                if failed is not None:
                    raise failed from None  # it was asked, and this is what came of it
                raise
            try:
                return self.inner.call(request, deadline=deadline)
            except TemporaryError as error:
                failed = error
                wait = self._wait_before_next_try(error, tries)
                is_last = tries == _MOST_TRIES or self.clock.now() + wait >= deadline
                if is_last or not _may_repeat(request, error):
                    raise
            self.clock.sleep(wait)
        raise AssertionError("the last try either answers or raises")

    def _wait_before_next_try(self, error: TemporaryError, tries: int) -> int:
        """Double the wait with every try, at random between half and whole, never less than asked."""
        longest = min(_FIRST_WAIT_MS * 2 ** (tries - 1), _LONGEST_WAIT_MS)
        jittered = int(longest * self.random.uniform(0.5, 1.0))
        return (error.retry_after_ms or 0) + jittered


def _may_repeat(request: ApiRequest, error: TemporaryError) -> bool:
    """Tell whether trying again is safe: a job whose submission was not answered may exist."""
    return isinstance(error, ThrottledError) or request.action.startswith(
        ("Get", "Query", "List", "Describe")
    )
