"""What it costs to turn a vendor's answer into a record, beside decoding the same bytes.

    python benchmarks/normalize.py [--json]

Ours is everything between the bytes of an answer and the canonical bytes of its record: strict JSON, the
walk that accounts for every leaf, models, digest. The measure is one `json.loads` of the same bytes, which
is no alternative to it but the least that anybody does. Answers are the vendor's printed examples. Garbage
is looked for as rarely as in an instance (`functions.instance`), for both.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from time import process_time

if __package__ in (None, ""):  # run as a file: the repository's root is the root of its imports
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.harness import ROOT, Figure, in_turn, main
from functions.instance import initialize
from shared.kinds import KINDS
from shared.record import canonical_bytes, digest
from shared.vendor import Part

ANSWERS = ROOT / "tests" / "data" / "answers"
SAMPLE = "vod.media_audit/new-page"  # the vendor's own, printed on its page
OTHERS = (
    "vod.media_audit/every-field",
    "mts.video_quality/page-example",
    "mts.production/cover",
    "ice.production/cover",
)
LIMIT = 20
REPEATS = 100
ROUNDS = 11


def measure() -> Iterator[Figure]:
    """Normalize printed examples, each in turn with decoding it."""
    initialize(None)
    yield from _figures(SAMPLE, LIMIT)
    for case in OTHERS:
        yield from _figures(case)


def _figures(case: str, limit: float | None = None) -> Iterator[Figure]:
    body = (ANSWERS / case / "answer.json").read_bytes()
    kind = KINDS[case.partition("/")[0]]
    parts = (Part(name="answer", format="json", body=body),)

    def ours() -> None:
        digest(canonical_bytes(kind.normalize(parts)))

    pair = in_turn(partial(_timed, ours), partial(_timed, partial(json.loads, body)), rounds=ROUNDS)
    yield Figure(f"{case}, to `json.loads`", round(pair.ratio, 1), "ratio", limit)
    yield Figure(f"{case}", round(median(pair.ours), 1), "\u00b5s")


def _timed(work: Callable[[], object]) -> float:
    """Give what one of many repeats took, in microseconds."""
    started = process_time()
    for _ in range(REPEATS):
        work()
    return (process_time() - started) / REPEATS * 1e6


if __name__ == "__main__":
    sys.exit(main(__doc__ or "", measure))
