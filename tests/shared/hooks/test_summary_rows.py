"""One row per job, of its newest version."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared.adapters.clocks import ManualClock
from shared.hooks.services import HookFiles, HookServices
from shared.hooks.summary_rows import post_process, summary
from shared.jobs import JobRef
from shared.record import JobRecord
from tests.memory_stores import MemoryObjectStore

ANSWERS = Path(__file__).parents[2] / "data" / "answers"
RECORDS = sorted(ANSWERS.glob("*/*/record.json"))
REF = JobRef("vod.media_audit", "a.job")
KEY = "hooks/summary/kind=vod.media_audit/a%2Ejob.json"


def record(path: Path = ANSWERS / "vod.media_audit" / "every-field" / "record.json") -> JobRecord:
    return JobRecord.model_validate_json(path.read_bytes())


def run(objects: MemoryObjectStore, *, version: int) -> None:
    clock = ManualClock(0)
    files = HookFiles(objects, target="summary", clock=clock, deadline=1)
    services = HookServices("summary", REF, version, "e" * 64, 1, 1, clock, files)
    post_process(record(), services)


def row(objects: MemoryObjectStore) -> dict[str, object]:
    assert list(objects.objects) == [KEY]
    (line,) = objects.objects[KEY].splitlines()
    return dict(json.loads(line))


def test_a_job_has_one_row() -> None:
    objects = MemoryObjectStore()

    run(objects, version=1)

    assert row(objects) == json.loads(json.dumps(summary(record(), version=1)))


@pytest.mark.parametrize("versions", [(1, 2), (2, 1), (1, 2, 1), (2, 2)])
def test_the_row_of_the_newest_version_stays(versions: tuple[int, ...]) -> None:
    objects = MemoryObjectStore()

    for version in versions:
        run(objects, version=version)

    assert row(objects)["version"] == 2


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: f"{path.parts[-3]}-{path.parts[-2]}")
def test_every_row_has_the_same_columns_of_single_values(path: Path) -> None:
    values = summary(record(path), version=1)

    assert list(values) == list(summary(record(), version=1))
    assert all(value is None or isinstance(value, str | int) for value in values.values())
