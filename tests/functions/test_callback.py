"""Every sample of `events/callback/` is replayed through the handler, as Function Compute would."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from functions.callback.handler import handle, handler
from shared.errors import ParseError
from shared.inbound.notifications import Notification, read
from shared.job_row import read_job
from shared.jobs import JobRef, State
from shared.marks import Mark, mark
from shared.record import digest
from shared.tables import INBOX, JOBS
from shared.toolkit import BatchFailedError, fake_context
from shared.toolkit.message import Messages
from shared.toolkit.triggers import recognize
from tests.faults import ANSWER_LOST, UNAVAILABLE, Fault, Faults, first
from tests.scripted_vendor import answer
from tests.world import World

FOLDER = Path(__file__).parents[2] / "events" / "callback"
SAMPLES = sorted(path for path in FOLDER.iterdir() if path.suffix in (".json", ".txt"))

each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def notifications(event: bytes) -> Iterator[Notification]:
    for message in cast(Messages, recognize(event)).messages:
        try:
            found = read(message.body) if message.reason is None else None
        except ParseError:
            continue
        if isinstance(found, Notification):
            yield found


def truthful(world: World, event: bytes) -> list[JobRef]:
    """Let the vendor say of every job what the event claims; give the jobs."""
    named = list(notifications(event))
    for one in named:
        failed = one.claim is not None and one.claim.status == "failed"
        suggestion = (one.claim.suggestion if one.claim else None) or "pass"
        world.vendor.know(one.ref.job_id, ANSWERS[one.ref.kind](one.ref.job_id, failed, suggestion))
    return [one.ref for one in named]


def state_of(world: World, ref: JobRef) -> State:
    row = read_job(world.services.ledger, ref.key)
    assert row is not None
    return row.state


def review(job_id: str, failed: bool, suggestion: str) -> bytes:
    return answer(job_id, "fail" if failed else "success", suggestion=suggestion)


def production(field: str) -> Callable[[str, bool, str], bytes]:
    """Write a production job's answer; its products call the field for its state differently."""

    def write(job_id: str, failed: bool, suggestion: str) -> bytes:
        state = "Fail" if failed else "Success"
        return json.dumps({"JobId": job_id, "FunctionName": "Cover", field: state, "Result": "{}"}).encode()

    return write


ANSWERS: dict[str, Callable[[str, bool, str], bytes]] = {
    "vod.media_audit": review,
    "mts.production": production("State"),
    "ice.production": production("Status"),
}


def receipts(answered: dict[str, object]) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", answered["receipts"])


@each_sample
def test_every_message_of_a_sample_is_kept_and_every_job_in_it_settled(world: World, sample: Path) -> None:
    event = sample.read_bytes()
    jobs = truthful(world, event)

    answered = handle(event, world.services)

    assert answered["failed"] == []
    assert [state_of(world, job).is_terminal for job in jobs] == [True] * len(jobs)
    kept = [
        world.services.ledger.get(INBOX, (receipt["job"], receipt["message_id"]))
        for receipt in receipts(answered)
        if receipt["was"] == "notification"
    ]
    assert len(kept) == len(jobs)
    assert all(kept)


@each_sample
def test_a_sample_that_comes_again_costs_no_vendor_call(world: World, sample: Path) -> None:
    event = sample.read_bytes()
    truthful(world, event)
    handle(event, world.services)
    asked = list(world.vendor.calls)

    again = handle(event, world.services)

    assert world.vendor.calls == asked
    assert all(receipt["did"] in (None, "marked") for receipt in receipts(again))


def test_an_unreadable_neighbour_harms_nobody_and_lies_in_quarantine_with_its_reason(world: World) -> None:
    event = (FOLDER / "mixed-batch.json").read_bytes()
    truthful(world, event)

    answered = handle(event, world.services)

    assert Counter(receipt["was"] for receipt in receipts(answered)) == {
        "notification": 1,
        "unreadable": 1,
        "set_aside": 1,
    }
    unreadable = next(one for one in receipts(answered) if one["was"] == "unreadable")
    assert "JobId" in unreadable["reason"]
    sent = {m.message_id: m.body for m in cast(Messages, recognize(event)).messages}
    body = sent[unreadable["message_id"]]
    name = digest(body)
    row = world.services.ledger.get(INBOX, (f"{name[:2]}..unreadable.{name}", unreadable["message_id"]))
    assert row is not None
    assert world.services.objects.get(str(row["body_key"])) == body


