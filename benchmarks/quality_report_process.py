"""A process that normalizes one quality report, and prints how far its memory grew: see quality_report.py."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

from shared.findings_file import FindingsFile
from shared.kinds import KINDS
from shared.record import canonical_bytes, digest
from shared.vendor import LargePart, Part

_CHUNK_BYTES = 256 * 1024  # as the stores give it
_JOB = {"JobId": "0c8f04aa60bd4377a906bd6c91ec0000", "Status": "Success", "Output": "report.txt"}
_ANSWER = Part("answer", "json", json.dumps({"RequestId": "1", "Code": "Success", "Job": _JOB}).encode())


def normalized(path: Path) -> str:
    """Do all that settling does between the bytes of a report and those of its record; give their digest."""
    report = LargePart("output", "txt", partial(_chunks, path), partial(_opened, path), sha256="")
    with FindingsFile() as lines:
        return digest(canonical_bytes(KINDS["mts.video_quality"].record([_ANSWER, report], lines)))


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _opened(path: Path) -> BinaryIO:
    return path.open("rb")


def _megabytes(field: str) -> float:
    """Tell what the kernel says; `getrusage` would tell the peak of whoever started this process, too."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    (line,) = (line for line in lines if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024 / 1e6


def main(path: Path) -> None:
    """Print the growth in MB."""
    small = path.with_name("small.txt")
    small.write_text('{"freeze": [{"timestamp": "1"}]}', encoding="utf-8")
    normalized(small)
    idle = _megabytes("VmRSS")
    normalized(path)
    print(_megabytes("VmHWM") - idle)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
