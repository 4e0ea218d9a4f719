"""Virtual time, and work in it that is put on hold and taken up again: one thing at a time, in one order.

A fiber runs only while everybody else waits. It gives way in `Scheduler.delay` and `Scheduler.together`
alone, so that what happens in between is one step, and a run is nothing but the order of such steps.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from greenlet import getcurrent, greenlet


class Killed(BaseException):
    """The process of this fiber ends here: nothing in it may catch this and go on."""


@dataclass
class _Process:
    """What fibers live and die in together."""

    dies_at: int


class Scheduler:
    """The clock of a simulated world, and what is to happen when; see `Clock` for `now` and `sleep`."""

    def __init__(self, start: int) -> None:
        self._now = start
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._running: _Fiber | None = None
        self._paused: dict[_Fiber, None] = {}

    def now(self) -> int:
        """See `Clock.now`."""
        return self._now

    def sleep(self, ms: int) -> None:
        """See `Clock.sleep`."""
        self.delay(ms)

    @property
    def next_at(self) -> int | None:
        """Tell when anything happens next."""
        return self._queue[0][0] if self._queue else None

    def at(self, when: int, happen: Callable[[], None]) -> None:
        """Let something happen then; of two things at one time the first that was said goes first."""
        heapq.heappush(self._queue, (max(when, self._now), next(self._numbers), happen))

    def start(self, task: Callable[[], None], *, dies_at: int) -> None:
        """Begin a task now, in a process of its own that is killed when its time is up."""
        self.at(self._now, _Fiber(self, task, _Process(dies_at)).go_on)

    def run(self, until: int) -> None:
        """Let everything happen that is due until then."""
        while self._queue and self._queue[0][0] <= until:
            self._now, _, happen = heapq.heappop(self._queue)
            happen()
        self._now = max(self._now, until)

    def delay(self, ms: int) -> None:
        """Let so much time pass for the running fiber; outside of one, for everybody.

        Raise `Killed` when its process ends before that.
        """
        fiber, until = self._running, self._now + ms
        if fiber is None:
            self._now = until
            return
        wakes = min(until, max(fiber.process.dies_at, self._now))
        # Nobody else is due before: there is no need to change fibers.
        if self._queue and self._queue[0][0] <= wakes:
            self.at(wakes, fiber.go_on)
            self._pause(fiber)
        else:
            self._now = wakes
        if wakes < until or self._now > fiber.process.dies_at:
            raise Killed

    def together(self, tasks: Sequence[Callable[[], None]], *, workers: int) -> None:
        """Do tasks beside each other, in fibers of the running one's process, and wait for all of them.

        Raise `Killed` when the process has ended.
        """
        parent, waiting = self._running, deque(tasks)
        if parent is None:
            raise RuntimeError("only a fiber can wait for others")
        left = min(workers, len(tasks))

        def work() -> None:
            nonlocal left
            try:
                while waiting:
                    waiting.popleft()()
            finally:
                left -= 1
                if not left:
                    self.at(self._now, parent.go_on)

        for _ in range(left):
            self.at(self._now, _Fiber(self, work, parent.process).go_on)
        self._pause(parent)
        if self._now >= parent.process.dies_at:
            raise Killed

    def kill_running(self) -> None:
        """Kill the process of the running fiber: whatever it still calls fails like this."""
        if self._running is not None:
            self._running.process.dies_at = self._now
        raise Killed

    def end(self) -> None:
        """Kill whatever still waits, so that nothing of a run goes on after it."""
        self._queue.clear()
        while self._paused:
            fiber = next(iter(self._paused))
            fiber.process.dies_at = self._now
            fiber.is_killed = True
            fiber.go_on()

    def _pause(self, fiber: _Fiber) -> None:
        self._paused[fiber] = None
        self._running = None
        fiber.give_way()

    def _resumed(self, fiber: _Fiber | None) -> None:
        if fiber is not None:
            self._paused.pop(fiber, None)
        self._running = fiber


class _Fiber:
    """A task that is either running alone or on hold, on a stack of its own.

    Threads could do the same; half of the time of a run went into changing places among them.
    """

    def __init__(self, scheduler: Scheduler, task: Callable[[], None], process: _Process) -> None:
        self.process = process
        self.is_killed = False
        self._scheduler = scheduler
        self._task = task
        self._stack = greenlet(self._run)

    def go_on(self) -> None:
        """Run until it gives way or ends; raise what it ended with."""
        self._scheduler._resumed(self)
        self._stack.parent = getcurrent()
        try:
            self._stack.switch()
        finally:
            self._scheduler._resumed(None)

    def give_way(self) -> None:
        """Stand still until somebody lets it go on."""
        back = self._stack.parent
        assert back is not None
        back.switch()
        if self.is_killed:
            raise Killed

    def _run(self) -> None:
        with suppress(Killed):
            self._task()
