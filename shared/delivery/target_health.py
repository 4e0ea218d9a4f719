"""What one instance learns about targets, beyond any single job: whom to leave alone for a while.

Deliveries beside each other may miss one of each other's counts: nothing here needs to be exact.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.policy import HOUR, MINUTE, SECOND

# Two time limits, where a target does not set its own.
_PATIENCE = 20 * SECOND
_PAUSE = 5 * MINUTE
# The longer a try takes, the longer the pause: so a target that hangs has an eleventh of an instance.
_PAUSE_PER_TRY = 10
_LONGEST_PAUSE = 1 * HOUR


@dataclass
class _Failing:
    """What has failed since a target took anything. Until `pause_ends` it is left alone."""

    lost_ms: int = 0
    pause_ends: int = 0


class TargetHealth:
    """Leaves alone a target that takes nothing, or that used up much time in vain; then tries it again.

    For the life of an instance, not of an invocation: most of these bring a job or two, and the jobs of one
    target that hangs would keep every instance from all others.
    """

    def __init__(self) -> None:
        self._failing: dict[str, _Failing] = {}

    def took(self, name: str) -> None:
        """Note that a target has answered as it should."""
        self._failing.pop(name, None)

    def failed(self, name: str, *, after_ms: int, now: int) -> None:
        """Note a try that failed after so long."""
        failing = self._failing.setdefault(name, _Failing())
        failing.lost_ms += after_ms
        if failing.lost_ms >= _PATIENCE:
            failing.pause_ends = now + min(max(_PAUSE, _PAUSE_PER_TRY * after_ms), _LONGEST_PAUSE)

    def took_nothing(self, name: str, *, now: int) -> None:
        """Note that each of many tries beside each other failed, unless that is why there were none."""
        if not self.pause_left(name, now):
            self._failing.setdefault(name, _Failing()).pause_ends = now + _PAUSE

    def pause_left(self, name: str, now: int) -> int:
        """Tell for how long a target is still to be left alone; 0 when it may be tried."""
        failing = self._failing.get(name)
        return 0 if failing is None else min(max(0, failing.pause_ends - now), _LONGEST_PAUSE)