@pytest.mark.parametrize("fault", [UNAVAILABLE, ANSWER_LOST], ids=["before", "after"])
@pytest.mark.parametrize("table", ["jobs", "inbox"])
def test_a_delivery_whose_mark_or_inbox_row_failed_is_answered_with_success_only_the_next_time(
    world: World, table: str, fault: Fault
) -> None:
    event = (FOLDER / "topic-stream.json").read_bytes()
    jobs = truthful(world, event)
    failing = world.through(Faults(first("insert", fault, target=table)))

    if (table, fault) == ("jobs", ANSWER_LOST):
        # The mark did happen, and the row shows whose it was.
        assert handle(event, failing)["failed"] == []
    else:
        with pytest.raises(BatchFailedError):
            handle(event, failing)

    assert handle(event, world.services)["failed"] == []
    assert all(state_of(world, job).is_terminal for job in jobs)


@pytest.mark.parametrize(
    "event",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"EventType":"AIMediaAuditComplete","JobId":NaN}',
        b'{"EventType":"AIMediaAuditComplete","JobId":"a","JobId":"b"}',
        b'{"EventType":"AIMediaAuditComplete","JobId":"\\ud800"}',
        b'{"EventType":"AIMediaAuditComplete","JobId":["a"]}',
        b'{"EventType":7,"JobId":"a"}',
        json.dumps({"EventType": "AIMediaAuditComplete", "JobId": "x" * 10_240}).encode(),
        b'{"EventType":"AIMediaAuditComplete","JobId":"a","Data":"' + b"x" * 20_000_000 + b'"}',
    ],
    ids=range(12),
)
def test_bad_input_is_quarantined_with_a_reason_and_never_raises(world: World, event: bytes) -> None:
    answered = handle(event, world.services)

    assert answered["failed"] == []
    assert [(one["was"], bool(one["reason"])) for one in receipts(answered)] == [("unreadable", True)]
    assert world.vendor.calls == []


def test_the_entry_point_settles_nothing_without_settings_and_says_which() -> None:
    with pytest.raises(Exception, match="LEDGER_OBJECTS"):
        handler(b"{}", fake_context(function_name="callback"))


def test_a_job_that_is_not_ours_to_know_does_not_stop_the_answer(world: World) -> None:
    event = (FOLDER / "topic-stream.json").read_bytes()

    answered = handle(event, world.services)

    (job,) = notifications(event)
    assert [one["did"] for one in receipts(answered)] == ["waiting"]
    assert state_of(world, job.ref) is State.TRACKED


def test_a_message_that_says_nothing_of_its_kind_is_sorted_by_the_queue_it_came_from(world: World) -> None:
    event = (FOLDER / "mps-video-quality.json").read_bytes()
    policy = replace(world.services.policy, quality_sources=frozenset({"video-quality"}), user_id="1")

    aside = handle(event, world.services)
    taken = handle(event, replace(world.services, policy=policy))

    assert [one["was"] for one in receipts(aside)] == ["set_aside"]
    assert [one["was"] for one in receipts(taken)] == ["notification"]
    assert ".mts.video_quality." in receipts(taken)[0]["job"]


def test_a_message_that_says_nothing_of_its_kind_is_sorted_by_a_job_that_is_known(world: World) -> None:
    event = (FOLDER / "mps-video-quality.json").read_bytes()
    quality = JobRef("mts.video_quality", "dd0a87acaf1ac2a4d949eb683fd1f8f6")
    mark(world.services, Mark(quality, "test", is_notification=False))

    answered = handle(event, world.services)

    assert [(one["was"], one["job"]) for one in receipts(answered)] == [("notification", quality.key)]


def test_a_message_about_a_job_whose_row_nobody_can_read_is_kept_all_the_same(world: World) -> None:
    event = (FOLDER / "mps-video-quality.json").read_bytes()
    quality = JobRef("mts.video_quality", "dd0a87acaf1ac2a4d949eb683fd1f8f6")
    mark(world.services, Mark(quality, "test", is_notification=False))
    world.change(quality, {"effects": "not json"})

    answered = handle(event, world.services)

    (message,) = cast(Messages, recognize(event)).messages
    assert len(cast("list[object]", answered["failed"])) == 1
    assert world.services.ledger.get(INBOX, (quality.key, message.message_id)) is not None


def test_a_timer_event_takes_in_nothing(world: World) -> None:
    event = b'{"triggerTime":"2026-01-01T00:00:00Z","triggerName":"every","payload":""}'

    assert handle(event, world.services)["items"] == 0


def test_a_message_that_there_is_no_time_for_is_not_begun_and_comes_again(world: World) -> None:
    event = (FOLDER / "topic-json.json").read_bytes()
    (job,) = truthful(world, event)
    late = replace(world.services, deadline=world.clock.now() + 4_000)

    with pytest.raises(BatchFailedError):
        handle(event, late)
    assert world.services.ledger.get(JOBS, (job.key,)) is None
    assert handle(event, world.services)["failed"] == []
