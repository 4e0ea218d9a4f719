"""Asynchronous invocations: accepted at once and only once, executed by a thread of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType

from shared.adapters.local.inline_invoker import FailedTask, InlineInvoker

Function = Callable[[bytes], object]


class Tasks:
    """Accepts tasks any time; a thread executes them while the `with` block lasts.

    Outside of one, `execute` does it. `resolve` gives the function of a name, and raises `LookupError` for
    one that does not exist.
    """

    def __init__(self, resolve: Callable[[str], Function]) -> None:
        self._invoker = InlineInvoker(resolve)
        self._wanted = threading.Event()
        self._is_over = False
        self._thread = threading.Thread(target=self._work, name="fc-tasks", daemon=True)

    @property
    def failed(self) -> tuple[FailedTask, ...]:
        """What failed in every execution, in order."""
        return self._invoker.failed

    def accept(self, function: str, payload: bytes, *, task_id: str) -> bool:
        """Take a task; False when this function had one of that id before."""
        accepted = self._invoker.invoke(function, payload, task_id=task_id)
        self._wanted.set()
        return accepted

    def execute(self) -> int:
        """Execute what was accepted, and what that starts; tell how many there were."""
        return self._invoker.run_accepted()

    def __enter__(self) -> Tasks:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over = True
        self._wanted.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._is_over:
            self._wanted.wait()
            self._wanted.clear()
            self.execute()
