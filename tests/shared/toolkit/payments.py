"""An idempotent function to be called in every way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.toolkit.idempotency import idempotent
from shared.toolkit.lease_store import LeaseStore
from shared.toolkit.memory_lease_store import MemoryLeaseStore
from tests.shared.toolkit.lease_actors import LEASE, START


class Payments:
    """A function that pays, a clock, and how often money went out."""

    def __init__(self, store: LeaseStore | None = None, **options: Any) -> None:
        self.store = store or MemoryLeaseStore()
        self.now = START
        self.paid: list[object] = []
        self.ends: list[Callable[[], object]] = []
        settings: dict[str, Any] = {
            "name": "pay",
            "key": lambda order, amount: order,
            "deadline": lambda order, amount: self.now + LEASE,
            "clock": lambda: self.now,
            **options,
        }
        decorate: Any = idempotent(self.store, **settings)
        self.pay: Callable[[object, int], Any] = decorate(self._pay)

    def _pay(self, order: object, amount: int) -> object:
        self.paid.append(order)
        return self.ends.pop(0)() if self.ends else {"receipt": len(self.paid), "amount": amount}


def raising(error: Exception) -> Callable[[], object]:
    """Give a body's end that fails."""

    def end() -> object:
        raise error

    return end
