"""A small world to settle jobs in: local stores, a clock that stands still, a vendor with a script.

The ledger is watched: every write of a job row is checked against the rules that no history may break.
What it finds is told by `World.broken`, not raised: use cases catch errors of their ports.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar

from functions.archive import handler as archive_evidence
from functions.deliver import handler as deliver
from functions.reconcile import handler as reconcile
from functions.replay import handler as replay
from shared import archive, effects, intake, reconciliation, settlement
from shared.adapters.clocks import ManualClock
from shared.adapters.local.folder_object_store import FolderObjectStore
from shared.adapters.local.folder_result_files import FolderResultFiles
from shared.adapters.local.inline_invoker import InlineInvoker
from shared.adapters.local.sqlite_ledger import SqliteLedger
from shared.adapters.parallel import SequentialParallel
from shared.due import BUCKETS, DueJobs
from shared.errors import CorruptRowError
from shared.intake import Receipt
from shared.job_row import JobRow, read_job, with_hints
from shared.jobs import JobRef, State
from shared.kinds import KINDS
from shared.policy import DAY, Policy
from shared.ports import Archive, Change, Done, Ledger, Parallel, Services, When
from shared.run_summary import Summary
from shared.tables import INBOX, JOBS, JOBS_DUE, Key, Row, Table, Value
from shared.toolkit.message import Message
from tests.faults import Fault, Faults, FaultyInvoker, FaultyLedger, FaultyObjectStore
from tests.memory_stores import MemoryLedger, MemoryObjectStore
from tests.row_rules import Write, broken_rules
from tests.scripted_downloads import FaultyDownloads, ScriptedDownloads
from tests.scripted_targets import FaultySender, ScriptedTargets
from tests.scripted_vendor import FaultyMediaApi, ScriptedMediaApi

T = TypeVar("T")

KIND = "vod.media_audit"
MOST_CONDITIONS = 10  # of one write: tablestore-oss.md 1.2, its older page
START = 1_763_640_000_000  # 2025-11-20T12:00:00Z
FOREVER = START + 3_650 * DAY


class Crash(BaseException):
    """The process ends here: nothing in it may catch this and go on."""


def _end() -> None:
    raise Crash


ENDS_BEFORE, ENDS_AFTER = Fault(before=_end), Fault(after=_end)


def ref(job_id: str) -> JobRef:
    """Name a job of the one kind of this world."""
    return JobRef(KIND, job_id)


def job_row(state: State, **columns: Value | None) -> JobRow:
    """Make the row of the job `job-1` as it might have been read; its token is 7."""
    key = ref("job-1").key
    given: Change = {"state": state.value, "token": 7, "wanted": 1, **columns}
    made = with_hints(key, {}, given)
    return JobRow.read(key, {name: value for name, value in made.items() if value is not None})


class WatchedLedger:
    """A ledger that keeps every write of a job row, as it was before and after."""

    def __init__(self, inner: Ledger, clock: ManualClock) -> None:
        self._inner = inner
        self._clock = clock
        self.BATCH_LIMIT, self.PAGE_LIMIT = inner.BATCH_LIMIT, inner.PAGE_LIMIT
        self.get, self.scan, self.under, self.insert_many = (
            inner.get,
            inner.scan,
            inner.under,
            inner.insert_many,
        )
        self.writes: list[Write] = []

    def insert(self, table: Table, key: Key, row: Row) -> bool:
        """See `Ledger.insert`."""
        inserted = self._inner.insert(table, key, row)
        if inserted and table == JOBS:
            self._note(None, key)
        return inserted

    def update(self, table: Table, key: Key, change: Change, when: Sequence[When]) -> bool:
        """See `Ledger.update`."""
        assert len(when) <= MOST_CONDITIONS
        try:
            before = read_job(self._inner, key[0]) if table == JOBS else None
        except CorruptRowError:
            return self._inner.update(table, key, change, when)  # no rule speaks of such rows
        updated = self._inner.update(table, key, change, when)
        if updated and table == JOBS:
            self._note(before, key)
        return updated

    def _note(self, before: JobRow | None, key: Key) -> None:
        after = read_job(self._inner, key[0])
        assert after is not None
        self.writes.append(Write(self._clock.now(), before, after))


class BackwardParallel:
    """Runs what may run beside each other one after the other, the last first."""

    def run(self, tasks: Sequence[Callable[[], T]]) -> list[Done[T]]:
        """See `Parallel.run`."""
        return SequentialParallel().run(tasks[::-1])[::-1]


class RowStore(Ledger, Protocol):
    """A ledger that can be closed."""

    def close(self) -> None:
        """Close its connections."""


@dataclass(frozen=True)
class Stores:
    """An empty archive and an empty ledger. `bodies` gives all that the archive holds, from behind it."""

    objects: Archive
    ledger: RowStore
    bodies: Callable[[], Mapping[str, bytes]]


def stores_in_memory() -> Stores:
    """Make stores that forget."""
    objects = MemoryObjectStore()
    return Stores(objects, MemoryLedger(), lambda: objects.objects)


def stores_in_a_folder(folder: Path) -> Stores:
    """Open the local adapters in a folder."""

    def bodies() -> Mapping[str, bytes]:
        files = sorted(path for path in (folder / "archive").rglob("*") if path.is_file())
        return {path.relative_to(folder / "archive").as_posix(): path.read_bytes() for path in files}

    return Stores(FolderObjectStore(folder / "archive"), SqliteLedger(folder / "ledger.sqlite"), bodies)


class World:
    """Services over stores in a folder, or over others, and what tests ask of them. Close it.

    Without a folder the stores are in memory, unless `stores` are given.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        seed: int = 0,
        policy: Policy | None = None,
        parallel: Parallel | None = None,
        stores: Stores | None = None,
    ) -> None:
        self.folder = folder or Path()
        self.clock = ManualClock(START)
        self.vendor = ScriptedMediaApi()
        self.targets = ScriptedTargets()
        self.pictures = ScriptedDownloads(self.clock)
        self.invoker = InlineInvoker(self._resolve)
        stores = stores or (stores_in_a_folder(folder) if folder else stores_in_memory())
        self.objects, self._rows, self._bodies = stores.objects, stores.ledger, stores.bodies
        self.ledger = WatchedLedger(self._rows, self.clock)
        self.services = Services(
            objects=self.objects,
            ledger=self.ledger,
            media_api=self.vendor,
            result_files=FolderResultFiles(folder / "buckets" if folder else None),
            invoker=self.invoker,
            clock=self.clock,
            parallel=parallel or SequentialParallel(),
            random=random.Random(seed),
            kinds=KINDS,
            policy=policy or Policy(jitter=0.0),
            deadline=FOREVER,
            sender=self.targets,
            downloads=self.pictures,
        )

    def close(self) -> None:
        """Close the ledger."""
        self._rows.close()

    def through(self, faults: Faults) -> Services:
        """Give services whose every port call but the clock's goes through `faults`."""
        return replace(
            self.services,
            objects=FaultyObjectStore(self.objects, faults),
            ledger=FaultyLedger(self.ledger, faults),
            media_api=FaultyMediaApi(self.vendor, faults),
            invoker=FaultyInvoker(self.invoker, faults),
            sender=FaultySender(self.targets, faults),
            downloads=FaultyDownloads(self.pictures, faults),
        )

    def put(self, row: JobRow) -> None:
        """Begin with a row that would take a long story to reach."""
        assert self._rows.insert(JOBS, (row.key,), row.columns)

    def change(self, job: str | JobRef, change: Change) -> None:
        """Change a row behind everybody's back, the rules' too."""
        key = (job if isinstance(job, JobRef) else ref(job)).key
        assert self._rows.update(JOBS, (key,), change, [])

    def row(self, job_id: str) -> JobRow:
        """Read a job's row, which must be there."""
        row = read_job(self.ledger, ref(job_id).key)
        assert row is not None, f"no row of {job_id}"
        return row

    def deliver(self, message: Message, services: Services | None = None) -> Receipt:
        """Take in a message."""
        return intake.take_in(services or self.services, message)

    def settle(self, job_id: str, services: Services | None = None) -> None:
        """Do for one job what the timer does for each: read the row, settle, drain."""
        used = services or self.services
        row = read_job(used.ledger, ref(job_id).key)
        if row is not None:
            settlement.settle(used, row, by="timer")
            effects.drain(used, row.key)

    def run_timer(self, services: Services | None = None, *, limit: int | None = None) -> Summary:
        """Let the timer run once."""
        used = services or self.services
        due = DueJobs(used)
        return reconciliation.settle_due(used, due, limit=limit)

    def deliver_due(self) -> int:
        """Let `deliver` and `archive` do what they were invoked for; tell how often that was."""
        return self.invoker.run_accepted()

    def next_due(self) -> int | None:
        """Tell when anything is due next."""
        pages = [self.ledger.scan(JOBS, JOBS_DUE, bucket, upto=FOREVER, limit=1).rows for bucket in BUCKETS]
        return min((int(rows[0]["due_at"]) for rows in pages if rows), default=None)

    def run_until_quiet(self, *, most: int = 200) -> None:
        """Let the timer run whenever something is due, until nothing is."""
        for _ in range(most):
            due = self.next_due()
            if due is None:
                return
            self.clock.advance(max(0, due - self.clock.now()))
            self.run_timer()
            self.deliver_due()
        raise AssertionError(f"still due after {most} runs")

    def stored(self, prefix: str = "") -> dict[str, bytes]:
        """Read all objects whose keys begin so."""
        return {key: body for key, body in self._bodies().items() if key.startswith(prefix)}

    def current_record(self, job_id: str) -> bytes | None:
        """Read what stands under `records/` for a job."""
        return self.stored().get(archive.current_key(self.row(job_id)))

    def version(self, job_id: str) -> bytes | None:
        """Read the record version that the row names."""
        return self.stored().get(archive.version_key(ref(job_id), self.row(job_id).text("digest") or ""))

    def inbox(self, message: Message, job_id: str) -> Row | None:
        """Read the inbox row of a delivery."""
        return self.ledger.get(INBOX, (ref(job_id).key, message.message_id))

    def broken(self) -> list[str]:
        """Name the rules that writes have broken so far."""
        return [text for write in self.ledger.writes for text in broken_rules(write)]

    def _resolve(self, name: str) -> Callable[[bytes], object]:
        handlers = {
            "archive": archive_evidence.handle,
            "deliver": deliver.handle,
            "reconcile": reconcile.handle,
            "replay": replay.handle,
        }
        return lambda payload: handlers[name](payload, self.services)
