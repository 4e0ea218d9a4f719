"""Storms over the whole product: whatever goes wrong in one, every job is accounted for when it is over.

One seed is one run, and always the same one: `make simulate SEEDS=1 FROM=17 JOBS=100` shows seed 17 again.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from dataclasses import fields
from pathlib import Path

import pytest

from shared.replay.run import replay_all
from tests.newer_kinds import with_normalizer
from tests.simulation.__main__ import failure
from tests.simulation.audiences import AUDIENCES
from tests.simulation.judge import faults
from tests.simulation.records import settled_rows
from tests.simulation.run import JOBS_OF_A_RUN, Run
from tests.simulation.stories import ILLNESSES, PLAIN
from tests.simulation.weather import Temper, Weather, astray, calm, deadly

SEEDS = range(50)
ONLY_WITHOUT_A_MECHANISM = {"is_but_for_one", "hidden", "sluggish", "workers", "is_undivided"}
"""Troubles that are drawn in `test_switches.py` alone."""
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_job_is_accounted_for_after_the_storm(seed: int) -> None:
    report = failure(seed, JOBS_OF_A_RUN)

    assert not report, report


def test_without_faults_every_record_is_what_the_last_answer_says() -> None:
    run = Run(1, sky=calm)

    run.go()

    assert faults(run) == []


def test_a_seed_is_always_the_same_run() -> None:
    first, second = Run(3, jobs=40), Run(3, jobs=40)
    first.go()
    second.go()

    assert first.trace.digest == second.trace.digest


@pytest.mark.parametrize("seed", [2, 5])
def test_a_release_in_the_storm_leaves_every_job_with_the_record_of_its_normalizer(seed: int) -> None:
    """A replay runs beside the callbacks, and old instances beside new ones."""
    release = with_normalizer("vod.media_audit", lambda record: record)
    run = Run(seed, release=release)
    run.go()
    moved = {story.ref.key: row for story, row in settled_rows(run) if story.ref.kind == "vod.media_audit"}
    made_by = [
        (write.was("normalizer_version"), write.now("normalizer_version"))
        for key in moved
        for write in run.ledger.writes[key]
    ]
    found = faults(run)
    again = replay_all(run.instances.bare(), list(moved), deliver=False)

    assert found == []
    assert {row.count("normalizer_version") for row in moved.values()} == {2}
    assert (2, 1) in made_by  # an old instance heard what the vendor had changed
    assert dict(again.outcomes) == {"unchanged": len(moved)}


@pytest.mark.parametrize("seed", [3, 5, 8])
def test_who_asks_about_a_job_that_kills_takes_no_other_job_along_twice(seed: int) -> None:
    run = Run(seed, sky=deadly)
    run.go()
    writes = [
        write for story in run.stories if story.illness == PLAIN for write in run.ledger.writes[story.ref.key]
    ]

    assert max(write.after.count("crashes") for write in writes) <= 1


@pytest.mark.parametrize("seed", range(3))
def test_a_lease_that_was_written_days_ahead_stops_nobody(seed: int) -> None:
    run = Run(seed, sky=astray)
    run.go()

    assert {fault.partition(":")[0] for fault in faults(run)}.isdisjoint(
        ("quiet", "at rest", "known", "inbox")
    )


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_a_seed_is_the_same_run_in_every_process(hash_seed: str) -> None:
    code = "from tests.simulation.run import Run; r = Run(3, jobs=40); r.go(); print(r.trace.digest)"
    env = {**os.environ, "PYTHONHASHSEED": hash_seed}
    run = Run(3, jobs=40)
    run.go()

    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )

    assert found.stdout.strip() == run.trace.digest


def test_the_seeds_see_every_trouble_and_every_illness() -> None:
    """Drawn too seldom, a trouble would be one that nobody was tested in."""
    runs = [Run(seed) for seed in SEEDS]
    names = {
        name for run in runs for name in vars(run.weather) if getattr(run.weather, name) not in (0, (0, 0))
    }
    tempers = [temper for run in runs for temper in run.weather.tempers.values()]
    illnesses = Counter(story.illness for run in runs for story in run.stories)

    assert names | ONLY_WITHOUT_A_MECHANISM == {field.name for field in fields(Weather)}
    for what in fields(Temper):
        assert any(getattr(temper, what.name) not in (0, (0, 0)) for temper in tempers), what.name
    assert {one.name for run in runs for one in run.audiences} == {one.name for one in AUDIENCES}
    assert all(illnesses[illness] >= len(SEEDS) / 2 for illness in ILLNESSES)
    assert {story.ref.kind for story in runs[0].stories} == {
        "vod.media_audit",
        "mts.video_quality",
        "mts.production",
        "ice.production",
    }
