"""Invokes functions inside this process, later: what FC's asynchronous invocation is on a laptop."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from shared.adapters.async_tasks import check_task

RETRIES = 3  # up to four executions by default: function-compute.md 2.2

Target = Callable[[bytes], object]


@dataclass(frozen=True)
class FailedTask:
    """A task that failed in every execution, with the reason of the last one."""

    function: str
    task_id: str
    payload: bytes
    reason: str


@dataclass(frozen=True)
class _Task:
    function: str
    task_id: str
    payload: bytes
    target: Target


class InlineInvoker:
    """Accepts tasks at once and runs them when `run_accepted` is called; safe with threads.

    `resolve` gives the function of a name, and raises for a name it does not know: only the caller
    knows functions, so that nothing here imports one.
    """

    def __init__(self, resolve: Callable[[str], Target]) -> None:
        self._resolve = resolve
        self._lock = threading.Lock()
        self._seen: set[tuple[str, str]] = set()
        self._accepted: deque[_Task] = deque()
        self._failed: list[FailedTask] = []

    @property
    def failed(self) -> tuple[FailedTask, ...]:
        """What failed for good, in order: the failure destination of an asynchronous function."""
        with self._lock:
            return tuple(self._failed)

    def invoke(self, function: str, payload: bytes, *, task_id: str) -> bool:
        """Hand the payload over; False when this function accepted a task of that id before.

        Raise `PermanentError` for a payload or an id that FC would refuse, and what `resolve` raises.
        """
        check_task(function, payload, task_id=task_id)
        task = _Task(function, task_id, payload, self._resolve(function))
        with self._lock:
            # FC answers 409 to an id that the same function had before (function-compute.md 2.2).
            if (function, task_id) in self._seen:
                return False
            self._seen.add((function, task_id))
            self._accepted.append(task)
        return True

    def run_accepted(self) -> int:
        """Run tasks until none is left, those they start included; tell how many there were."""
        count = 0
        while (task := self._next()) is not None:
            reason = _execute(task)
            if reason is not None:
                with self._lock:
                    self._failed.append(FailedTask(task.function, task.task_id, task.payload, reason))
            count += 1
        return count

    def _next(self) -> _Task | None:
        with self._lock:
            return self._accepted.popleft() if self._accepted else None


def _execute(task: _Task) -> str | None:
    """Run one task with FC's retries; give the reason of the last failure, None for success."""
    reason = None
    for _ in range(1 + RETRIES):
        try:
            task.target(task.payload)
        except Exception as error:  # FC retries whatever an execution ended with
            reason = f"{type(error).__name__}: {error}"
        else:
            return None
    return reason
