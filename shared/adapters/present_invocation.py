"""What adapters that live as long as an instance ask of its present invocation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from shared.toolkit.context import Credentials

if TYPE_CHECKING:
    from shared.ports import Clock


class PresentInvocation:
    """Tells until when a call may take, and with which keys it is signed.

    Function Compute hands temporary keys over anew with each invocation. Outside of one, a call may take
    `longest_ms` from now on, with the keys that `otherwise` gives. An instance that runs several invocations
    at once has the time and the keys of the one that began last.
    """

    def __init__(self, clock: Clock, *, longest_ms: int, otherwise: Callable[[], Credentials]) -> None:
        self._clock = clock
        self._longest_ms = longest_ms
        self._otherwise = otherwise
        self._ends: int | None = None
        self._keys: Credentials | None = None

    def begin(self, *, ends: int, keys: Credentials | None) -> None:
        """Begin an invocation that ends at `ends`, in epoch milliseconds; without a role it has no keys."""
        self._ends = ends
        self._keys = keys

    def deadline(self) -> int:
        """Tell until when a call may take, in epoch milliseconds."""
        return self._clock.now() + self._longest_ms if self._ends is None else self._ends

    def remaining_ms(self) -> int:
        """Tell how much time is left; 0 when none is."""
        return max(0, self.deadline() - self._clock.now())

    def credentials(self) -> Credentials:
        """Give the keys of the moment."""
        return self._keys or self._otherwise()
