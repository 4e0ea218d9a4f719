"""A kind is added without touching the package: what `docs/adding-a-kind.md` walks through."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from shared import settlement
from shared.documents.cursor import Walk
from shared.documents.pointers import resolve
from shared.errors import ParseError
from shared.jobs import JobRef, State
from shared.kinds import KINDS
from shared.kinds.kind import JobQuery, Kind
from shared.kinds.reading import find_part, unmapped
from shared.marks import Mark, mark
from shared.record import Job, JobRecord, Media, Output, Times, Unmapped, Verdict
from shared.toolkit import strict_json
from shared.toolkit.strict_json import Tree
from shared.vendor import ApiRequest, Part
from tests.world import World

NAME = "acme.transcription"


def request(query: JobQuery) -> ApiRequest:
    return ApiRequest("acme", "2026-01-01", "GetTranscription", {"JobId": query.job_id}, query.region)


def tree(part: Part) -> Tree:
    return strict_json.parse(part.body)


def normalize(parts: Sequence[Part]) -> JobRecord:
    walk = Walk("answer", tree(find_part(parts, "answer")))
    job_id, status = walk.root.text("Id"), walk.root.text("Phase")
    if job_id is None or status is None:
        raise ParseError("no Id or Phase", layer=NAME)
    lines = [
        Output(kind="line", title=line.text("Words"), start_ms=line.integer("From"), source=line.source)
        for line in walk.root.items("Lines")
    ]
    return JobRecord(
        normalizer_version=1,
        job=Job(kind=NAME, job_id=job_id),
        media=Media(),
        status="succeeded" if status == "done" else "running",
        vendor_status=status,
        incomplete=status == "done" and not lines,
        error=None,
        times=Times(),
        verdict=Verdict(),
        findings=(),
        outputs=tuple(lines),
        unmapped=unmapped(walk),
    )


KIND = Kind(NAME, "acme", 1, request, tree, normalize)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.services = replace(made.services, kinds={**KINDS, NAME: KIND})
    yield made
    made.close()


def test_a_job_of_a_new_kind_is_settled_like_any_other(world: World) -> None:
    answer = {"Id": "t1", "Phase": "done", "Lines": [{"From": 40, "Words": "你好"}], "Speaker": "Li"}
    world.vendor.know("t1", json.dumps(answer).encode())
    lease = mark(world.services, Mark(JobRef(NAME, "t1"), "test", is_notification=False))
    assert lease is not None

    outcome = settlement.settle_claimed(world.services, lease, by="person")

    assert (outcome.did, outcome.state) == ("settled", State.SUCCEEDED)
    (stored,) = world.stored(f"versions/{NAME}/t1/").values()
    record = JobRecord.model_validate_json(stored)
    assert [(line.start_ms, line.title) for line in record.outputs] == [(40, "你好")]
    assert record.unmapped == (Unmapped(source="answer:/Speaker", value="Li"),)
    assert resolve({"answer": strict_json.parse(json.dumps(answer))}, record.outputs[0].source) == {
        "From": "40",
        "Words": "你好",
    }
