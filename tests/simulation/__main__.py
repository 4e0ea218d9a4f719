"""Run seeds one after the other, then processes that are killed: what `make simulate` does."""

from __future__ import annotations

import sys
import time

from tests.simulation.judge import faults
from tests.simulation.processes import under_fire
from tests.simulation.run import Run

_SECONDS_UNDER_FIRE = 30


def main(seeds: int, first: int, jobs: int) -> int:
    """Run seeds from the first on, each with so many jobs; give the exit status: 1 when any failed."""
    failed: list[int] = []
    began = time.monotonic()
    for number, seed in enumerate(range(first, first + seeds), start=1):
        if report := failure(seed, jobs):
            failed.append(seed)
            print(f"\r{report}\n", flush=True)
        rate = number / (time.monotonic() - began)
        print(f"\r{number} of {seeds} seeds, {len(failed)} failed, {rate:.1f} a second ", end="", flush=True)
    print()
    if seeds > 1:
        print(f"processes that are killed, for {_SECONDS_UNDER_FIRE} s", flush=True)
        found = under_fire(seconds=_SECONDS_UNDER_FIRE)
        print("\n".join(found.faults) or found.summary)
        return int(bool(failed or found.faults))
    return int(bool(failed))


def failure(seed: int, jobs: int) -> str:
    """Run a seed; tell what is wrong, what happened last and how to see it again, or nothing."""
    run = Run(seed, jobs)
    run.go()
    wrong = faults(run)
    if not wrong:
        return ""
    weather = " ".join(run.weather.names())
    return "\n".join(
        (
            f"seed {seed}: {len(wrong)} faults",
            *(f"  {one}" for one in wrong[:20]),
            f"  weather: {weather}",
            "  the end of its trace:",
            run.trace.tail,
            f"  again: make simulate SEEDS=1 FROM={seed} JOBS={jobs}",
        )
    )


def _numbers(words: list[str]) -> tuple[int, int, int]:
    """Read SEEDS, FROM and JOBS; end with status 2 and a word on what is wrong."""
    numbers = []
    for name, least, word in zip(("SEEDS", "FROM", "JOBS"), (1, 0, 1), words, strict=True):
        if not (word.isascii() and word.isdigit() and int(word) >= least):
            print(f"{name} must be a whole number, {least} or more: not {word!r}", file=sys.stderr)
            sys.exit(2)
        numbers.append(int(word))
    seeds, first, jobs = numbers
    return seeds, first, jobs


if __name__ == "__main__":
    sys.exit(main(*_numbers(sys.argv[1:])))
