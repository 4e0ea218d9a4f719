"""What a large quality report costs: its time beside the standard decoder's, and its memory.

    python benchmarks/quality_report.py [--json]

Ours reads the report as it comes, makes its record, and writes the findings that the record has no room for
to the temporary disk, as settling does. Theirs is the least that anybody does: the standard decoder in a loop
over the documents, which writes every item as a line of JSON. Both begin with the file on the disk. Memory is
the peak of a process that does ours alone, above what it had after a report of one finding.

One report is as the vendor prints it, one document for a thousand frames of a check; one is a single object.
"""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from time import process_time

if __package__ in (None, ""):  # run as a file: the repository's root is the root of its imports
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.harness import ROOT, Figure, in_turn, main
from benchmarks.quality_report_process import normalized

MB = 1_000_000
LIMIT = 10
MEMORY_LIMIT = 64
ROUNDS = 7
FRAMES = 1_000
CHECKS = ("brightness", "blockness", "freeze", "over_expose", "border", "mosaic")


def measure() -> Iterator[Figure]:
    """Measure reports of many objects, of one, and one of ten times the size."""
    with tempfile.TemporaryDirectory() as folder:
        for name, size, write, rounds in (
            ("20 MB of many objects", 20 * MB, write_many, ROUNDS),
            ("20 MB in one object", 20 * MB, write_one, ROUNDS),
            # One round, as it takes minutes: what differs between rounds, the others show.
            ("200 MB of many objects", 200 * MB, write_many, 1),
        ):
            path = Path(folder) / "report.txt"
            write(path, size)
            pair = in_turn(
                partial(_timed, partial(normalized, path)),
                partial(_timed, partial(spill_items, path, Path(folder) / "items.ndjson")),
                rounds=rounds,
            )
            yield Figure(f"{name}, to the standard decoder", round(pair.ratio, 1), "ratio", LIMIT)
            yield Figure(f"{name}, peak memory above idle", _peak(path), "MB", MEMORY_LIMIT)


def write_many(path: Path, size: int) -> None:
    """Write documents of one check each, until the report has its size."""
    drawn = random.Random(11)
    with path.open("w", encoding="utf-8") as file:
        start = 0
        while file.tell() < size:
            for check in CHECKS:
                file.write(
                    json.dumps({check: [_entry(drawn, check, start + i) for i in range(FRAMES)]}) + " "
                )
            start += FRAMES


def write_one(path: Path, size: int) -> None:
    """Write one object with a list for each check."""
    drawn = random.Random(11)
    with path.open("w", encoding="utf-8") as file:
        for number, check in enumerate(CHECKS):
            file.write(f'{"," if number else "{"} "{check}": [')
            frame = 0
            while file.tell() < size * (number + 1) // len(CHECKS):
                entries = [_entry(drawn, check, frame + i) for i in range(FRAMES)]
                file.write(("," if frame else "") + json.dumps(entries)[1:-1])
                frame += FRAMES
            file.write("]")
        file.write("}")


def _entry(drawn: random.Random, check: str, frame: int) -> dict[str, object]:
    """Make an entry as the page prints that of its check (query-apis.md 4)."""
    at, rectangle = 40 * frame, [drawn.randrange(1280) for _ in range(4)]
    match check:
        case "over_expose":
            return {"ratio": str(drawn.random()), "id": frame, "timestamp": float(at)}
        case "border":
            return {"border": rectangle, "id": frame, "timestamp": float(at)}
        case "mosaic":
            return {"box": [rectangle, rectangle], "id": frame, "timestamp": float(at)}
    word = {"brightness": "dark", "blockness": "blocking"}.get(check, check)
    return {"result": word, "score": drawn.uniform(-5, 5), "timestamp": str(at), "type": check}


def spill_items(path: Path, lines: Path) -> None:
    """Decode document after document, and write each item as a line."""
    text, decoder, at = path.read_text(encoding="utf-8").rstrip(), json.JSONDecoder(), 0
    hashed = hashlib.sha256()
    with lines.open("wb") as file:
        while at < len(text):
            document, at = decoder.raw_decode(text, at)
            at += 1
            for entries in document.values():
                for entry in entries:
                    line = json.dumps(entry).encode() + b"\n"
                    hashed.update(line)
                    file.write(line)


def _timed(work: Callable[[], object]) -> float:
    started = process_time()
    work()
    return process_time() - started


def _peak(path: Path) -> float:
    """Measure in a process of its own, in MB."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.quality_report_process", str(path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return round(float(done.stdout), 1)


if __name__ == "__main__":
    sys.exit(main(__doc__ or "", measure))
