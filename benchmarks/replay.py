"""What a replay of stored answers costs: two processes against one, and memory over many jobs.

    python benchmarks/replay.py [--json]
    REPLAY_JOBS=100000 python benchmarks/replay.py

Jobs in a folder, settled by an older normalizer from the answer that the vendor prints on its page; a replay
reads each raw answer, normalizes it, and writes version, evidence rows, row and current record. A round has
so many jobs that starting two processes is a small part of it. Memory is that of the process that works,
after a tenth of the jobs and at the end; REPLAY_JOBS says how many.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

if __package__ in (None, ""):  # run as a file: the repository's root is the root of its imports
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.harness import ROOT, Figure, in_turn, main
from benchmarks.reconcile import write
from cli.replay_workers import Wish, in_processes, in_this_process
from shared import archive, bootstrap
from shared.adapters.local.sqlite_ledger import SqliteLedger
from shared.job_row import first_sight, parts_column
from shared.jobs import JobRef
from shared.kinds import KINDS
from shared.record import canonical_bytes, digest
from shared.replay.run import Run, run
from shared.replay.selection import Selection
from shared.settings import Settings
from shared.tables import Row
from shared.vendor import Part

KIND = "vod.media_audit"
ANSWER = ROOT / "tests" / "data" / "answers" / KIND / "new-page" / "answer.json"
NOW = 1_763_640_000_000  # 2025-11-20T12:00:00Z
DAY_OF_ALL = date(2025, 11, 20)
# In memory where there is room: of a disk, which both sides wait for, more processes get no more syncs.
MEMORY = Path("/dev/shm")
ROOM = 4 * 1024**3

JOBS_OF_A_ROUND = 5_000
ROUNDS = 7
MANY = int(os.environ.get("REPLAY_JOBS", "10000"))


def job(number: int, body: str, objects: Path) -> tuple[str, Row]:
    """Store the answer of a job, and make its row as an older normalizer left it."""
    ref = JobRef(KIND, f"job-{number}")
    part = Part("answer", "json", body.replace("JOB-ID", ref.job_id).encode())
    older = KINDS[KIND].normalize([part]).model_copy(update={"normalizer_version": 0})
    stored = canonical_bytes(older)
    raw = archive.stored_part(ref, part)
    for key, content in ((raw.key, part.body), (archive.version_key(ref, digest(stored)), stored)):
        path = objects / key
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    return ref.key, {
        **first_sight(ref.key, NOW, "callback"),
        "state": "succeeded",
        "token": 2,
        "wanted": 1,
        "notified": 1,
        "digest": digest(stored),
        "version": 1,
        "normalizer_version": 0,
        "suggestion": older.verdict.suggestion or "",
        "raw_parts": parts_column([raw]),
        "settled_at": NOW,
        "settled_by": "callback",
        "queries": 2,
    }


def make(folder: Path, jobs: int) -> None:
    """Make a ledger and an archive of so many settled jobs."""
    tree = json.loads(ANSWER.read_bytes())
    tree["MediaAuditJob"]["JobId"] = "JOB-ID"
    body = json.dumps(tree)
    SqliteLedger(folder / "ledger.db").close()
    with sqlite3.connect(folder / "ledger.db") as database:
        write(database, (job(number, body, folder / "archive") for number in range(jobs)))
    database.close()


def environment(folder: Path) -> dict[str, str]:
    """Give the settings of a command that works in the folder."""
    return {"LEDGER_OBJECTS": f"file://{folder}/archive", "LEDGER_TABLES": f"sqlite://{folder}/ledger.db"}


def replay(folder: Path, processes: int, seen: list[int] | None = None) -> Run:
    """Replay all of a folder; `seen` gets the memory after each batch."""

    def tell(now: Run) -> None:
        if seen is not None:
            seen.append(peak())

    wish, settings = Wish(), environment(folder)
    services = bootstrap.build(Settings.read(settings))
    with ExitStack() as stack:
        stack.callback(bootstrap.close, services)
        if processes == 1:
            work = in_this_process(services, wish)
        else:
            work = stack.enter_context(in_processes(settings, wish, processes))
        done = run(services, Selection((KIND,), DAY_OF_ALL, DAY_OF_ALL), work, deliver=False, tell=tell)
    assert set(done.tally.outcomes) == {"moved"}, done
    return done


def place() -> Path:
    """Say where folders are made."""
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        return MEMORY
    disk = ROOT / "build" / "benchmarks"
    disk.mkdir(parents=True, exist_ok=True)
    return disk


def seconds(source: Path, processes: int) -> float:
    """Give what a replay of a fresh copy takes, with the start of its processes."""
    with tempfile.TemporaryDirectory(dir=place()) as made:
        folder = Path(made, "copy")
        shutil.copytree(source / "archive", folder / "archive", copy_function=os.link)
        shutil.copy2(source / "ledger.db", folder / "ledger.db")
        begun = perf_counter()
        replay(folder, processes)
        return perf_counter() - begun


def grown(folder: Path) -> float:
    """Give the memory at the end of a replay against that after a tenth of it, in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        seen = pool.apply(memory, (folder,))
    return seen[-1] / seen[len(seen) // 10]


def peak() -> int:
    """Give the highest memory of this process so far, in KB; `getrusage` begins with that of its parent."""
    (told,) = re.findall(r"^VmHWM:\s+([0-9]+) kB$", Path("/proc/self/status").read_text("utf-8"), re.M)
    return int(told)


def memory(folder: Path) -> list[int]:
    """Give the highest memory so far, after each batch."""
    seen: list[int] = []
    replay(folder, 1, seen)
    return seen


def measure() -> Iterator[Figure]:
    """Measure all of it."""
    with tempfile.TemporaryDirectory(dir=place()) as made:
        few, many = Path(made, "few"), Path(made, "many")
        for folder, jobs in ((few, JOBS_OF_A_ROUND), (many, MANY)):
            folder.mkdir()
            make(folder, jobs)
        paired = in_turn(partial(seconds, few, 1), partial(seconds, few, 2), rounds=ROUNDS)
        told = f"{JOBS_OF_A_ROUND:,} jobs"
        yield Figure(f"{told}: one process against two, folder sink", paired.ratio, "x", at_least=1.6)
        yield Figure(f"{told}: one process", JOBS_OF_A_ROUND / median(paired.ours), "jobs/s")
        yield Figure(f"{told}: two processes", JOBS_OF_A_ROUND / median(paired.theirs), "jobs/s")
        yield Figure(f"{MANY:,} jobs: memory at the end against that after a tenth", grown(many), "x", 1.1)


if __name__ == "__main__":
    raise SystemExit(main("Measure replays.", measure))
