"""What may go wrong on the way: planned for the next requests, so that clients can be seen to bear it."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from localcloud.media.wire import RefusedError

BROKEN = RefusedError(500, "InternalError", "Internal error.")
THROTTLED = RefusedError(503, "QpsLimitExceeded", "The request rate is too high.")
DENIED = RefusedError(
    403,
    "AccessDenied",
    "The OwnerId that your Access Key Id associated to is forbidden for this operation.",
)


@dataclass(frozen=True)
class Fault:
    """What happens to one request.

    `refusal` answers instead of doing anything. `hangs_up` does what was asked and does not answer, `garbles`
    answers with what is no XML.
    """

    refusal: RefusedError | None = None
    hangs_up: bool = False
    garbles: bool = False


class Faults:
    """Faults for the next requests, in the order in which they were planned; thread-safe."""

    def __init__(self) -> None:
        self._planned: deque[Fault] = deque()
        self._lock = threading.Lock()

    def plan(self, *faults: Fault) -> None:
        """Plan one fault for each of the next requests."""
        with self._lock:
            self._planned.extend(faults)

    def take(self) -> Fault:
        """Give what happens to a request; nothing, when nothing is planned."""
        with self._lock:
            return self._planned.popleft() if self._planned else Fault()
