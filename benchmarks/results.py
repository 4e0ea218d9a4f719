"""Every benchmark, one after the other, and what came of them in one table each: `benchmarks/RESULTS.md`.

    python benchmarks/results.py --date 2026-11-21 [--into FILE] [NAME ...]

A benchmark is a file beside this one that has a `measure`; names such as `replay` choose among them. Each
runs in a process of its own. One that misses a limit, or ends without figures, keeps none of the others from
running: the exit status is 1 then.
"""

from __future__ import annotations

import argparse
import ast
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

if __package__ in (None, ""):  # run as a file: the repository's root is the root of its imports
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.harness import ROOT, Figure, machine

FOLDER = ROOT / "benchmarks"


@dataclass(frozen=True)
class Result:
    """What came of one benchmark; without figures, `status` is what it ended with."""

    name: str
    about: str
    figures: Sequence[Figure]
    status: int

    @property
    def ok(self) -> bool:
        """Tell whether there are figures, and all of them keep their limits."""
        return bool(self.figures) and all(figure.ok for figure in self.figures)


def benchmarks(folder: Path) -> list[Path]:
    """List the benchmarks of a folder by name."""
    return [path for path in sorted(folder.glob("*.py")) if "\ndef measure(" in path.read_text("utf-8")]


def run(path: Path) -> Result:
    """Run a benchmark; what it tells beside its figures goes to the standard error."""
    done = subprocess.run([sys.executable, str(path), "--json"], stdout=subprocess.PIPE, check=False)
    try:
        figures = [_figure(told) for told in json.loads(done.stdout)["figures"]]
    except (ValueError, KeyError, TypeError):
        figures = []
    about = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").partition("\n")[0]
    return Result(path.name, about, figures, done.returncode)


def _figure(told: dict[str, object]) -> Figure:
    given: dict[str, Any] = {name: value for name, value in told.items() if name != "ok"}
    return Figure(**given)


def page(results: Sequence[Result], *, machine: str, day: date) -> str:
    """Write the page."""
    head = (
        "# Results\n\n"
        f"`make bench` wrote this page on {day.isoformat()}, on {machine}. Each file of this folder says what"
        " it measures, and how; [what it costs](../docs/performance.md) says what the figures mean.\n"
    )
    return "\n".join([head, *map(_section, results)])


def _section(result: Result) -> str:
    told = [f"## {result.name}", "", result.about, ""]
    if not result.figures:
        return "\n".join([*told, f"FAILED: no figures, exit status {result.status}.", ""])
    rows = [_row(figure) for figure in result.figures]
    return "\n".join([*told, "| what | value | unit | limit | |", "|---|---|---|---|---|", *rows, ""])


def _row(figure: Figure) -> str:
    value = f"{figure.value:,.0f}" if abs(figure.value) >= 1_000 else f"{figure.value:.3g}"
    return f"| {figure.name} | {value} | {figure.unit} | {figure.bounds} | {figure.verdict} |"


def main(arguments: Sequence[str] | None = None, *, folder: Path = FOLDER) -> int:
    """Read the arguments, run the benchmarks, write the page; give the exit status."""
    parser = argparse.ArgumentParser(description="Run every benchmark, and write down what came of them.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these, such as `replay`")
    parser.add_argument("--date", type=date.fromisoformat, required=True, help="the day to write down")
    parser.add_argument("--into", type=Path, metavar="FILE", help="write the page there")
    told = parser.parse_args(arguments)
    chosen = [path for path in benchmarks(folder) if not told.names or path.stem in told.names]
    if missing := set(told.names) - {path.stem for path in chosen}:
        parser.error(f"no such benchmark: {', '.join(sorted(missing))}")
    results: list[Result] = []
    into = told.into or folder / "RESULTS.md"
    for path in chosen:
        print(f"--- {path.name}", file=sys.stderr, flush=True)
        results.append(run(path))
        print(_section(results[-1]), flush=True)
        # Whoever ends this early, as it takes long, has what came until then.
        into.write_text(page(results, machine=machine(), day=told.date), encoding="utf-8")
    return 0 if all(result.ok for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
