"""How many calls a callback waits for, one after the other, until its job is settled.

    python benchmarks/settle.py [--json]

Every call of a store and of the vendor is delayed by a fixed time, the callback is taken in with the pool of
threads that functions use, and the time that it takes is compared between two delays: what each further
millisecond of delay costs is the number of calls in sequence, whatever else the machine does.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

if __package__ in (None, ""):  # run as a file: the repository's root is the root of its imports
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.harness import Figure, main
from shared import intake
from shared.adapters.parallel import ThreadParallel
from shared.jobs import JobRef
from shared.ports import ResultFiles, Services
from shared.toolkit.message import Message
from tests.faults import Fault, Faults
from tests.scripted_vendor import answer, callback
from tests.world import World

DELAYS_MS = (20, 60)
ROUNDS = 9
SOURCE = "video-quality"
PLACE = "oss://results.oss-cn-shanghai.aliyuncs.com/"
FILE = b'{"freeze":[{"result":"freeze","score":4.14,"timestamp":"233","type":"freeze"}]} {"border":[]}'


class DelayedFiles:
    """Result files whose reading is delayed like every other call."""

    def __init__(self, inner: ResultFiles, faults: Faults) -> None:
        self._inner = inner
        self._faults = faults

    def read(self, uri: str) -> bytes:
        """See `ResultFiles.read`."""
        with self._faults.around("read", uri):
            return self._inner.read(uri)


def delayed(world: World, delay_ms: int) -> Services:
    """Give services each of whose calls takes so much longer."""
    faults = Faults(lambda call: Fault(before=partial(time.sleep, delay_ms / 1_000)))
    services = world.through(faults)
    return replace(
        services,
        parallel=ThreadParallel(8),
        result_files=DelayedFiles(services.result_files, faults),
        policy=replace(
            services.policy,
            region="cn-shanghai",
            user_id="1000000000000001",
            outputs={"mts.video_quality": PLACE},
            quality_sources=frozenset({SOURCE}),
        ),
    )


def review(world: World) -> Message:
    """Let a review be finished whose answer is all there is."""
    world.vendor.know("job-1", answer("job-1"))
    return callback("job-1")


def quality_job(world: World) -> Message:
    """Let a quality job be finished that has written a file."""
    ref = JobRef("mts.video_quality", "0c8f04aa60bd4377a906bd6c91ec0000")
    job = {"JobId": ref.job_id, "Status": "Success", "Output": "blockness.txt"}
    world.vendor.know(ref.job_id, json.dumps({"Code": "Success", "Job": job}).encode())
    file = world.folder / "buckets" / "results" / "blockness.txt"
    file.parent.mkdir(parents=True)
    file.write_bytes(FILE)
    event = {"Type": "VideoQuality", "JobId": ref.job_id, "State": "Success"}
    return Message("message-1", "mns-queue", json.dumps(event).encode(), source=SOURCE)


def seconds(make_job: Callable[[World], Message], delay_ms: int) -> float:
    """Take a callback in, and give the seconds that it took."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        try:
            message, services = make_job(world), delayed(world, delay_ms)
            begun = time.perf_counter()
            receipt = intake.take_in(services, message)
            took = time.perf_counter() - begun
        finally:
            world.close()
    assert (receipt.did, receipt.notes) == ("settled", None), receipt
    return took


def calls_in_sequence(make_job: Callable[[World], Message]) -> float:
    """Give what a millisecond of delay costs in milliseconds: the median of several rounds."""
    short, long = DELAYS_MS
    per_second = 1_000 / (long - short)
    return median((seconds(make_job, long) - seconds(make_job, short)) * per_second for _ in range(ROUNDS))


def measure() -> Iterator[Figure]:
    """Measure both kinds of job. Calls are whole: a figure is over its limit from half a call on."""
    logging.disable(logging.CRITICAL)
    for name, make_job, limit in (
        ("a settled callback", review, 5),
        ("one with an Output file", quality_job, 6),
    ):
        measured = calls_in_sequence(make_job)
        yield Figure(f"calls in sequence, {name}", round(measured), "calls", limit)
        yield Figure("  as it was measured", measured, "calls")


if __name__ == "__main__":
    raise SystemExit(main("Count the calls in sequence of a settled callback.", measure))
