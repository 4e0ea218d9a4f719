"""Hand what settled jobs leave to do to `deliver` and `archive`, asynchronously: nobody here waits for it."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.asking import RESERVE
from shared.errors import MisconfiguredError, ParseError
from shared.policy import HOUR
from shared.ports import Services
from shared.toolkit import metrics

LOG = logging.getLogger(__name__)

FUNCTION = "deliver"
ARCHIVE = "archive"

# As many as one invocation gets through in its time. Their keys, of some 160 bytes at most, fit well into the
# 128 KB of an asynchronous payload (function-compute.md 1.5).
_MOST = 100


# More than a clock may be off by which the vendor still takes signatures (media-jobs.md 3).
_CLOCKS_DIFFER = 1 * HOUR


@dataclass(frozen=True)
class HandOver:
    """Jobs that something is to be done for, and what time it was where they were handed over."""

    jobs: tuple[str, ...]
    at: int | None = None

    @classmethod
    def read(cls, tree: Any) -> HandOver:
        """Read what `payload` wrote; raise `ParseError` for anything else. `at` may be left out."""
        match tree:
            case {"jobs": [*jobs], **more} if all(isinstance(job, str) for job in jobs):
                at = more.get("at")
                if at is None or type(at) is int:
                    return cls(tuple(jobs), at)
        raise ParseError("no `jobs`, a list of keys, with `at`, epoch milliseconds", layer="hand-over")

    @property
    def payload(self) -> bytes:
        """Write the event that hands them over."""
        return json.dumps({"jobs": self.jobs, "at": self.at}).encode()

    def check_clock(self, now: int) -> None:
        """Raise `MisconfiguredError` when this instance's clock is far from that of whoever handed over.

        With a clock that is ahead an entry would be put off to a time at which nobody comes for it, and
        evidence be given up that can still be had.
        """
        if self.at is not None and abs(now - self.at) > _CLOCKS_DIFFER:
            raise MisconfiguredError("the clocks of two instances differ", here=now, there=self.at)


def hand_over(services: Services, keys: Sequence[str], *, function: str = FUNCTION) -> int:
    """Have a function do now what is due for these jobs; tell of how many jobs that was accepted.

    Raise nothing: what is not handed over, or is lost on the way, stays due, and the timer comes to it.
    """
    accepted = 0
    for start in range(0, len(keys), _MOST):
        jobs, now = tuple(keys[start : start + _MOST]), services.clock.now()
        if now >= services.deadline - RESERVE:
            LOG.info("no time left to hand over to %s", function, extra={"jobs": len(keys) - start})
            break
        # A new name each time: what an earlier invocation left undone is to be done by a later one.
        task_id = f"{function}-{services.random.getrandbits(64):016x}"
        try:
            services.invoker.invoke(function, HandOver(jobs, now).payload, task_id=task_id)
        except Exception as error:
            _tell(error, function, len(jobs))
        else:
            accepted += len(jobs)
    return accepted


def _tell(error: Exception, function: str, jobs: int) -> None:
    metrics.count("not_handed_over", jobs, function=function)
    if isinstance(error, MisconfiguredError):
        metrics.count("misconfigured", why="handing over")
        LOG.critical("misconfigured: nothing can be handed over to %s: %s", function, error)
    else:
        LOG.error("not handed over to %s; it stays due", function, exc_info=error)
