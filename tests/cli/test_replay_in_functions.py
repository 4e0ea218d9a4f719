"""Shards of a replay as asynchronous invocations, in the function `replay` of a local Function Compute."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from shared import effects, intake
from shared.job_row import read_job
from shared.ports import Clock, Services
from shared.replay.selection import Selection
from shared.replay.tasks import replay_in_shards
from tests.cli.test_serving_functions import serving
from tests.newer_kinds import suggesting, with_normalizer
from tests.scripted_vendor import ScriptedMediaApi, answer, callback
from tests.world import KIND, ref

JOBS = [f"job-{number}" for number in range(6)]


@dataclass(frozen=True)
class Impatient:
    """The real clock, looked at more often than anybody else would."""

    inner: Clock

    def now(self) -> int:
        return self.inner.now()

    def sleep(self, ms: int) -> None:
        time.sleep(0.02)


def settle_by_an_older_release(services: Services) -> None:
    api = ScriptedMediaApi()
    older = replace(services, kinds=with_normalizer(KIND, suggesting("block"), version=0), media_api=api)
    for name in JOBS:
        api.know(name, answer(name))
        intake.take_in(older, callback(name))
        effects.drain(older, ref(name).key)


def test_shards_in_the_function_move_every_job(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        services = served.services
        settle_by_an_older_release(services)
        # Before or after midnight: the index knows on which day they were first seen.
        seen = date.fromtimestamp(services.clock.now() / 1000)
        selection = Selection((KIND,), seen - timedelta(days=1), seen + timedelta(days=1))
        impatient = replace(services, clock=Impatient(services.clock))

        tally = replay_in_shards(impatient, selection, shards=3, deliver=False, tell=lambda now: None)
        rows = [read_job(services.ledger, ref(name).key) for name in JOBS]

    assert dict(tally.outcomes) == {"moved": len(JOBS)}
    assert [row and (row.count("version"), row.count("normalizer_version")) for row in rows] == (
        [(2, 1)] * len(JOBS)
    )
