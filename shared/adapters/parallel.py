"""Ways to run independent tasks: beside each other in threads, or one after the other.

Both give each task a copy of the caller's context variables: keys that the logger has bound follow
into the task, and what a task binds stays with it.
"""

from __future__ import annotations

import contextvars
import random
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from shared.ports import Done

T = TypeVar("T")


class ThreadParallel:
    """Runs at most `workers` tasks at once, one of them in the caller's own thread: the last one first.

    All threads have ended when `run` returns.
    """

    def __init__(self, workers: int) -> None:
        if workers < 1:
            raise ValueError("a pool needs at least one worker")
        self._workers = workers

    def run(self, tasks: Sequence[Callable[[], T]]) -> list[Done[T]]:
        """Run all tasks to their end and give each one's outcome, in the order of `tasks`.

        What ends a process, no `Exception`, is raised when all that had begun has ended.
        """
        shared = _Tasks(tasks)
        # Made for each run: a thread that outlived its invocation would go on in the time of the next.
        threads: list[threading.Thread] = []
        try:
            for _ in range(min(self._workers, len(tasks)) - 1):
                thread = threading.Thread(target=shared.help_out)
                thread.start()
                threads.append(thread)
        finally:  # the system may have no thread to give, and those that it gave must end
            shared.begin()
            for thread in threads:
                thread.join()
        return shared.outcomes()


class _Tasks(Generic[T]):
    """Tasks that several threads take, the caller from the end and the others from the start."""

    def __init__(self, tasks: Sequence[Callable[[], T]]) -> None:
        self._waiting = deque((at, contextvars.copy_context(), task) for at, task in enumerate(tasks))
        self._done: dict[int, Done[T]] = {}
        self._ends: list[BaseException] = []
        # A new thread has the processor until it waits for something: without a gate, the caller's own task,
        # on which others may rest, would begin after what all the threads begin with.
        self._gate = threading.Event()

    def begin(self) -> None:
        """Let the others begin, and work with them."""
        self._gate.set()
        self._work(self._waiting.pop)

    def help_out(self) -> None:
        """Wait for the caller, and work with it."""
        self._gate.wait()
        self._work(self._waiting.popleft)

    def outcomes(self) -> list[Done[T]]:
        """Give the outcomes in order, or raise what ends the process."""
        if self._ends:
            raise self._ends[0]
        return [self._done[at] for at in range(len(self._done))]

    def _work(self, take: Callable[[], tuple[int, contextvars.Context, Callable[[], T]]]) -> None:
        try:
            while True:
                at, context, task = take()
                self._done[at] = context.run(_outcome, task)
        except IndexError:  # of `take`: nothing is waiting any more
            pass
        except BaseException as end:
            self._ends.append(end)
            self._waiting.clear()


class SequentialParallel:
    """Runs tasks one after the other, in an order drawn from `random` where one is given."""

    def __init__(self, random: random.Random | None = None) -> None:
        self._random = random

    def run(self, tasks: Sequence[Callable[[], T]]) -> list[Done[T]]:
        """Run all tasks to their end and give each one's outcome, in the order of `tasks`."""
        order = list(range(len(tasks)))
        if self._random is not None:
            self._random.shuffle(order)
        outcomes = {at: contextvars.copy_context().run(_outcome, tasks[at]) for at in order}
        return [outcomes[at] for at in range(len(tasks))]


def _outcome(task: Callable[[], T]) -> Done[T]:
    try:
        return Done(value=task())
    except Exception as error:
        # One task's failure is its own outcome; the caller decides what it means for the others.
        return Done(error=error)
