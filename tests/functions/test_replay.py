"""Every sample of `events/replay/` is handed to the handler, as Function Compute would."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from functions.replay.handler import handle, handler
from shared.errors import ParseError
from shared.policy import MINUTE
from shared.toolkit import fake_context
from tests.newer_kinds import suggesting, with_normalizer
from tests.shared.replay.test_one_job import JOB, settled_world
from tests.world import KIND, World

ROOT = Path(__file__).parents[2]
EVENTS = ROOT / "events" / "replay"


def answers(world: World, event: bytes) -> dict[str, object]:
    newer = replace(
        world.services,
        kinds=with_normalizer(KIND, suggesting("review")),
        deadline=world.clock.now() + 2 * MINUTE,
    )
    return handle(event, newer)


@pytest.mark.parametrize("path", sorted(EVENTS.iterdir()), ids=lambda path: path.name)
def test_a_sample_has_its_jobs_replayed(path: Path) -> None:
    world = settled_world()
    answer = answers(world, path.read_bytes())

    assert (answer["jobs"], answer["outcomes"]) == (1, {"moved": 1})
    assert world.row(JOB).count("normalizer_version") == 2
    assert world.targets.taken == []


def test_jobs_by_name_are_told_of_when_the_event_says_so() -> None:
    world = settled_world()
    event = {**json.loads((EVENTS / "jobs.json").read_bytes()), "deliver": True}
    answers(world, json.dumps(event).encode())
    world.run_until_quiet()

    assert world.targets.versions("a") == [2]


@pytest.mark.parametrize(
    "event", [b"", b"[]", b'{"jobs": ["job"]}', b'{"jobs": [1], "deliver": true}', b"{}"]
)
def test_an_event_that_names_nothing_is_refused(event: bytes) -> None:
    with pytest.raises(ParseError):
        handle(event, settled_world().services)


@pytest.mark.parametrize(("sample", "outcomes"), [("jobs.json", {"missing": 1}), ("shard.json", {})])
def test_a_sample_is_understood_by_the_entry_point(
    sample: str, outcomes: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_OBJECTS", f"file://{tmp_path}/archive")
    monkeypatch.setenv("LEDGER_TABLES", f"sqlite://{tmp_path}/ledger.db")
    answer = handler((EVENTS / sample).read_bytes(), fake_context(timeout_s=60))

    assert isinstance(answer, dict)
    assert answer["outcomes"] == outcomes
