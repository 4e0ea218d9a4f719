"""Ports that fail where a plan says so: before the effect, after it, in some rows, or not at all.

The wrappers implement the ports over any adapter. With a hook that raises, a process "crashes" at a
chosen call; with a hook that writes, somebody else comes in between.

    faults = Faults(at(3, ANSWER_LOST))
    ledger, objects = FaultyLedger(ledger, faults), FaultyObjectStore(objects, faults)
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO

from shared.errors import OutcomeUnknownError, StoreUnavailableError
from shared.ports import Archive, Change, Done, Invoker, Ledger, ObjectInfo, Page, When
from shared.tables import Index, Key, Row, Table

Hook = Callable[[], object]


@dataclass(frozen=True)
class Call:
    """One call of a port. `number` counts all calls of all ports that share a `Faults`, from 1.

    `target` is the table's name or the object's key.
    """

    number: int
    method: str
    target: str


@dataclass(frozen=True)
class Fault:
    """What happens around one call: a hook before the effect, one after it, and rows that fail.

    A hook may raise. `rows` are positions of an `insert_many` that are not written and end in that
    error, while their neighbours are.
    """

    before: Hook | None = None
    after: Hook | None = None
    rows: Mapping[int, Exception] = field(default_factory=dict)


Plan = Callable[[Call], "Fault | None"]


def _unavailable() -> None:
    raise StoreUnavailableError("planned: the store did not answer, nothing was written")


def _answer_lost() -> None:
    raise OutcomeUnknownError("planned: the write happened and its answer was lost")


UNAVAILABLE = Fault(before=_unavailable)
ANSWER_LOST = Fault(after=_answer_lost)


def at(number: int, fault: Fault) -> Plan:
    """Plan one fault at the call of that number."""
    return lambda call: fault if call.number == number else None


def first(method: str, fault: Fault, *, target: str | None = None) -> Plan:
    """Plan one fault at the first call of a method, of one target where it is named."""
    left = [fault]

    def plan(call: Call) -> Fault | None:
        meant = call.method == method and target in (None, call.target)
        return left.pop() if meant and left else None

    return plan


class Faults:
    """Counts the calls of the ports that it is given to, and asks the plan at each; thread-safe."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._lock = threading.Lock()
        self._calls: list[Call] = []

    @property
    def calls(self) -> tuple[Call, ...]:
        """All calls so far, in the order in which they began."""
        with self._lock:
            return tuple(self._calls)

    @contextmanager
    def around(self, method: str, target: str) -> Iterator[Fault]:
        """Count a call, and run what the plan has for it before and after."""
        with self._lock:
            call = Call(len(self._calls) + 1, method, target)
            self._calls.append(call)
            fault = self._plan(call) or Fault()
        # Outside the lock: a hook may call the ports itself.
        if fault.before is not None:
            fault.before()
        yield fault
        if fault.after is not None:
            fault.after()


class FaultyLedger:
    """A ledger whose calls go through `faults`."""

    def __init__(self, inner: Ledger, faults: Faults) -> None:
        self._inner = inner
        self._faults = faults
        self.BATCH_LIMIT = inner.BATCH_LIMIT
        self.PAGE_LIMIT = inner.PAGE_LIMIT

    def get(self, table: Table, key: Key) -> Row | None:
        """See `Ledger.get`."""
        with self._faults.around("get", table.name):
            return self._inner.get(table, key)

    def insert(self, table: Table, key: Key, row: Row) -> bool:
        """See `Ledger.insert`."""
        with self._faults.around("insert", table.name):
            return self._inner.insert(table, key, row)

    def insert_many(self, table: Table, rows: Sequence[tuple[Key, Row]]) -> list[Done[bool]]:
        """See `Ledger.insert_many`."""
        with self._faults.around("insert_many", table.name) as fault:
            sent = [row for position, row in enumerate(rows) if position not in fault.rows]
            outcomes = iter(self._inner.insert_many(table, sent))
            return [
                Done(error=fault.rows[position]) if position in fault.rows else next(outcomes)
                for position in range(len(rows))
            ]

    def update(self, table: Table, key: Key, change: Change, when: Sequence[When]) -> bool:
        """See `Ledger.update`."""
        with self._faults.around("update", table.name):
            return self._inner.update(table, key, change, when)

    def scan(
        self,
        table: Table,
        index: Index,
        partition: str,
        *,
        upto: int,
        limit: int,
        after: Row | None = None,
        newest_first: bool = False,
    ) -> Page:
        """See `Ledger.scan`."""
        with self._faults.around("scan", index.name):
            return self._inner.scan(
                table, index, partition, upto=upto, limit=limit, after=after, newest_first=newest_first
            )

    def under(
        self,
        table: Table,
        first: str,
        *,
        columns: Sequence[str],
        limit: int,
        after: Row | None = None,
    ) -> Page:
        """See `Ledger.under`."""
        with self._faults.around("under", table.name):
            return self._inner.under(table, first, columns=columns, limit=limit, after=after)


class FaultyObjectStore:
    """An object store whose calls go through `faults`."""

    def __init__(self, inner: Archive, faults: Faults) -> None:
        self._inner = inner
        self._faults = faults

    def put(self, key: str, body: bytes, *, content_type: str) -> None:
        """See `ObjectStore.put`."""
        with self._faults.around("put", key):
            self._inner.put(key, body, content_type=content_type)

    def put_new(self, key: str, body: bytes, *, content_type: str) -> bool:
        """See `ObjectStore.put_new`."""
        with self._faults.around("put_new", key):
            return self._inner.put_new(key, body, content_type=content_type)

    def get(self, key: str) -> bytes:
        """See `ObjectStore.get`."""
        with self._faults.around("get", key):
            return self._inner.get(key)

    def has(self, key: str) -> bool:
        """See `ObjectStore.has`."""
        with self._faults.around("has", key):
            return self._inner.has(key)

    def put_file(self, key: str, file: BinaryIO, *, content_type: str) -> bool:
        """See `ObjectStreams.put_file`."""
        with self._faults.around("put_file", key):
            return self._inner.put_file(key, file, content_type=content_type)

    def chunks(self, key: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """See `ObjectStreams.chunks`; the call is asking for the first one."""
        with self._faults.around("chunks", key):
            yield from self._inner.chunks(key, start=start, end=end)

    def info(self, key: str) -> ObjectInfo:
        """See `ObjectStreams.info`."""
        with self._faults.around("info", key):
            return self._inner.info(key)

    def link(self, key: str, *, seconds: int, saved_as: str | None = None) -> str:
        """See `ObjectLinks.link`, which calls nobody."""
        return self._inner.link(key, seconds=seconds, saved_as=saved_as)

    def remove(self, key: str) -> None:
        """See `ObjectRemoval.remove`."""
        with self._faults.around("remove", key):
            self._inner.remove(key)

    def keys(self, folder: str) -> Iterator[str]:
        """See `ObjectStore.keys`; the call is asking for the first one."""
        with self._faults.around("keys", folder):
            yield from self._inner.keys(folder)


class FaultyInvoker:
    """An invoker whose calls go through `faults`."""

    def __init__(self, inner: Invoker, faults: Faults) -> None:
        self._inner = inner
        self._faults = faults

    def invoke(self, function: str, payload: bytes, *, task_id: str) -> bool:
        """See `Invoker.invoke`."""
        with self._faults.around("invoke", function):
            return self._inner.invoke(function, payload, task_id=task_id)
