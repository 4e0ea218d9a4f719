"""One instance: a process that runs one function, watched (function-compute.md 1.3).

It is ended at a time limit or above its memory, with the platform's words for it. Memory is what the
process itself has in use at its peak (`VmHWM` of Linux; other systems have no such limit here), looked at
twenty times a second: a process that allocates faster is over the limit for that long.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue

from localcloud.fc.log_lines import LogSink
from localcloud.fc.process import Answer, InstancePlan, InstanceProcess
from localcloud.runner import InstanceLostError, InvocationError, failed_with
from localcloud.template import HookSpec

WATCH_S = 0.05
START_LIMIT_S = 60


class Instance:
    """Starts its process at the first call, and takes calls until that ends; safe with threads.

    `clock` gives milliseconds that only grow; time limits are measured with it.
    """

    def __init__(self, plan: InstancePlan, *, log: LogSink, clock: Callable[[], int]) -> None:
        self._plan = plan
        self._log = log
        self._clock = clock
        self._starting = threading.Lock()
        self._process: InstanceProcess | None = None
        self._failed_start: InvocationError | None = None
        self._is_ready = False
        self._is_over = False

    @property
    def is_usable(self) -> bool:
        """Tell whether it can take calls, now or once it has started."""
        if self._is_over or self._failed_start is not None:
            return False
        return self._process is None or not self._process.has_ended

    def peak_mb(self) -> int:
        """Tell the most memory it is known to have had in use."""
        return 0 if self._process is None else self._process.peak_mb()

    def invoke(self, request_id: str, event: bytes) -> bytes:
        """Hand one event to the handler and give the serialised result; raise `InvocationError`."""
        spec = self._plan.spec
        process = self._ready(request_id)
        return self._call(process, "invoke", request_id, HookSpec(spec.handler, spec.timeout), event)

    def stop(self, request_id: str) -> None:
        """Let it run its last hook, and end it."""
        hook = self._plan.spec.pre_stop
        if hook and self._process and self._is_ready and self.is_usable:
            with suppress(InvocationError):  # the log has it, and nobody else waits for it
                self._call(self._process, "pre_stop", request_id, hook)
        self.end()

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self._is_over = True
        if self._process is not None:
            self._process.end()

    def _ready(self, request_id: str) -> InstanceProcess:
        """Start the process and run its initializer, unless that was done; whoever comes meanwhile waits."""
        with self._starting:
            if self._failed_start is not None:
                raise self._failed_start
            if self._process is None:
                self._process = InstanceProcess(self._plan, self._log)
                if self._is_over:  # since it was asked for
                    self._process.end()
            if not self._is_ready:
                try:
                    self._initialize(self._process, request_id)
                except InvocationError as error:
                    self._failed_start = error
                    raise
                self._is_ready = True
            return self._process

    def _initialize(self, process: InstanceProcess, request_id: str) -> None:
        spec = self._plan.spec
        self._wait(process, process.configure(self._plan), START_LIMIT_S)
        process.peak_mb()
        if spec.initializer:
            self._call(process, "initialize", request_id, spec.initializer)

    def _call(
        self, process: InstanceProcess, kind: str, request_id: str, hook: HookSpec, body: bytes = b""
    ) -> bytes:
        answer = process.send(kind, body, request_id=request_id, handler=hook.handler)
        head, told = self._wait(process, answer, hook.timeout)
        if head["failed"]:
            raise failed_with(self._plan.spec.name, told)
        return told

    def _wait(self, process: InstanceProcess, answer: SimpleQueue[Answer | None], timeout_s: int) -> Answer:
        began = self._clock()
        while True:
            try:
                told = answer.get(timeout=WATCH_S)
            except Empty:
                self._watch(process, began, timeout_s)
                continue
            if told is None:
                raise InstanceLostError(self._plan.spec.name, self._exited(process, began))
            return told

    def _watch(self, process: InstanceProcess, began: int, timeout_s: int) -> None:
        """End a process that has used up its time or memory, or whose main program has ended."""
        if self._clock() - began >= timeout_s * 1000:
            process.end_at_timeout()
            raise InstanceLostError(self._plan.spec.name, f"Function timed out after {timeout_s} seconds")
        if process.peak_mb() > self._plan.spec.memory or process.has_exited:
            process.end()

    def _exited(self, process: InstanceProcess, began: int) -> str:
        figures = f"duration: {self._clock() - began}ms, maxMemoryUsage: {process.peak_mb()}MB"
        return f"Process exited unexpectedly before completing request ({figures})"
