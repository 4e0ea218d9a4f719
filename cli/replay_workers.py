"""Processes that replay beside each other: Python runs one thread at a time, and normalizing is all its own.

The command reads the index and keeps how far it is; what it sends to a process is a batch of keys, and what
comes back is counts.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass

from shared import bootstrap
from shared.errors import TemporaryError
from shared.ports import Services
from shared.replay.run import Work, rehearse_all, replay_all
from shared.replay.selection import Batch
from shared.replay.tally import Tally
from shared.settings import Settings

# Batches for each process that are on their way: enough that none waits for the index.
_AHEAD = 2


@dataclass(frozen=True)
class Wish:
    """What is to be done with each job; a rehearsal writes nothing, and may compare."""

    deliver: bool = False
    is_rehearsal: bool = False
    against: bool = False

    def do(self, services: Services, keys: Sequence[str]) -> Tally:
        """Do it to jobs, beside each other."""
        if self.is_rehearsal:
            return rehearse_all(services, keys, against=self.against)
        return replay_all(services, keys, deliver=self.deliver)


def in_this_process(services: Services, wish: Wish) -> Work:
    """Do batches one after the other."""

    def work(chosen: Iterable[Batch]) -> Iterator[tuple[Batch, Tally]]:
        for batch in chosen:
            yield batch, wish.do(services, batch.keys)

    return work


@contextmanager
def in_processes(settings: Mapping[str, str], wish: Wish, processes: int) -> Iterator[Work]:
    """Do batches in so many processes, each with connections of its own."""
    # A fork would take over the connections, and locks of threads that it does not have.
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, spawn, _open, (dict(settings),)) as pool:

        def work(chosen: Iterable[Batch]) -> Iterator[tuple[Batch, Tally]]:
            waiting: deque[tuple[Batch, Future[Tally]]] = deque()
            for batch in chosen:
                waiting.append((batch, pool.submit(_do, wish, batch.keys)))
                if len(waiting) > _AHEAD * processes:
                    yield _next(waiting)
            while waiting:
                yield _next(waiting)

        try:
            yield work
        finally:
            pool.shutdown(cancel_futures=True)


def _next(waiting: deque[tuple[Batch, Future[Tally]]]) -> tuple[Batch, Tally]:
    batch, done = waiting.popleft()
    try:
        return batch, done.result()
    except BrokenProcessPool as error:
        raise TemporaryError("a process ended without a word: run the same command again") from error


# What a process of the pool works with, from its start to its end.
_opened: list[Services] = []


def _open(settings: Mapping[str, str]) -> None:
    # Whoever interrupts the command wants batches that were begun to end; the command sees to the rest.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _opened.append(bootstrap.build(Settings.read(settings)))


def _do(wish: Wish, keys: Sequence[str]) -> Tally:
    return wish.do(_opened[0], keys)
