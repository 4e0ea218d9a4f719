"""What one callback takes, and a batch of them, beside the naive function on the vendor's clients.

    python benchmarks/callback.py [--json]

Ours is `functions/callback` as it is deployed; theirs is `callback_theirs.py`, which asks, puts an object and
puts a row: three calls, where ours makes seven, and nine for a review with a picture, some beside each other.
Both are processes that are warm, and settle callbacks of an MNS queue over the local media API, OSS and
Tablestore, which are a third process (`callback_cloud.py`) and answer as late as a figure says. All is plain
HTTP. The sides take turns, after a round of each that does not count; figures are medians of the rounds.

A batch is 100 messages in one event. Theirs takes one after the other, so that five times its loop over 20
stands for its loop over 100. The budget of calls is out of the way but for the figure about it: VOD's own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import IO, Any, NamedTuple

if __package__ in (None, ""):  # run as a file: the repository's root is the root of its imports
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import harness
from benchmarks.harness import ROOT, Figure, Paired, in_turn

ROUNDS = 7
ONE_BY_ONE = 20
BATCH = 100
LOOPED = 20
NEAR_MS, FAR_MS = 5, 50
SAMPLE = ROOT / "events" / "callback" / "queue-array.json"
PASSED, WITH_A_PICTURE = "passed", "with a picture"


class Told(NamedTuple):
    """What a side told of events: the time of each, and the processor's for all."""

    wall_ms: list[float]
    processor_ms: float


@dataclass(frozen=True)
class Child:
    """A process that answers each line with a line."""

    process: subprocess.Popen[str]
    errors: IO[str]

    def ask(self, question: object) -> Any:
        """Send a line and wait for the answer."""
        assert self.process.stdin is not None
        print(json.dumps(question), file=self.process.stdin, flush=True)
        return self.answer()

    def answer(self) -> Any:
        """Wait for a line."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.errors.seek(0)
            raise SystemExit(f"{self.process.args!r} ended:\n{self.errors.read()}")
        return json.loads(line)


@contextmanager
def started(*command: str | Path, environment: Mapping[str, str]) -> Iterator[Child]:
    """Start a process, which ends with the `with` block: its input ends then."""
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as errors,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment},
        ) as process,
    ):
        yield Child(process, errors)


class Bench:
    """A cloud and those who settle its callbacks."""

    def __init__(self, cloud: Child, entered: ExitStack) -> None:
        self._cloud = cloud
        self._entered = entered
        self._told: dict[str, Any] = cloud.answer()

    def ours(self, **settings: str) -> Child:
        """Start our function."""
        handler = "functions.callback.handler.handler", "functions.instance.initialize"
        return self._started(Path(sys.executable), *handler, **self._told["environment"], **settings)

    def theirs(self, python: Path, module: str) -> Child:
        """Start a naive function."""
        environment, endpoints = self._told["environment"], self._told["endpoints"]
        return self._started(
            python,
            f"benchmarks.{module}.handler",
            **{name: value for name, value in environment.items() if "ACCESS_KEY" in name},
            REGION=environment["LEDGER_REGION"],
            MEDIA_ENDPOINT=endpoints["media"].removeprefix("http://"),
            OSS_ENDPOINT=endpoints["oss"],
            OSS_BUCKET=environment["LEDGER_OBJECTS"].removeprefix("oss://"),
            OTS_ENDPOINT=endpoints["ots"],
            OTS_INSTANCE=environment["LEDGER_TABLES"].removeprefix("ots://"),
            OTS_TABLE="jobs",
        )

    def set_latency(self, latency_ms: int) -> None:
        """Have every service answer so much later from now on."""
        self._cloud.ask({"latency_ms": latency_ms})

    def one_by_one(self, side: Child, count: int, media: str) -> Told:
        """Have callbacks settled, each in an event of its own."""
        return self._settled(side, [[message] for message in self._messages(count, media)])

    def batch(self, side: Child, count: int) -> float:
        """Have callbacks settled that are all in one event; give the milliseconds that it took."""
        return self._settled(side, [self._messages(count, PASSED)]).wall_ms[0]

    def _messages(self, count: int, media: str) -> list[object]:
        sample = json.loads(SAMPLE.read_text(encoding="utf-8"))[0]
        body = json.loads(sample["data"]["messageBody"])
        ids: list[str] = self._cloud.ask({"media": media, "count": count})
        data = [
            {**sample["data"], "messageId": one, "messageBody": json.dumps({**body, "JobId": one})}
            for one in ids
        ]
        return [{**sample, "data": one} for one in data]

    def _settled(self, side: Child, events: list[list[object]]) -> Told:
        told = side.ask([json.dumps(event) for event in events])
        kept = told["answer"] if isinstance(told["answer"], list) else told["answer"]["receipts"]
        assert len(kept) == len(events[-1]), told
        assert all(isinstance(one, str) or one["did"] == "settled" for one in kept), told
        return Told(told["wall_ms"], told["processor_ms"])

    def _started(self, python: Path, *entries: str, **environment: str) -> Child:
        process = ROOT / "benchmarks" / "callback_process.py"
        return self._entered.enter_context(started(python, process, *entries, environment=environment))


def measure(theirs_python: Path) -> Iterator[Figure]:
    """Serve a cloud, start the sides, and have them take turns."""
    with ExitStack() as entered:
        served = ROOT / "benchmarks" / "callback_cloud.py"
        cloud = entered.enter_context(started(sys.executable, served, environment={}))
        bench = Bench(cloud, entered)
        ours, theirs = (
            bench.ours(LEDGER_CALL_RATES="vod=100000"),
            bench.theirs(theirs_python, "callback_theirs"),
        )
        yield from _processor(bench, ours, theirs, bench.theirs(theirs_python, "cold_start_theirs"))
        bench.set_latency(NEAR_MS)
        yield from _one(bench, ours, theirs)
        bench.set_latency(FAR_MS)
        yield from _batch(bench, ours, theirs)
        yield _budget(bench, bench.ours())


def _processor(bench: Bench, ours: Child, theirs: Child, anew: Child) -> Iterator[Figure]:
    """Compare the processor's time for callbacks whose calls are answered at once."""

    def of(side: Child, media: str) -> float:
        return bench.one_by_one(side, ONE_BY_ONE, media).processor_ms / ONE_BY_ONE

    # Nine calls beside three, for what the naive function does not do: no limit on these.
    for media, limit in ((PASSED, 3.0), (WITH_A_PICTURE, None)):
        rounds = [[of(side, media) for side in (ours, theirs, anew)] for _ in range(1 + ROUNDS)][1:]
        our_ms, their_ms, anew_ms = zip(*rounds, strict=True)
        ratio = Paired(our_ms, their_ms).ratio
        yield Figure(f"processor per callback, review {media}, ours to theirs", ratio, "ratio", limit)
        yield Figure("  ours", median(our_ms), "ms")
        yield Figure("  theirs", median(their_ms), "ms")
        ratio = Paired(our_ms, anew_ms).ratio
        yield Figure("  ours to theirs with its clients made for each callback", ratio, "ratio")


