"""What a run of the timer costs when the ledger is large, and whom it serves when much is due.

    python benchmarks/reconcile.py [--json]

A million jobs in a SQLite ledger of which 1,000 are due: index rows read for each of them, and the time of
the run against that with 10,000 jobs in all. A million jobs that are due, of which the older half fails:
how much of a run's calls the healthy half gets, in a run of two minutes within the default budget (on a
clock that stands still, so a call takes no time but its turn). The ledgers are kept in `build/benchmarks/`.
"""

from __future__ import annotations

import json
import logging
import random
import sqlite3
import sys
import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter
from zlib import crc32

if __package__ in (None, ""):  # run as a file: the repository's root is the root of its imports
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.harness import ROOT, Figure, in_turn, main
from shared import bootstrap, reconciliation
from shared.adapters.clocks import ManualClock
from shared.adapters.local.folder_result_files import FolderResultFiles
from shared.adapters.local.inline_invoker import InlineInvoker
from shared.adapters.local.sqlite_ledger import SqliteLedger
from shared.adapters.parallel import SequentialParallel
from shared.due import DueJobs
from shared.errors import VendorUnavailableError
from shared.job_row import with_hints
from shared.jobs import JobRef
from shared.kinds import KINDS
from shared.policy import DAY, MINUTE, Policy
from shared.ports import Services
from shared.tables import JOBS, Row
from shared.vendor import ApiAnswer, ApiRequest, Part
from tests.memory_stores import MemoryObjectStore

FOLDER = ROOT / "build" / "benchmarks"
NOW = 1_763_640_000_000  # 2025-11-20T12:00:00Z
MILLION = 1_000_000
DUE = 1_000
ROUNDS = 5


class Vendor:
    """Every job has succeeded; asking about one of the first `away` fails."""

    def __init__(self, *, away: int = 0) -> None:
        self._away = away
        self.asked: list[int] = []

    def call(self, request: ApiRequest, *, deadline: int) -> ApiAnswer:
        """See `MediaApi.call`."""
        number = int(request.params["JobId"].rpartition("-")[2])
        self.asked.append(number)
        if number < self._away:
            raise VendorUnavailableError("it is away")
        job = {"JobId": request.params["JobId"], "Status": "success", "Data": {"Suggestion": "pass"}}
        return ApiAnswer(Part("answer", "json", json.dumps({"MediaAuditJob": job}).encode()))

    @property
    def healthy_share(self) -> float:
        """Give what part of the calls was about jobs that can be asked about."""
        return sum(number >= self._away for number in self.asked) / len(self.asked)


def job(number: int, *, is_due: bool, total: int) -> tuple[str, Row]:
    """Make a job's row: settled and finished long ago, or due, the earlier the lower its number."""
    ref = JobRef("vod.media_audit", f"job-{number}")
    row: dict[str, str | int] = {
        "state": "running",
        "token": 1,
        "wanted": 1,
        "region": "cn-shanghai",
        "first_seen_by": "track",
        "first_seen_at": NOW - DAY,
        "seen_day": f"{ref.key[0]}.2025-11-19",
    }
    if is_due:
        due = with_hints(ref.key, {}, {"query_at": NOW - total + number})
        return ref.key, {**row, **{name: value for name, value in due.items() if value is not None}}
    settled: Row = {
        "state": "succeeded",
        "suggestion": "pass",
        "digest": f"{number:064x}",
        "version": 1,
        "normalizer_version": 1,
        "raw_parts": json.dumps(
            [{"name": "answer", "format": "json", "key": f"raw/{ref.path}/{number:064x}"}]
        ),
        "settled_at": NOW - DAY,
        "settled_by": "callback",
        "notified": 1,
        "queries": 2,
        "updated_at": NOW - DAY,
    }
    return ref.key, {**row, **settled}


def ledger_file(name: str, rows: Iterable[tuple[str, Row]]) -> Path:
    """Give the file of a ledger with these rows; it is made when there is none with the table's columns."""
    path = FOLDER / f"{name}-{crc32(repr(JOBS).encode()):08x}.db"
    if not path.exists():
        sys.stderr.write(f"making {path.relative_to(ROOT)}\n")
        FOLDER.mkdir(parents=True, exist_ok=True)
        for outdated in FOLDER.glob(f"{name}*.db"):
            outdated.unlink()
        with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
            new = Path(folder, "ledger.db")
            SqliteLedger(new).close()
            with sqlite3.connect(new) as database:
                database.execute("PRAGMA synchronous = OFF")
                write(database, rows)
            database.close()
            new.replace(path)
    return path


