"""Each mechanism taken out makes the simulation fail: what does not is not proven by it."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.simulation.audiences import Audience, draw_audiences, nobody
from tests.simulation.delivery_switches import DELIVERY_SWITCHES
from tests.simulation.evidence_switches import EVIDENCE_SWITCHES
from tests.simulation.judge import CHECKS, faults
from tests.simulation.run import Run
from tests.simulation.switches import SWITCHES, Sky, Switch

Told = Callable[[random.Random], tuple[Audience, ...]]

DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"
MOST_SEEDS = 25
ALL = {**SWITCHES, **DELIVERY_SWITCHES, **EVIDENCE_SWITCHES}
SKIES = sorted({switch.sky for switch in ALL.values()}, key=lambda sky: sky.__name__)
MANY_JOBS = 80


def _told(name: str) -> Told:
    return draw_audiences if name in DELIVERY_SWITCHES else nobody


RUNS = {
    f"{switch.sky.__name__}-{switch.jobs}-{switch.seed}-{_told(name).__name__}": (switch, _told(name))
    for name, switch in ALL.items()
}
"""What differs among the runs in which the mechanisms are missed."""


@pytest.mark.parametrize("name", ALL)
def test_the_simulation_fails_without(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    switch = ALL[name]
    switch.patch(monkeypatch)
    seen: set[str] = set()
    for seed in range(switch.seed, switch.seed + MOST_SEEDS):
        run = Run(seed, jobs=switch.jobs, sky=switch.sky, told=_told(name), without=switch)
        run.go()
        seen |= {fault.partition(":")[0] for fault in faults(run)}
        if seen & switch.caught_by:
            break

    assert seen & switch.caught_by, f"seen by {seen or 'no check'}, expected {switch.caught_by}"


@pytest.mark.parametrize(("switch", "told"), RUNS.values(), ids=RUNS)
def test_as_it_is_it_passes_the_same_runs(switch: Switch, told: Told) -> None:
    run = Run(switch.seed, jobs=switch.jobs, sky=switch.sky, told=told)
    run.go()

    assert faults(run) == []


@pytest.mark.parametrize("sky", SKIES, ids=[sky.__name__ for sky in SKIES])
def test_as_it_is_it_passes_with_many_jobs(sky: Sky) -> None:
    for seed in range(3):
        run = Run(seed, jobs=MANY_JOBS, sky=sky)
        run.go()

        assert faults(run) == []


def test_every_check_catches_something() -> None:
    """Those that need no mechanism of their own to fail are named; each other one has its switch."""
    alone = {"no defect", "report", "current records"}

    assert set().union(*(switch.caught_by for switch in ALL.values())) | alone == set(CHECKS)


def test_the_document_has_the_same_table() -> None:
    rows = [
        line.split("|") for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| ")
    ]
    told = {row[1].strip(): {one.strip() for one in row[3].split(",")} for row in rows if len(row) == 5}

    assert {name: set(switch.caught_by) for name, switch in ALL.items()}.items() <= told.items()
