"""What a command needs to send deliveries itself, in place of the function `deliver`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from shared import sending
from shared.handing_over import ARCHIVE, FUNCTION, HandOver
from shared.policy import MINUTE
from shared.ports import Services
from shared.settings import Settings

# More than the longest time limit that a target can have.
_BATCH_TIME = 15 * MINUTE


def without_key(settings: Settings) -> frozenset[str]:
    """Name the targets that this shell has no key to sign for."""
    keys = dict(settings.delivery_keys)
    return frozenset(
        one.name for one in settings.delivery.targets if one.kind == "https" and one.name not in keys
    )


def why_not(settings: Settings) -> str | None:
    """Say why deliveries cannot be sent from here; None when they can."""
    if not settings.delivery.targets:
        return "LEDGER_DELIVERY is not set here"
    missing = without_key(settings)
    return f"LEDGER_DELIVERY_KEYS has no key for {', '.join(sorted(missing))} here" if missing else None


def send(services: Services, keys: Sequence[str]) -> dict[str, int]:
    """Send what is due of these jobs, and count what came of it."""
    in_time = replace(services, deadline=services.clock.now() + _BATCH_TIME)
    return {str(outcome): count for outcome, count in sending.deliver(in_time, keys).items()}


@dataclass
class HeldJobs:
    """The invoker of a command: it keeps what is handed over to `deliver` and `archive`."""

    _jobs: dict[str, dict[str, None]] = field(default_factory=lambda: {FUNCTION: {}, ARCHIVE: {}})

    def take(self, function: str = FUNCTION) -> tuple[str, ...]:
        """Give the jobs that were handed over to a function since it was asked last."""
        jobs = tuple(self._jobs[function])
        self._jobs[function].clear()
        return jobs

    def invoke(self, function: str, payload: bytes, *, task_id: str) -> bool:
        """See `Invoker.invoke`."""
        self._jobs[function] |= dict.fromkeys(HandOver.read(json.loads(payload)).jobs)
        return True