def write(database: sqlite3.Connection, rows: Iterable[tuple[str, Row]]) -> None:
    """Put rows, replacing those of the same keys as a whole."""
    columns = ("job_key", *JOBS.columns)
    marks = ", ".join("?" * len(columns))
    values = ((key, *(row.get(name) for name in JOBS.columns)) for key, row in rows)
    statement = f"INSERT OR REPLACE INTO jobs ({', '.join(columns)}) VALUES ({marks})"
    while batch := list(islice(values, 50_000)):
        database.executemany(statement, batch)
        database.commit()


class CountedRows(SqliteLedger):
    """A ledger that counts the index rows it gives."""

    rows_read = 0

    def scan(self, *args: object, **options: object):  # type: ignore[no-untyped-def]  # whatever the port has
        """See `Ledger.scan`."""
        page = super().scan(*args, **options)  # type: ignore[arg-type]  # handed on as given
        self.rows_read += len(page.rows)
        return page


def services(ledger: SqliteLedger, vendor: Vendor) -> Services:
    """Give services over a ledger; objects are kept in memory, and time stands still."""
    clock = ManualClock(NOW)
    return Services(
        objects=MemoryObjectStore(),
        ledger=ledger,
        media_api=vendor,
        result_files=FolderResultFiles(None),
        invoker=InlineInvoker(lambda name: len),
        clock=clock,
        parallel=SequentialParallel(),
        random=random.Random(0),
        kinds=KINDS,
        policy=Policy(),
        deadline=NOW + 2 * MINUTE,
    )


class Ledger:
    """A ledger of so many jobs, of which `DUE` are due, and runs over it."""

    def __init__(self, total: int) -> None:
        self._due = range(0, total, total // DUE)
        self._total = total
        due = set(self._due)
        rows = (job(n, is_due=n in due, total=total) for n in range(total))
        self._path = ledger_file(f"{total}-jobs", rows)
        self.rows_read = 0

    def run(self) -> float:
        """Run once over the same due jobs and give the seconds it took."""
        with sqlite3.connect(self._path) as database:
            write(database, (job(n, is_due=True, total=self._total) for n in self._due))
        database.close()
        ledger = CountedRows(self._path)
        try:
            begun = perf_counter()
            within = services(ledger, Vendor())
            summary = reconciliation.settle_due(within, DueJobs(within))
            took = perf_counter() - begun
        finally:
            ledger.close()
        assert summary.outcomes == {"settled": DUE}, summary
        self.rows_read = ledger.rows_read
        return took


def healthy_share(away: int, total: int) -> float:
    """Give what part of a run's calls the healthy jobs get when the `away` longest due ones fail."""
    path = ledger_file(f"{total}-due", (job(n, is_due=True, total=total) for n in range(total)))
    vendor, ledger = Vendor(away=away), SqliteLedger(path)
    try:
        within = bootstrap.within_run_budget(services(ledger, vendor))
        reconciliation.settle_due(within, DueJobs(within))
    finally:
        ledger.close()
        with sqlite3.connect(path) as database:
            write(database, (job(n, is_due=True, total=total) for n in sorted(set(vendor.asked))))
        database.close()
    return vendor.healthy_share


def measure() -> Iterator[Figure]:
    """Measure all of it."""
    logging.disable(logging.CRITICAL)
    large, small = Ledger(MILLION), Ledger(10_000)
    paired = in_turn(large.run, small.run, rounds=ROUNDS)
    yield Figure("index rows read per due job, 1,000 of 1,000,000 due", large.rows_read / DUE, "rows", 1.1)
    yield Figure("time of that run against one with 10,000 jobs in all", paired.ratio, "x", 1.3)
    yield Figure("time of that run", median(paired.ours), "s")
    share = healthy_share(MILLION // 2, MILLION)
    yield Figure("1,000,000 due, the older half fails: calls for the healthy half", share, "of all calls")
    yield Figure("what they miss of their share, one half", max(0.0, 1 - share / 0.5), "of it", 0.1)


if __name__ == "__main__":
    raise SystemExit(main("Measure runs of the timer over a large ledger.", measure))
