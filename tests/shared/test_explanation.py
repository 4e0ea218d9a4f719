"""A job's story: everything that happened, in order, and what happens next and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from shared import effects
from shared.delivery.outbox import Delivery, outbox_columns
from shared.explanation import explain, kept_at, name_to_type, what_next
from shared.job_row import Effect, JobRow, StoredPart, effect_columns, parts_column
from shared.jobs import State
from shared.marks import Mark, mark
from shared.policy import HOUR, Policy
from shared.tables import Value
from tests.scripted_vendor import answer, callback
from tests.shared.completeness.conftest import seen
from tests.world import START, World, job_row, ref

POLICY = Policy()


@pytest.fixture
def world() -> Iterator[World]:
    world = World(None)
    yield world
    world.close()


def told(row: JobRow, *, now: int = START) -> list[tuple[int | None, str]]:
    return [(one.at, one.what) for one in what_next(row, now, POLICY)]


def test_the_story_of_a_job_is_told_in_order_of_time(world: World) -> None:
    world.vendor.know("job-1", answer("job-1"))
    world.deliver(callback("job-1"))
    world.clock.advance(1_000)
    world.deliver(callback("job-1", "fail", number=2))

    story = explain(world.services, world.row("job-1"))

    times = [one.at or 0 for one in story.history]
    whats = [one.what for one in story.history]
    assert times == sorted(times)
    assert whats[0] == "first seen by mns-topic"
    assert sum("AIMediaAuditComplete" in what for what in whats) == len(story.deliveries) == 2
    assert any("claims failed" in what for what in whats)
    assert any(what.startswith("settled as succeeded with pass") for what in whats)
    assert any("differed, 1 times" in what for what in whats)


def told_after(world: World, words: str) -> list[tuple[int | None, str]]:
    """Give what the history says with these words, of a job after which nothing was due any more."""
    world.run_until_quiet()
    history = explain(world.services, world.row("job-1")).history
    return [(one.at, one.what) for one in history if words in one.what]


@pytest.mark.parametrize(
    ("suggestion", "said"),
    [
        ("pass", "2 times in all: the record is what it says"),
        ("block", "2 times in all: something differed, as version 2"),
        (None, "2 times in all: something differed"),
    ],
)
def test_the_confirming_query_is_told_with_what_came_of_it(
    world: World, suggestion: str | None, said: str
) -> None:
    world.vendor.say("job-1", answer("job-1"))
    world.vendor.know("job-1", answer("job-1", suggestion=suggestion))
    world.deliver(callback("job-1"))

    ((at, what),) = told_after(world, "asked again")

    assert at == START + POLICY.confirm_after
    assert what.endswith(said)


def test_a_job_that_was_not_asked_about_again_has_no_such_story(world: World) -> None:
    world.vendor.know("job-1", answer("job-1"))
    world.deliver(callback("job-1"))

    history = explain(world.services, world.row("job-1")).history
    assert not [one for one in history if "asked again" in one.what or "no callback" in one.what]


def test_a_callback_is_told_as_lost_and_as_late(world: World) -> None:
    world.vendor.know("job-1", answer("job-1"))
    mark(world.services, Mark(ref("job-1"), by="test", is_notification=False))

    ((lost_at, lost),) = told_after(world, "no callback")
    world.deliver(callback("job-1"))
    ((late_at, late),) = told_after(world, "no callback")

    settled_at = world.row("job-1").count("settled_at")
    assert lost_at == late_at == settled_at + POLICY.callback_grace
    assert (lost, late) == (
        "no callback had come: it counts as lost",
        "no callback had come: it counted as lost, and came late",
    )


def test_more_deliveries_than_a_page_holds_are_all_told(world: World) -> None:
    world.vendor.know("job-1", answer("job-1"))
    for number in range(30):
        world.deliver(callback("job-1", number=number))

    assert len(explain(world.services, world.row("job-1")).deliveries) == 30


@pytest.mark.parametrize(
    ("state", "columns", "words"),
    [
        (State.TRACKED, {"query_at": START}, "it was not asked yet"),
        (State.RUNNING, {"query_at": START, "queries": 1, "polls": 1, "vendor_status": "init"}, "init"),
        (State.RUNNING, {"query_at": START, "queries": 1}, "somebody wants it looked at"),
        (State.RUNNING, {"query_at": START, "queries": 2, "failures": 2}, "failed 2 times"),
        (State.TRACKED, {"query_at": START, "queries": 1, "not_found_since": START}, "after 60 minutes"),
        (State.RUNNING, {"query_at": START, "queries": 1, "incomplete_since": START}, "waited for 24 hours"),
        (State.SUCCEEDED, {"query_at": START, "queries": 1}, "to confirm"),
    ],
)
def test_the_next_query_is_told_with_its_reason(state: State, columns: dict[str, Value], words: str) -> None:
    ((at, what),) = told(job_row(state, **columns))

    assert at == START
    assert what.startswith("the vendor is asked")
    assert words in what


def test_effects_are_told_with_their_failures() -> None:
    effects = [Effect("record", "d", 2, START), Effect("callback", "d", 0, START + HOUR)]

    found = told(job_row(State.SUCCEEDED, **effect_columns(effects)))

    assert [at for at, _ in found] == [START + HOUR, START]
    assert "counts as lost" in found[0][1]
    assert "failed 2 times" in found[1][1]


def test_deliveries_are_told_with_their_failures() -> None:
    tried = Delivery("a", 1, "d", (), START, START, START + HOUR, attempts=2, last="it said 500")
    waiting, new = replace(tried, version=2), replace(tried, target="b", attempts=0, next_at=START)
    never = {
        "undelivered": '[{"target":"c","version":1,"digest":"d","since":1,"attempts":9,"reason":"gone"}]'
    }

    found = told(job_row(State.SUCCEEDED, **outbox_columns([tried, waiting, new]), **never))

    assert [at for at, _ in found] == [START + HOUR, START, None]
    assert found[0][1] == "version 1 is delivered to a, after 2 attempts; it said 500"
    assert found[1][1] == "version 1 is delivered to b"
    assert "c never took version 1, in 9 attempts: gone; media-ledger redeliver" in found[2][1]


@pytest.mark.parametrize("name", sorted(effects._PERFORM))
def test_every_effect_is_told_in_words(name: str) -> None:
    ((_, what),) = told(job_row(State.SUCCEEDED, **effect_columns([Effect(name, "d", 0, START)])))

    assert "the effect" not in what


@pytest.mark.parametrize("job_id", ["x; touch pwned", "$(reboot)", "a\nb", "\x1b[2J", "a b"])
def test_no_job_id_is_a_command_of_the_shell_that_it_is_copied_into(job_id: str) -> None:
    row = seen(ref(job_id), State.UNKNOWN)

    assert name_to_type(row) == row.key
    ((_, what),) = told(row)
    assert what.endswith(f"media-ledger retry {row.key}")


@pytest.mark.parametrize(("now", "words"), [(START, "somebody is settling"), (START + HOUR, "crashed")])
def test_a_lease_is_told_as_held_or_lapsed(now: int, words: str) -> None:
    found = told(job_row(State.TRACKED, holder="h", lease_until=START + 1_000), now=now)

    assert [at for at, _ in found] == [START + 1_000]
    assert words in found[0][1]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (State.QUARANTINED, "media-ledger release vod.media_audit/job-1"),
        (State.UNKNOWN, "media-ledger retry vod.media_audit/job-1"),
        (State.FAILED, "nothing: it is finished"),
        (State.TRACKED, "must not be"),
    ],
)
def test_what_only_a_person_ends_names_the_command(state: State, words: str) -> None:
    ((at, what),) = told(job_row(state))

    assert at is None
    assert words in what


def test_objects_of_a_job_are_named_with_its_version_last() -> None:
    part = StoredPart("answer", "json", "raw/x/1.json")

    keys = kept_at(job_row(State.SUCCEEDED, raw_parts=parts_column([part]), digest="d"))

    assert keys == ("raw/x/1.json", "versions/vod.media_audit/job-1/d.json")
    assert kept_at(job_row(State.TRACKED)) == ()


def test_the_reason_of_a_quarantine_is_told_without_secrets(world: World) -> None:
    reason = "ParseError: https://b.oss/x?Signature=canary"
    world.put(job_row(State.QUARANTINED, reason=reason, updated_at=START))

    first, *_ = explain(world.services, world.row("job-1")).history

    assert first.what.startswith("quarantined: ParseError: https://b.oss/x")
    assert "canary" not in first.what