def _one(bench: Bench, ours: Child, theirs: Child) -> Iterator[Figure]:
    """Time single callbacks whose calls take a while."""

    def of(side: Child, media: str) -> float:
        return median(bench.one_by_one(side, ONE_BY_ONE, media).wall_ms)

    # A picture is handed over to `archive` after the commit: one call more in sequence.
    for media, limit in ((PASSED, 5 * NEAR_MS + 15), (WITH_A_PICTURE, None)):
        pair = in_turn(partial(of, ours, media), partial(of, theirs, media), rounds=ROUNDS)
        yield Figure(
            f"one callback, review {media}, {NEAR_MS} ms a call, ours", median(pair.ours), "ms", limit
        )
        yield Figure("  theirs", median(pair.theirs), "ms")


def _batch(bench: Bench, ours: Child, theirs: Child) -> Iterator[Figure]:
    """Time a batch whose calls take long, beside the naive function's loop."""
    pair = in_turn(
        lambda: bench.batch(ours, BATCH) / 1_000,
        lambda: BATCH / LOOPED * bench.batch(theirs, LOOPED) / 1_000,
        rounds=ROUNDS,
    )
    name = f"batch of {BATCH}, {FAR_MS} ms a call: how much faster than their loop"
    yield Figure(name, 1 / pair.ratio, "x", at_least=5)
    yield Figure("  ours", median(pair.ours), "s")
    yield Figure("  theirs", median(pair.theirs), "s")


def _budget(bench: Bench, ours: Child) -> Figure:
    """Tell how much of a budget of calls such a batch uses, from its first message to its answer."""
    from shared.policy import Policy

    policy = Policy()
    per_second = policy.calls_per_second["vod"] * policy.callbacks_part  # the local cloud has one instance
    bench.batch(ours, 1)
    used = [BATCH / (per_second * bench.batch(ours, BATCH) / 1_000) for _ in range(ROUNDS)]
    return Figure(f"  used of a budget of {per_second:g} calls a second", median(used), "part", at_least=0.9)


if __name__ == "__main__":
    harness.run_in_environment("cold-start", "build.txt", "aliyun.txt", "cli.txt")
    theirs = harness.environment("cold-start-theirs", "build.txt", "bench-cold-start.txt")
    raise SystemExit(
        harness.main("Measure a callback beside the vendor's clients.", partial(measure, theirs))
    )
