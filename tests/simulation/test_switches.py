"""Each mechanism taken out makes the simulation fail: what does not is not proven by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.audiences import draw_audiences, nobody
from tests.simulation.delivery_switches import DELIVERY_SWITCHES
from tests.simulation.evidence_switches import EVIDENCE_SWITCHES
from tests.simulation.judge import CHECKS, faults
from tests.simulation.run import Run
from tests.simulation.switches import SWITCHES, Sky

DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"
MOST_SEEDS = 25
ALL = {**SWITCHES, **DELIVERY_SWITCHES, **EVIDENCE_SWITCHES}
SKIES = sorted({(switch.sky, switch.jobs) for switch in ALL.values()}, key=lambda one: one[0].__name__)


@pytest.mark.parametrize("name", ALL)
def test_the_simulation_fails_without(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    switch = ALL[name]
    told = draw_audiences if name in DELIVERY_SWITCHES else nobody
    switch.patch(monkeypatch)
    seen: set[str] = set()
    for seed in range(MOST_SEEDS):
        run = Run(seed, jobs=switch.jobs, sky=switch.sky, told=told, without=switch)
        run.go()
        seen |= {fault.partition(":")[0] for fault in faults(run)}
        if seen & switch.caught_by:
            break

    assert seen & switch.caught_by, f"seen by {seen or 'no check'}, expected {switch.caught_by}"


@pytest.mark.parametrize(("sky", "jobs"), SKIES, ids=[sky.__name__ for sky, _ in SKIES])
def test_as_it_is_it_passes_the_same_runs(sky: Sky, jobs: int) -> None:
    for seed in range(3):
        run = Run(seed, jobs=jobs, sky=sky)
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
