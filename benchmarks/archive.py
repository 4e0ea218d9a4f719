"""What keeping evidence costs: the time of many pictures, and the memory of large ones.

    python benchmarks/archive.py [--json]

500 pictures of one job, fetched eight at a time, when each fetch, each put and each write of a row takes 20
ms: the least that it could take is 60 ms for each eighth of them. The timer's run reads each row first and
claims it. Then 500 files of 40 KB to 20 MB over HTTP into a folder: how much more memory the process has had
at its peak than before; the server is a process of its own. The same for one output of 300 MB that is copied
out of a folder that stands for a bucket.
"""

from __future__ import annotations

import logging
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from statistics import median
from threading import Event
from time import perf_counter

if __package__ in (None, ""):  # run as a file: the repository's root is the root of its imports
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.harness import ROOT, Figure, main
from localcloud.evidence.answers import whole
from localcloud.evidence.pictures import picture
from localcloud.evidence.server import EvidenceServer
from shared import archival
from shared.adapters.bucket_downloads import BucketDownloads
from shared.adapters.clocks import SystemClock
from shared.adapters.http_sessions import HttpSessions
from shared.adapters.https_downloads import HttpsDownloads
from shared.adapters.local.folder_object_store import FolderObjectStore
from shared.adapters.local.folder_result_files import FolderResultFiles
from shared.adapters.parallel import ThreadParallel
from shared.adapters.senders.limited_runs import LimitedRuns
from shared.downloads import Download, HostRule, Origins
from shared.policy import HOUR, MINUTE
from shared.ports import Services
from tests.faults import Call, Fault, Faults
from tests.scripted_downloads import FaultyDownloads, downloaded
from tests.scripted_vendor import answer, callback
from tests.world import World, ref

PICTURES = 500
WORKERS = 8
DELAY_S = 0.020
LEAST_S = 3 * DELAY_S * PICTURES / WORKERS
ROUNDS = 3
OUTPUT_BYTES = 300 * 1024 * 1024
JOB = "job-1"
KEY = ref(JOB).key


def delay(call: Call) -> Fault | None:
    """Delay what is done for each picture."""
    is_of_one = call.method in ("download", "put_file") or (
        call.target == "evidence" and call.method in ("get", "update")
    )
    return Fault(before=partial(time.sleep, DELAY_S)) if is_of_one else None


def settled(urls: Sequence[str], folder: Path | None = None) -> World:
    """Settle a job with these pictures."""
    world = World(folder)
    world.vendor.know(JOB, answer(JOB, pictures=urls))
    world.deliver(callback(JOB))
    return world


@dataclass(frozen=True)
class Fetched:
    """Every picture, fetched before: what is measured is not the network."""

    picture: Download

    def download(self, url: str, *, deadline: int) -> AbstractContextManager[Download]:
        """See `Downloads.download`."""
        return nullcontext(self.picture)


def took(keep: Callable[[Services], object], *, after_ms: int) -> float:
    """Give the seconds that keeping all of it takes, some time after the commit."""
    world = settled([f"http://oss.example/{number}.jpg" for number in range(PICTURES)])
    world.clock.advance(after_ms)
    faults = Faults(delay)
    with downloaded(b"picture") as picture:
        services = replace(
            world.through(faults),
            downloads=FaultyDownloads(Fetched(picture), faults),
            parallel=ThreadParallel(WORKERS),
        )
        begun = perf_counter()
        outcomes = keep(services)
        seconds = perf_counter() - begun
    assert outcomes == {"kept": PICTURES}, outcomes
    return seconds


def peak_mb() -> float:
    """Give the most memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def output_memory_mb() -> float:
    """Give how much more memory a copy out of a bucket takes at the peak than the process had before."""
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
        (file := Path(folder, "buckets", "bucket", "out.mp4")).parent.mkdir(parents=True)
        with file.open("wb") as body:
            body.truncate(OUTPUT_BYTES)
        downloads = BucketDownloads(FolderResultFiles(Path(folder, "buckets")), clock=SystemClock())
        objects = FolderObjectStore(Path(folder, "archive"))
        before, deadline = peak_mb(), SystemClock().now() + 10 * MINUTE
        with downloads.download("oss://bucket/out.mp4", deadline=deadline) as found, found.open() as body:
            assert objects.put_file("evidence/copy", body, content_type=found.content_type)
        assert objects.info("evidence/copy").size == OUTPUT_BYTES
        return peak_mb() - before


def extra_memory_mb() -> float:
    """Give how much more memory large files take at the peak than the process had before."""
    server = subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE, cwd=ROOT)
    assert server.stdout is not None
    host = server.stdout.readline().decode().strip()
    try:
        with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
            world = settled([f"http://{host}/{number}" for number in range(PICTURES)], Path(folder))
            downloads = HttpsDownloads(
                LimitedRuns(),
                clock=SystemClock(),
                sessions=HttpSessions(trust_env=False),
                origins=Origins((HostRule.parse(host),), (ip_network("127.0.0.0/8"),)),
            )
            now = SystemClock().now()
            services = replace(
                world.services,
                clock=SystemClock(),
                downloads=downloads,
                parallel=ThreadParallel(WORKERS),
                deadline=now + 30 * MINUTE,
            )
            before = peak_mb()
            outcomes = archival.keep_due_evidence(services)
            extra = peak_mb() - before
            assert outcomes == {"kept": PICTURES}, outcomes
            world.close()
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()
    return extra


def serve() -> None:
    """Serve pictures of 40 KB to 20 MB until somebody ends this process."""
    drawn = random.Random(0)
    server = EvidenceServer()
    for number in range(PICTURES):
        size = int(40_000 * 500 ** drawn.random())
        server.set(str(number), partial(_drawn, str(number), size))
    with server:
        print(server.host, flush=True)
        while True:
            time.sleep(1)


def _drawn(name: str, size: int, end: Event) -> Iterator[bytes]:
    """Answer with a picture that is made when it is asked for."""
    return whole(picture(name, size=size))(end)


def measure() -> Iterator[Figure]:
    """Measure all of it."""
    logging.disable(logging.CRITICAL)
    # First: it takes less than what comes next, and a peak is seen once.
    yield Figure("an output of 300 MB: memory above idle", output_memory_mb(), "MB", 64)
    yield Figure("500 files of up to 20 MB: memory above idle", extra_memory_mb(), "MB", 64)
    invoked = median(
        took(lambda services: archival.keep_evidence_of(services, [KEY]), after_ms=0) for _ in range(ROUNDS)
    )
    timer = median(took(archival.keep_due_evidence, after_ms=HOUR) for _ in range(ROUNDS))
    yield Figure(
        "500 pictures after a commit, against the least that it could take", invoked / LEAST_S, "x", 1.4
    )
    yield Figure("the same by the timer, which reads and claims each row", timer / LEAST_S, "x")
    yield Figure("500 pictures after a commit", invoked, "s")


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    raise SystemExit(main("Measure what keeping evidence costs.", measure))
