"""What holds in simulated storms holds for real processes on real files too."""

from __future__ import annotations

from tests.simulation.processes import under_fire


def test_every_job_is_accounted_for_after_processes_were_killed() -> None:
    found = under_fire(seconds=5, jobs=120)

    assert found.faults == [], found.summary
