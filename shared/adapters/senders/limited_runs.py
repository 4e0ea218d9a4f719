"""Time limits for work that nobody can be trusted to end in time: name servers, targets, hooks."""

from __future__ import annotations

import contextvars
import threading
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from shared.errors import TargetUnavailableError

T = TypeVar("T")
MOST_LATE = 4


class LimitedRuns:
    """Runs work in threads, and waits no longer than it is told to.

    Python can end no thread from outside, so work that is late goes on, and what comes of it is
    dropped. While `MOST_LATE` works of a target are late, no other of it begins.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._late: dict[str, list[threading.Thread]] = defaultdict(list)

    def run(self, target: str, work: Callable[[], T], *, limit_ms: int) -> T:
        """Give what the work gives, or raise what it raises.

        Raise `TargetUnavailableError` when there is no time, when it runs out, when too much work of the
        target is late already, and for what is raised and no `Exception`.
        """
        if limit_ms <= 0:
            raise TargetUnavailableError("no time left to begin", target=target)
        if self._count_late(target) >= MOST_LATE:
            raise TargetUnavailableError(
                f"{MOST_LATE} earlier tries have not ended, though their time is over", target=target
            )
        future: Future[T] = Future()
        # A daemon: whoever waits no longer must not be kept from exiting either.
        thread = threading.Thread(
            target=contextvars.copy_context().run,
            args=(_settle, future, work, target),
            name=target,
            daemon=True,
        )
        thread.start()
        if not wait([future], limit_ms / 1000).done:
            with self._lock:
                self._late[target].append(thread)
            raise TargetUnavailableError(f"not done within {limit_ms} ms", target=target)
        return future.result()

    def _count_late(self, target: str) -> int:
        with self._lock:
            self._late[target] = [thread for thread in self._late[target] if thread.is_alive()]
            return len(self._late[target])


def _settle(future: Future[T], work: Callable[[], T], target: str) -> None:
    try:
        future.set_result(work())
    except Exception as error:
        future.set_exception(error)
    # `sys.exit()` or a cancelled task in a hook ends a try; raised on, it would end the invocation.
    except BaseException as error:
        ended = TargetUnavailableError(f"it ended with {type(error).__name__}", target=target)
        ended.__cause__ = error
        future.set_exception(ended)
