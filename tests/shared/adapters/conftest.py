"""Which adapters the contract tests judge, and how racers are let loose on them.

An adapter joins its port's contract by one line in `OBJECT_STORES`, `LEDGERS`, `INVOKERS`, `CLOCKS`
or `PARALLELS`.
"""

from __future__ import annotations

import multiprocessing
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import pytest

from localcloud.fc.service import fc_server
from shared.adapters.aliyun.tablestore_ledger import TablestoreLedger
from shared.adapters.aliyun.tablestore_tables import create_tables
from shared.adapters.clocks import ManualClock, SystemClock
from shared.adapters.local.folder_object_store import FolderObjectStore
from shared.adapters.local.inline_invoker import InlineInvoker
from shared.adapters.local.sqlite_ledger import SqliteLedger
from shared.adapters.parallel import SequentialParallel, ThreadParallel
from shared.ports import (
    Clock,
    Invoker,
    Ledger,
    ObjectLinks,
    ObjectRemoval,
    ObjectStore,
    ObjectStreams,
    Parallel,
)
from tests import real_services
from tests.localcloud.fc import worlds as fc
from tests.localcloud.tablestore.worlds import connect, new_service, serving
from tests.shared.adapters.oss_on_the_wire import oss_object_store, oss_on_the_wire

P = TypeVar("P")
THREADS = 16
PROCESSES = 4
PATIENCE_S = 60

Open = Callable[[], "AbstractContextManager[P]"]
"""Opens one more object over the same store; can be sent to another process."""

Meet = Callable[[], object]
"""Waits until every racer is there."""

Race = Callable[[Callable[[P, Meet, int], Any]], "list[Any]"]
"""Runs an action (with its store, the meeting point and its number) in every racer at once."""


class WholeObjectStore(ObjectStore, ObjectStreams, ObjectLinks, ObjectRemoval, Protocol):
    """All that an adapter can do with objects."""


@contextmanager
def folder_object_store(folder: Path) -> Iterator[WholeObjectStore]:
    """Open the archive in a folder."""
    yield FolderObjectStore(folder / "archive")


@contextmanager
def in_a_folder(folder: Path) -> Iterator[Open[WholeObjectStore]]:
    """Give what opens the archive in a folder."""
    yield partial(folder_object_store, folder)


@contextmanager
def in_a_bucket(folder: Path) -> Iterator[Open[WholeObjectStore]]:
    """Give what opens the archive in a bucket of a local OSS, which stops at the end."""
    with oss_on_the_wire(folder) as oss:
        yield partial(oss_object_store, oss.endpoint)


@contextmanager
def sqlite_ledger(folder: Path) -> Iterator[Ledger]:
    """Open the ledger in a folder."""
    with closing(SqliteLedger(folder / "ledger.sqlite")) as ledger:
        yield ledger


@contextmanager
def in_a_file(folder: Path) -> Iterator[Open[Ledger]]:
    """Give what opens the ledger in a folder."""
    yield partial(sqlite_ledger, folder)


@contextmanager
def tablestore_ledger(endpoint: str) -> Iterator[Ledger]:
    """Open the ledger in the Tablestore at an endpoint."""
    with closing(TablestoreLedger(connect(endpoint))) as ledger:
        yield ledger


@contextmanager
def in_tables(folder: Path) -> Iterator[Open[Ledger]]:
    """Serve a Tablestore with empty tables, and give what opens the ledger in it."""
    with serving(new_service()) as server:
        create_tables(connect(server.endpoint))
        yield partial(tablestore_ledger, server.endpoint)


OBJECT_STORES = {"folder": in_a_folder, "oss on the wire": in_a_bucket}
LEDGERS = {"sqlite": in_a_file, "tablestore on the wire": in_tables}
CLOCKS: dict[str, Callable[[], Clock]] = {
    "system": SystemClock,
    "manual": lambda: ManualClock(1_763_640_000_000),
}
PARALLELS: dict[str, Callable[[], Parallel]] = {
    "threads": lambda: ThreadParallel(4),
    "sequential": SequentialParallel,
    "sequential, seeded": lambda: SequentialParallel(random.Random(20_251_120)),
}


@pytest.fixture(params=[*OBJECT_STORES, *real_services.params(real_services.OSS)])
def open_objects(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open[WholeObjectStore]]:
    """Give what opens an object store, of each adapter in turn."""
    if request.param == real_services.OSS:
        scratch = real_services.scratch_name()
        yield partial(real_services.real_object_store, scratch)
        real_services.remove_objects(scratch)
        return
    with OBJECT_STORES[request.param](tmp_path) as opens:
        yield opens


@pytest.fixture
def objects(open_objects: Open[WholeObjectStore]) -> Iterator[WholeObjectStore]:
    """Give an object store."""
    with open_objects() as store:
        yield store


@pytest.fixture(scope="session")
def scratch_tables() -> Iterator[str]:
    """Make scratch tables in Tablestore itself, once: they take their time there."""
    with real_services.scratch_tables() as scratch:
        yield scratch


@pytest.fixture(params=[*LEDGERS, *real_services.params(real_services.TABLESTORE)])
def open_ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open[Ledger]]:
    """Give what opens a ledger, of each adapter in turn."""
    if request.param == real_services.TABLESTORE:
        scratch = request.getfixturevalue("scratch_tables")
        yield partial(real_services.real_ledger, scratch)
        real_services.remove_scratch_rows(scratch)
        return
    with LEDGERS[request.param](tmp_path) as open_one:
        yield open_one


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
def race_objects(
    request: pytest.FixtureRequest, open_objects: Open[WholeObjectStore]
) -> Race[WholeObjectStore]:
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


class Reached(Protocol):
    """An invoker, and the functions behind it."""

    @property
    def invoker(self) -> Invoker:
        """Give the invoker."""
        ...

    def execute(self) -> int:
        """Execute what was accepted; tell how many tasks there were."""
        ...


@dataclass(frozen=True)
class _Reached:
    invoker: Invoker
    execute: Callable[[], int]


Resolve = Callable[[str], Callable[[bytes], object]]


@contextmanager
def in_this_process(resolve: Resolve) -> Iterator[Reached]:
    """Reach functions inside this process."""
    invoker = InlineInvoker(resolve)
    yield _Reached(invoker, invoker.run_accepted)


@contextmanager
def on_fc3(resolve: Resolve) -> Iterator[Reached]:
    """Reach functions of a local FC 3.0."""
    service = fc.new_service(resolve)
    with fc_server(service) as server, closing(fc.fc3(server.endpoint)) as invoker:
        yield _Reached(invoker, service.tasks.execute)


@contextmanager
def on_fc2(resolve: Resolve) -> Iterator[Reached]:
    """Reach functions of a service of a local FC 2.0."""
    service = fc.new_service(resolve)
    with fc_server(service) as server, closing(fc.fc2(server.endpoint)) as invoker:
        yield _Reached(invoker, service.tasks.execute)


INVOKERS = {"inline": in_this_process, "fc3 on the wire": on_fc3, "fc2 on the wire": on_fc2}


@pytest.fixture(params=INVOKERS)
def reached(request: pytest.FixtureRequest, deliveries: Deliveries) -> Iterator[Reached]:
    """Reach the function `deliver`, by each adapter in turn."""
    with INVOKERS[request.param]({"deliver": deliveries, "archive": deliveries}.__getitem__) as reached:
        yield reached


@pytest.fixture
def invoker(reached: Reached) -> Invoker:
    """Give an invoker that knows the function `deliver`, of each adapter in turn."""
    return reached.invoker
