"""Ways to run independent tasks: beside each other in threads, or one after the other.

Both give each task a copy of the caller's context variables: keys that the logger has bound follow
into the task, and what a task binds stays with it.
"""

from __future__ import annotations

import contextvars
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from shared.ports import Done

T = TypeVar("T")


class ThreadParallel:
    """Runs tasks in at most `workers` threads, all of which have ended when `run` returns."""

    def __init__(self, workers: int) -> None:
        if workers < 1:
            raise ValueError("a pool needs at least one worker")
        self._workers = workers

    def run(self, tasks: Sequence[Callable[[], T]]) -> list[Done[T]]:
        """Run all tasks to their end and give each one's outcome, in the order of `tasks`."""
        # A pool per run: a thread that outlived its invocation would go on in the time of the next.
        with ThreadPoolExecutor(max_workers=self._workers) as pool:
            futures = [pool.submit(contextvars.copy_context().run, _outcome, task) for task in tasks]
        return [future.result() for future in futures]


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
