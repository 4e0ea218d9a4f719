"""The toolkit beside aws-lambda-powertools, doing the same work, in turn.

    python benchmarks/toolkit.py [--json]

What they do is in `toolkit_ours.py` and `toolkit_theirs.py`. Times are of the processor, so that what else
the machine runs does not count; they are medians of rounds. Limits are on the median of the rounds'
ratios, ours to theirs.
"""

from __future__ import annotations

import functools
import importlib
import io
import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

if __package__ in (None, ""):  # run as a file: the repository's root is the root of its imports
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import harness
from benchmarks.harness import Figure, Paired, in_turn

# Many short rounds in turn: what else the machine does then falls on both sides alike.
CALLS = 200
BATCHES = 20
BATCH = 100
ROUNDS = 75
STARTS = 15

IMPORTS = {
    "import of logger and metrics": (
        "from shared.toolkit import bind, configure_logging, count, function_handler",
        "from aws_lambda_powertools import Logger, Metrics",
        0.5,
    ),
    "import of these, tracer and batch": (
        "from shared.toolkit import bind, configure_logging, count, function_handler, process, tracing",
        "from aws_lambda_powertools import Logger, Metrics, Tracer\n"
        "from aws_lambda_powertools.utilities.batch import BatchProcessor",
        0.5,
    ),
    "import of logger, metrics and parser, one model validated": (
        "from shared.toolkit import bind, configure_logging, count, function_handler\n"
        "from shared.toolkit.parser import model\n"
        "from benchmarks.toolkit_model import BODY, Order\n"
        "model(Order)(BODY.encode())",
        "from aws_lambda_powertools import Logger, Metrics\n"
        "from aws_lambda_powertools.utilities.parser import event_parser, parse\n"
        "from benchmarks.toolkit_model import BODY, Order\n"
        "parse(event=BODY, model=Order)",
        0.9,
    ),
    "import of all of these, one model validated": (
        "from shared.toolkit import bind, configure_logging, count, function_handler, process, tracing\n"
        "from shared.toolkit.parser import model\n"
        "from benchmarks.toolkit_model import BODY, Order\n"
        "model(Order)(BODY.encode())",
        "from aws_lambda_powertools import Logger, Metrics, Tracer\n"
        "from aws_lambda_powertools.utilities.batch import BatchProcessor\n"
        "from aws_lambda_powertools.utilities.parser import event_parser, parse\n"
        "from benchmarks.toolkit_model import BODY, Order\n"
        "parse(event=BODY, model=Order)",
        0.9,
    ),
}


CASES = {
    "invocation": ("invocation: log line with message id, three metrics, one model", 0.6),
    "first": ("idempotent call, the first of its key", 0.6),
    "replay": ("idempotent call, replayed", 0.6),
    "healthy": (f"record of a batch of {BATCH}, none failing", 1.0),
    "failing": (f"record of a batch of {BATCH}, every tenth failing and logged", 1.0),
}


class _Nowhere(io.TextIOBase):
    """A stream that forgets: what is measured is the making of lines, not the terminal."""

    def write(self, text: str) -> int:
        return len(text)


def measure() -> Iterator[Figure]:
    """Measure imports in processes of their own, calls in this one."""
    for name, (our_code, their_code, limit) in IMPORTS.items():
        pair = in_turn(
            functools.partial(_import_ms, our_code), functools.partial(_import_ms, their_code), rounds=STARTS
        )
        yield from _figures(name, "ms", pair, limit)
    with _Side("ours") as ours, _Side("theirs") as theirs:
        for case, (name, limit) in CASES.items():
            pair = in_turn(
                functools.partial(ours.run, case), functools.partial(theirs.run, case), rounds=ROUNDS
            )
            yield from _figures(name, "us", pair, limit)


class _Side:
    """One side in a process of its own: both configure the process's logging."""

    def __init__(self, name: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--side", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> _Side:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def run(self, case: str) -> float:
        """Measure a case once, in microseconds."""
        assert self._process.stdin
        assert self._process.stdout
        print(case, file=self._process.stdin, flush=True)
        return float(self._process.stdout.readline())


def serve(side: Any) -> None:
    """Measure what standard input asks for, case by case, until it ends."""
    answers = sys.stdout
    sys.stdout = _Nowhere()
    cases = dict(_cases(side))
    for line in sys.stdin:
        print(cases[line.strip()](), file=answers, flush=True)


def _cases(side: Any) -> Iterator[tuple[str, Callable[[], float]]]:
    handler, event = side.invocation(_Nowhere()), side.event(side.BODY)
    yield "invocation", _timed(lambda: handler(event), CALLS)
    call, numbers = side.idempotent_call(), itertools.count(1)
    yield "first", _timed(lambda: call({"id": next(numbers)}), CALLS)
    yield "replay", _timed(lambda: call({"id": 0}), CALLS)
    records = side.records(BATCH)
    healthy = side.batch(_Nowhere(), lambda number: False)
    yield "healthy", _timed(lambda: healthy(records), BATCHES, of=BATCH)
    failing = side.batch(_Nowhere(), lambda number: number % 10 == 0)
    yield "failing", _timed(lambda: failing(records), BATCHES, of=BATCH)


def _timed(call: Callable[[], object], times: int, *, of: int = 1) -> Callable[[], float]:
    """Measure a call in microseconds, or a part of it where it does the same `of` times."""

    def once() -> float:
        started = time.process_time_ns()
        for _ in range(times):
            call()
        return (time.process_time_ns() - started) / 1_000 / times / of

    return once


def _stay_on_one_processor() -> None:
    """Have both sides measured on the same processor: of a shared machine, one may be twice as fast."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def _import_ms(code: str) -> float:
    """Measure what a fresh process needs for this code, without its own start."""
    program = (
        "import time; started = time.process_time_ns()\n"
        f"{code}\n"
        "print((time.process_time_ns() - started) / 1e6)"
    )
    ran = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return float(ran.stdout)


def _figures(name: str, unit: str, pair: Paired, limit: float) -> Iterator[Figure]:
    yield Figure(f"{name}, ours to theirs", round(pair.ratio, 3), "ratio", limit)
    yield Figure(f"{name}, ours", round(median(pair.ours), 3), unit)
    yield Figure(f"{name}, theirs", round(median(pair.theirs), 3), unit)


if __name__ == "__main__":
    harness.run_in_environment("toolkit", "build.txt", "bench-toolkit.txt")
    if sys.argv[1:2] == ["--side"]:
        serve(importlib.import_module(f"benchmarks.toolkit_{sys.argv[2]}"))
        raise SystemExit(0)
    _stay_on_one_processor()
    raise SystemExit(harness.main("Compare the toolkit with aws-lambda-powertools.", measure))
