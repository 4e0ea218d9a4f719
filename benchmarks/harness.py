"""What every benchmark shares: an environment of its own, paired rounds, and figures with limits.

    python benchmarks/toolkit.py            a table for people
    python benchmarks/toolkit.py --json     {"machine": ..., "figures": [{"name", "value", ..., "ok"}]}

A benchmark ends with status 1 when a figure misses its limit.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import venv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 9


@dataclass(frozen=True)
class Figure:
    """One measured number, at most `limit` and at least `at_least`. Without either it is always `ok`."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    at_least: float | None = None

    @property
    def ok(self) -> bool:
        """Tell whether the figure keeps its limits."""
        enough = self.at_least is None or self.value >= self.at_least
        return enough and (self.limit is None or self.value <= self.limit)

    @property
    def bounds(self) -> str:
        """Say the limits; nothing where there are none."""
        limits = {"at most": self.limit, "at least": self.at_least}
        return ", ".join(f"{bound} {limit:g}" for bound, limit in limits.items() if limit is not None)

    @property
    def verdict(self) -> str:
        """Say whether it keeps its limits, if it has any."""
        return ("ok" if self.ok else "MISSED") if self.bounds else ""


@dataclass(frozen=True)
class Paired:
    """Rounds of two things measured in turn, so that a machine that slows down slows both."""

    ours: Sequence[float]
    theirs: Sequence[float]

    @property
    def ratio(self) -> float:
        """Give the median of the rounds' ratios, ours to theirs."""
        return median(a / b for a, b in zip(self.ours, self.theirs, strict=True))


def in_turn(ours: Callable[[], float], theirs: Callable[[], float], *, rounds: int = ROUNDS) -> Paired:
    """Measure both once per round; a first round of each warms up and does not count."""
    ours()
    theirs()
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    return Paired([pair[0] for pair in pairs], [pair[1] for pair in pairs])


def run_in_environment(name: str, *requirements: str) -> None:
    """Go on in the benchmark's own environment, which is made when its pins have changed.

    Replaces the process by the same command in `.venv-bench-<name>`; returns when it is there already.
    """
    python = environment(name, *requirements)
    if Path(sys.prefix) == python.parent.parent:
        return
    os.chdir(ROOT)
    os.environ["PYTHONPATH"] = str(ROOT)
    # Both sides start from byte code, as they do when deployed: pip compiles theirs, the warm-up ours.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.execv(python, [str(python), *sys.argv])


def environment(name: str, *requirements: str) -> Path:
    """Give the Python of `.venv-bench-<name>`, which is made when these pins have changed, in their order."""
    folder = ROOT / f".venv-bench-{name}"
    python = folder / "bin" / "python"
    pins = [ROOT / "requirements" / requirement for requirement in requirements]
    stamp, wanted = folder / ".installed", "".join(pin.read_text(encoding="utf-8") for pin in pins)
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    print(f"setting up {folder.name}", file=sys.stderr)
    venv.create(folder, clear=True, with_pip=True)
    for pin in pins:
        # What builds comes first, with the other pins: nothing is fetched that none of them names.
        subprocess.run(
            [
                *(python, "-m", "pip", "install", "--quiet", "--require-hashes", "--no-build-isolation"),
                *("-r", pin),
            ],
            check=True,
            env=os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        )
    stamp.write_text(wanted, encoding="utf-8")
    return python


def main(description: str, measure: Callable[[], Iterable[Figure]]) -> int:
    """Read the arguments, measure, show; give the exit status."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    as_json = parser.parse_args().json
    figures = list(measure())
    if as_json:
        shown = [{**asdict(figure), "ok": figure.ok} for figure in figures]
        print(json.dumps({"machine": machine(), "figures": shown}, indent=2))
    else:
        print(f"{machine()}\n")
        for figure in figures:
            print(_line(figure))
    return 0 if all(figure.ok for figure in figures) else 1


def machine() -> str:
    """Name what the figures were measured on."""
    processor = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        processor = next(line.partition(": ")[2] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass  # not Linux, or a processor without a name: the architecture has to do
    return f"{processor}, {os.cpu_count()} cores, Python {platform.python_version()}"


def _line(figure: Figure) -> str:
    line = f"  {figure.verdict:<6} {figure.name:<74} {figure.value:>10.3g} {figure.unit}"
    return f"{line} ({figure.bounds})" if figure.bounds else line
