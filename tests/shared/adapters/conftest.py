"""Which adapters the contract tests judge, and how racers are let loose on them.

An adapter joins its port's contract by one line in `OBJECT_STORES`, `LEDGERS`, `CLOCKS` or `PARALLELS`.
"""

from __future__ import annotations

import multiprocessing
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest

from shared.adapters.clocks import ManualClock, SystemClock
from shared.adapters.local.folder_object_store import FolderObjectStore
from shared.adapters.local.inline_invoker import InlineInvoker
from shared.adapters.local.sqlite_ledger import SqliteLedger
from shared.adapters.parallel import SequentialParallel, ThreadParallel
from shared.ports import Clock, Ledger, ObjectStore, Parallel

P = TypeVar("P")
THREADS = 8
PROCESSES = 4
PATIENCE_S = 60

Open = Callable[[], "AbstractContextManager[P]"]
"""Opens one more object over the same store; can be sent to another process."""

Meet = Callable[[], object]
"""Waits until every racer is there."""

Race = Callable[[Callable[[P, Meet, int], Any]], "list[Any]"]
"""Runs an action (with its store, the meeting point and its number) in every racer at once."""


@contextmanager
def folder_object_store(folder: Path) -> Iterator[ObjectStore]:
    """Open the archive in a folder."""
    yield FolderObjectStore(folder / "archive")


@contextmanager
def sqlite_ledger(folder: Path) -> Iterator[Ledger]:
    """Open the ledger in a folder."""
    with closing(SqliteLedger(folder / "ledger.sqlite")) as ledger:
        yield ledger


OBJECT_STORES = {"folder": folder_object_store}
LEDGERS = {"sqlite": sqlite_ledger}
CLOCKS: dict[str, Callable[[], Clock]] = {
    "system": SystemClock,
    "manual": lambda: ManualClock(1_763_640_000_000),
}
PARALLELS: dict[str, Callable[[], Parallel]] = {
    "threads": lambda: ThreadParallel(4),
    "sequential": SequentialParallel,
    "sequential, seeded": lambda: SequentialParallel(random.Random(20_251_120)),
}


@pytest.fixture(params=OBJECT_STORES)
def open_objects(request: pytest.FixtureRequest, tmp_path: Path) -> Open[ObjectStore]:
    """Give what opens an object store, of each adapter in turn."""
    return partial(OBJECT_STORES[request.param], tmp_path)


@pytest.fixture
def objects(open_objects: Open[ObjectStore]) -> Iterator[ObjectStore]:
    """Give an object store."""
    with open_objects() as store:
        yield store


@pytest.fixture(params=LEDGERS)
def open_ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Open[Ledger]:
    """Give what opens a ledger, of each adapter in turn."""
    return partial(LEDGERS[request.param], tmp_path)


@pytest.fixture
def ledger(open_ledger: Open[Ledger]) -> Iterator[Ledger]:
    """Give a ledger."""
    with open_ledger() as store:
        yield store


@pytest.fixture(params=CLOCKS)
def clock(request: pytest.FixtureRequest) -> Clock:
    """Give a clock, of each adapter in turn."""
    return CLOCKS[request.param]()


@pytest.fixture(params=PARALLELS)
def parallel(request: pytest.FixtureRequest) -> Parallel:
    """Give a way to run tasks, of each adapter in turn."""
    return PARALLELS[request.param]()


@pytest.fixture(params=["threads", "processes"])
def race_objects(request: pytest.FixtureRequest, open_objects: Open[ObjectStore]) -> Race[ObjectStore]:
    """Race on an object store: threads that share one object, or processes with one each."""
    return RACES[request.param](open_objects)


@pytest.fixture(params=["threads", "processes"])
def race_ledger(request: pytest.FixtureRequest, open_ledger: Open[Ledger]) -> Race[Ledger]:
    """Race on a ledger: threads that share one object, or processes with one each."""
    return RACES[request.param](open_ledger)


class ThreadRace(Generic[P]):
    """Racing threads that share one store."""

    def __init__(self, open_store: Open[P]) -> None:
        self._open = open_store

    def __call__(self, action: Callable[[P, Meet, int], Any]) -> list[Any]:
        """Run the action in all threads; give what each returned, in order of their numbers."""
        meet = partial(threading.Barrier(THREADS).wait, PATIENCE_S)
        with self._open() as store, ThreadPoolExecutor(THREADS) as pool:
            futures = [pool.submit(action, store, meet, number) for number in range(THREADS)]
            return [future.result(PATIENCE_S) for future in futures]


class ProcessRace(Generic[P]):
    """Racing processes, each with a store of its own."""

    def __init__(self, open_store: Open[P]) -> None:
        self._open = open_store

    def __call__(self, action: Callable[[P, Meet, int], Any]) -> list[Any]:
        """Run the action in all processes; give what each returned, in order of their numbers."""
        # Spawned, not forked: a connection or a lock that came along would not be its own.
        context = multiprocessing.get_context("spawn")
        barrier, results = context.Barrier(PROCESSES), context.Queue()
        meet = partial(barrier.wait, PATIENCE_S)
        racers = [
            context.Process(target=_run_racer, args=(action, self._open, meet, number, results), daemon=True)
            for number in range(PROCESSES)
        ]
        for racer in racers:
            racer.start()
        ended = dict(results.get(timeout=PATIENCE_S) for _ in racers)
        for racer in racers:
            racer.join(PATIENCE_S)
            racer.close()
        failures = [outcome for outcome in ended.values() if isinstance(outcome, Exception)]
        if failures:
            raise failures[0]
        return [ended[number] for number in range(PROCESSES)]


def _run_racer(
    action: Callable[[Any, Meet, int], Any],
    open_store: Open[Any],
    meet: Meet,
    number: int,
    results: Queue[Any],
) -> None:
    try:
        with open_store() as store:
            results.put((number, action(store, meet, number)))
    except Exception as error:
        results.put((number, error))


RACES: dict[str, Callable[[Open[Any]], Race[Any]]] = {"threads": ThreadRace, "processes": ProcessRace}


class Deliveries:
    """A function that remembers its payloads and fails as often as it is told to."""

    def __init__(self) -> None:
        self.payloads: list[bytes] = []
        self.failures = 0

    def __call__(self, payload: bytes) -> None:
        """Take a payload, or fail."""
        self.payloads.append(payload)
        if self.failures:
            self.failures -= 1
            raise ConnectionError("the next system is away")


@pytest.fixture
def deliveries() -> Deliveries:
    """Give the function `deliver` of the invoker's tests."""
    return Deliveries()


@pytest.fixture
def invoker(deliveries: Deliveries) -> InlineInvoker:
    """Give an invoker that knows one function, `deliver`."""
    return InlineInvoker({"deliver": deliveries}.__getitem__)
