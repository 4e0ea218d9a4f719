"""How long MNS and EventBridge wait before they try again what failed (function-compute.md 2). Pure."""

from __future__ import annotations

import random

from localcloud.mns.topics import Strategy

_SECOND = 1_000
_SHORT = ((10, 20),) * 3
_LONG = tuple((2**power, 2**power) for power in range(9)) + ((512, 512),) * 167


def retry_wait_ms(strategy: Strategy, failures: int, draw: random.Random) -> int | None:
    """Tell the wait after so many failures, at least one; None when nothing is tried any more."""
    waits = _SHORT if strategy == "BACKOFF_RETRY" else _LONG
    if failures > len(waits):
        return None
    return int(draw.uniform(*waits[failures - 1]) * _SECOND)
