"""What a person does to a job: it is tried again now, and nobody else's work is undone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from shared import interventions
from shared.adapters.local.folder_result_files import FolderResultFiles
from shared.delivery.outbox import Delivery, outbox_columns
from shared.errors import ContendedError
from shared.job_row import Effect, effect_columns, read_job
from shared.jobs import JobRef, State
from shared.marks import Mark, mark
from shared.settlement import settle
from shared.tables import Value
from tests.faults import Fault, Faults, first
from tests.scripted_vendor import answer, callback
from tests.world import START, World, job_row, ref

JOB = "job-1"
CRASHED: dict[str, Value] = {"crashes": 3, "holder": "h", "lease_until": START - 1, "reason": "ended"}


def world_with(state: State, **columns: Value | None) -> World:
    """Begin with a job in that state."""
    world = World(None)
    world.put(job_row(state, seen_day="7.2025-11-20", **columns))
    world.vendor.know(JOB, answer(JOB))
    return world


def test_a_released_job_is_tracked_and_asked_about_now() -> None:
    world = world_with(State.QUARANTINED, failures=4, **CRASHED)

    assert interventions.release(world.services, ref(JOB), by="test") == "done"
    row = world.row(JOB)
    assert (row.state, row.number("query_at"), row.count("wanted")) == (State.TRACKED, START, 2)
    assert not {"crashes", "reason", "failures", "notified"} & set(row.columns)
    world.run_until_quiet()
    assert world.row(JOB).state is State.SUCCEEDED
    assert world.broken() == []


@pytest.mark.parametrize("state", [state for state in State if state is not State.QUARANTINED])
def test_only_what_is_quarantined_is_released(state: State) -> None:
    world = world_with(state)

    assert interventions.release(world.services, ref(JOB), by="test") == "not quarantined"
    assert world.ledger.writes == []


@pytest.mark.parametrize("state", [state for state in State if state is not State.QUARANTINED])
def test_a_job_in_any_other_state_is_tried_again_now(state: State) -> None:
    world = world_with(state, query_at=START + 99, polls=9, reason="away")

    assert interventions.retry(world.services, ref(JOB), by="test") == "done"
    row = world.row(JOB)
    assert row.state is (State.TRACKED if state is State.UNKNOWN else state)
    assert row.number("query_at") == row.number("due_at") == START
    assert not {"polls", "reason"} & set(row.columns)
    assert world.broken() == []


def test_what_is_quarantined_is_released_and_not_retried() -> None:
    world = world_with(State.QUARANTINED)

    assert interventions.retry(world.services, ref(JOB), by="test") == "quarantined"
    assert world.ledger.writes == []


@pytest.mark.parametrize(
    "meanwhile",
    [
        {"token": 8, "holder": "h", "lease_until": START + 9, "due_at": START + 9},
        {"query_at": None, "due_at": None, "due_bucket": None},
        {"token": 8},
        effect_columns([Effect("record", "d", 1, START + 9), Effect("callback", "d", 0, START + 9)]),
    ],
)
def test_what_happens_between_reading_and_writing_is_not_overwritten(
    meanwhile: dict[str, Value | None],
) -> None:
    world = world_with(
        State.SUCCEEDED, query_at=START + 99, **effect_columns([Effect("record", "d", 1, START + 9)])
    )
    ahead = Faults(first("update", Fault(before=lambda: world.change(JOB, meanwhile))))
    interventions.retry(world.through(ahead), ref(JOB), by="test")
    row = world.row(JOB)

    assert len([call for call in ahead.calls if call.method == "update"]) == 2
    assert row.number("due_at") == (row.number("lease_until") or START)
    assert len(row.effects) == (2 if "effects" in meanwhile else 1)
    assert world.broken() == []


def test_what_a_person_has_seen_needs_nobody_until_something_else_differs() -> None:
    world = world_with(State.SUCCEEDED, drifts=1, drift="status: fail", drift_at=START)

    assert interventions.acknowledge(world.services, ref(JOB), by="test") == "done"
    assert not {"attention", "attention_at", "attention_bucket"} & set(world.row(JOB).columns)
    assert interventions.acknowledge(world.services, ref(JOB), by="test") == "nothing to see"
    world.change(JOB, {"drifts": 2})
    assert interventions.acknowledge(world.services, ref(JOB), by="test") == "done"
    assert world.row(JOB).number("drift_seen") == 2


def test_what_differs_in_the_moment_in_which_a_person_looked_is_news() -> None:
    world = World(None)
    world.vendor.know(JOB, answer(JOB))
    world.deliver(callback(JOB))
    world.deliver(callback(JOB, "fail", number=2))
    interventions.acknowledge(world.services, ref(JOB), by="test")
    seen = world.row(JOB)

    world.vendor.know(JOB, answer(JOB, status="fail"))
    interventions.retry(world.services, ref(JOB), by="test")
    settle(world.services, world.row(JOB), by="timer")

    row = world.row(JOB)
    assert (seen.text("attention"), row.text("attention")) == (None, "drift")
    assert row.number("drift_at") == seen.number("drift_at")
    assert world.broken() == []


def test_what_differed_since_it_was_looked_at_is_looked_at_again() -> None:
    world = world_with(State.SUCCEEDED, drifts=1, drift="status: fail", drift_at=START)
    drifts = iter(range(2, 99))
    others = Faults(
        lambda call: (
            Fault(before=lambda: world.change(JOB, {"drifts": next(drifts)}))
            if call.method == "update"
            else None
        )
    )

    with pytest.raises(ContendedError):
        interventions.acknowledge(world.through(others), ref(JOB), by="test")
    assert world.row(JOB).number("drift_seen") is None


@pytest.mark.parametrize("intervene", [interventions.release, interventions.retry, interventions.acknowledge])
def test_a_job_that_nobody_knows_stays_so(intervene: Callable[..., interventions.Intervened]) -> None:
    world = World(None)

    assert intervene(world.services, ref(JOB), by="test") == "no such job"
    assert world.ledger.writes == []


def test_effects_that_have_failed_are_tried_at_once_and_others_keep_their_time() -> None:
    failed, watch = Effect("record", "d", 3, START + 99), Effect("callback", "d", 0, START + 99)
    world = world_with(State.SUCCEEDED, digest="d", **effect_columns([failed, watch]))
    interventions.retry(world.services, ref(JOB), by="test")

    assert world.row(JOB).effects == (watch, replace(failed, next_at=START))
    assert world.broken() == []


def test_every_delivery_is_tried_at_once() -> None:
    entry = Delivery("next", 1, "d", (), START, START, next_at=START + 99, attempts=3, last="away")
    world = world_with(State.SUCCEEDED, digest="d", **outbox_columns([entry]))
    interventions.retry(world.services, ref(JOB), by="test")

    assert world.row(JOB).outbox == (replace(entry, next_at=START),)
    assert world.broken() == []


def test_a_job_that_is_held_is_asked_about_again_by_whoever_is_next() -> None:
    world = World(None)
    world.vendor.know(JOB, answer(JOB))
    world.vendor.say(JOB, answer(JOB, "processing"))
    meanwhile = Fault(after=lambda: interventions.retry(world.services, ref(JOB), by="test"))
    world.deliver(callback(JOB), world.through(Faults(first("query", meanwhile))))

    assert world.row(JOB).number("query_at") == START
    assert world.broken() == []


def test_a_retry_that_others_keep_overtaking_is_given_up() -> None:
    world = world_with(State.RUNNING)
    ahead = Fault(before=lambda: world.deliver(callback(JOB)))
    busy = Faults(lambda call: ahead if call.method == "update" else None)

    with pytest.raises(ContendedError, match=ref(JOB).key):
        interventions.retry(world.through(busy), ref(JOB), by="test")


def test_a_retry_finds_the_file_that_could_not_be_read_before(tmp_path: Path) -> None:
    """A job that was settled while LEDGER_RESULT_FILES was not set gets a new version."""
    job = JobRef("mts.video_quality", "0c8f04aa60bd4377a906bd6c91ec0000")
    told = {"JobId": job.job_id, "Status": "Success", "Output": "b.txt", "VideoQualityResults": "{}"}
    world = World(None)
    world.vendor.know(job.job_id, json.dumps({"Code": "Success", "Job": told}).encode())
    place = "oss://results.oss-cn-shanghai.aliyuncs.com/"
    policy = replace(world.services.policy, user_id="42", outputs={job.kind: place})
    world.services = replace(world.services, policy=policy)
    mark(world.services, Mark(job, "test", is_notification=True))
    world.run_until_quiet()
    before = read_job(world.ledger, job.key)
    assert before is not None
    assert before.text("notes") == "output unreachable"

    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "b.txt").write_text(
        '{"freeze":[{"result":"freeze","score":4.14,"timestamp":"233","type":"freeze"}]}'
    )
    world.services = replace(world.services, result_files=FolderResultFiles(tmp_path))
    assert interventions.retry(world.services, job, by="test") == "done"
    world.run_until_quiet()

    after = read_job(world.ledger, job.key)
    assert after is not None
    assert (after.count("version"), after.text("notes")) == (2, None)
