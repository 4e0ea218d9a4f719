"""MNS on a loopback port, and our client pointed at it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

from localcloud.mns.server import MnsServer
from localcloud.mns.service import MnsService
from shared.adapters.aliyun.mns_queues import MnsQueues
from shared.adapters.clocks import SystemClock
from shared.adapters.http_sessions import HttpSessions
from shared.ports import Clock
from shared.queues import Queues
from shared.toolkit.context import Credentials
from tests.localcloud.mns.worlds import OWN, TEMPORARY, Caller, new_service

MINUTE = 60_000


class HastyClock:
    """The time of this machine, but that nobody waits: whoever sleeps finds it later at once."""

    def __init__(self) -> None:
        self._slept = 0
        self._lock = threading.Lock()

    def now(self) -> int:
        """Tell the time."""
        with self._lock:
            return SystemClock().now() + self._slept

    def sleep(self, ms: int) -> None:
        """Move on."""
        with self._lock:
            self._slept += ms


@dataclass(frozen=True)
class MnsOnTheWire:
    """A running server, the service behind it, and our client; `caller` makes queues and looks into them."""

    endpoint: str
    service: MnsService
    queues: MnsQueues
    caller: Caller

    @property
    def deadline(self) -> int:
        """Give a deadline that is far away."""
        return SystemClock().now() + MINUTE


def new_queues(
    endpoint: str, *, credentials: Callable[[], Credentials] = lambda: OWN, clock: Clock | None = None
) -> MnsQueues:
    """Make a client of ours."""
    return MnsQueues(
        endpoint, credentials=credentials, clock=clock or SystemClock(), open_session=HttpSessions().open
    )


@contextmanager
def mns_queues(endpoint: str) -> Iterator[Queues]:
    """Open the queues at an endpoint; can be sent to another process."""
    with closing(new_queues(endpoint)) as queues:
        yield queues


@contextmanager
def mns_on_the_wire(
    *names: str,
    visibility_timeout: int = 30,
    clock: Clock | None = None,
    keys: Sequence[Credentials] = (OWN, TEMPORARY),
) -> Iterator[MnsOnTheWire]:
    """Serve an account that has these queues to the owners of `keys`; `clock` is the server's."""
    clock = clock or HastyClock()
    service = new_service(clock=clock, keys=keys)
    caller = Caller(service, clock)
    for name in names:
        caller.queue(name, VisibilityTimeout=visibility_timeout)
    with MnsServer(service) as server, closing(new_queues(server.endpoint)) as queues:
        yield MnsOnTheWire(server.endpoint, service, queues, caller)
