"""What a hook is given beside the record: who it runs for, the time, and a folder of its own.

A hook is a function `post_process(record, services)`. It is run again until it returns, so it may run more
than once for one version of a record. To say that running it again is no use, it raises
`shared.errors.TargetRefusedError`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shared.errors import NoTimeLeftError, ObjectNotFoundError
from shared.jobs import JobRef
from shared.ports import Clock, ObjectStore
from shared.record import JobRecord


class HookFiles:
    """A folder in the archive, `hooks/<target>`, until the deadline of one run.

    After it nothing is read or written any more: the next run may have begun. Every method may raise
    `NoTimeLeftError` and `StoreUnavailableError`, and `ValueError` for a name that cannot be a key.
    """

    def __init__(self, objects: ObjectStore, *, target: str, clock: Clock, deadline: int) -> None:
        self._objects = objects
        self._target = target
        self._clock = clock
        self._deadline = deadline

    def put(self, name: str, body: bytes, *, content_type: str) -> None:
        """Store a file, replacing what stood there."""
        self._objects.put(self._key(name), body, content_type=content_type)

    def get(self, name: str) -> bytes | None:
        """Read a whole file; None when there is none."""
        try:
            return self._objects.get(self._key(name))
        except ObjectNotFoundError:
            return None

    def _key(self, name: str) -> str:
        if self._clock.now() >= self._deadline:
            raise NoTimeLeftError("the time of this hook is over", target=self._target)
        return f"hooks/{self._target}/{name}"


@dataclass(frozen=True)
class HookServices:
    """What a hook may touch, and what it may want to know."""

    target: str
    """Its own name in `LEDGER_DELIVERY`."""
    job: JobRef
    version: int
    """Grows with every record of this job: an older one must never replace a newer one."""
    event_id: str
    """The same in every run for one version: what another system may tell repetitions by."""
    attempt: int
    deadline: int
    """When its time is over, in epoch milliseconds."""
    clock: Clock
    files: HookFiles


Hook = Callable[[JobRecord, HookServices], object]
