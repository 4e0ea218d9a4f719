"""The outbox in the row: done at least once, removed once, never lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared import archive, effects, leasing
from shared.errors import ContendedError, OutcomeUnknownError
from shared.inbound.notifications.notification import Claim
from shared.job_row import Effect, effect_columns
from shared.jobs import State
from shared.marks import Mark, mark
from shared.policy import DAY, HOUR, MINUTE, SECOND
from shared.record import digest
from shared.tables import Row
from tests.faults import ANSWER_LOST, UNAVAILABLE, Fault, Faults, first
from tests.scripted_vendor import answer, callback
from tests.world import START, World, job_row, ref

JOB = "job-1"
KEY = ref(JOB).key
OLD_BODY, NEW_BODY = b"older", b"newer"
OLD, NEW = digest(OLD_BODY), digest(NEW_BODY)
NOW = Effect("record", OLD, 0, START)
OF_TOMORROW = Effect("deliver", OLD, 0, START)


def world_with(*pending: Effect) -> World:
    """Begin with a settled job that has two versions, the older one in its row."""
    world = World(None)
    settled: Row = {
        "digest": OLD,
        "version": 1,
        "suggestion": "pass",
        "seen_day": f"{KEY[0]}.2025-11-20",
        "settled_at": START - DAY,
        "settled_by": "timer",
    }
    world.put(job_row(State.SUCCEEDED, **settled, **effect_columns(pending)))
    for body in (OLD_BODY, NEW_BODY):
        world.objects.put(archive.version_key(ref(JOB), digest(body)), body, content_type="text/plain")
    return world


def commit_new(world: World) -> None:
    """Let another version be committed."""
    row = world.row(JOB)
    pending = (*row.effects, Effect("record", NEW, 0, START))
    change = {"digest": NEW, "token": row.count("token") + 1, **effect_columns(pending)}
    world.change(JOB, change)


def test_the_current_record_is_put_and_the_effect_removed() -> None:
    world = world_with(NOW)

    assert effects.drain(world.services, KEY).done == 1
    assert world.current_record(JOB) == OLD_BODY
    assert list(world.stored("records/")) == [f"records/kind=vod.media_audit/date=2025-11-20/{JOB}.json"]
    assert not {"effects", "effects_at", "due_at", "due_bucket"} & set(world.row(JOB).columns)
    assert world.broken() == []


def test_any_number_of_effects_is_drained_without_complaint() -> None:
    world = world_with(*(Effect("record", f"{number:064x}", 0, START) for number in range(40)))

    assert effects.drain(world.services, KEY).done == 40
    assert world.row(JOB).effects == ()


def test_without_effects_nothing_is_written() -> None:
    world = world_with()

    assert effects.drain(world.services, KEY).done == 0
    assert effects.drain(world.services, ref("another").key).done == 0
    assert world.ledger.writes == []


def test_an_effect_of_later_waits() -> None:
    world = world_with(replace(NOW, next_at=START + 1))

    assert effects.drain(world.services, KEY).done == 0
    world.clock.advance(1)
    assert effects.drain(world.services, KEY).done == 1


@pytest.mark.parametrize(
    ("attempts", "wait"),
    [(0, 30 * SECOND), (1, MINUTE), (2, 5 * MINUTE), (3, 15 * MINUTE), (4, HOUR), (9, HOUR)],
)
def test_an_effect_that_fails_is_put_off_and_stays(attempts: int, wait: int) -> None:
    world = world_with(replace(NOW, attempts=attempts))
    away = Faults(first("put", UNAVAILABLE))

    assert effects.drain(world.through(away), KEY).done == 0
    assert world.row(JOB).effects == (replace(NOW, attempts=attempts + 1, next_at=START + wait),)
    assert world.row(JOB).number("due_at") == START + wait
    assert world.broken() == []


def test_an_effect_of_a_version_to_come_is_kept_for_it_and_stops_no_other() -> None:
    world = world_with(OF_TOMORROW, NOW)

    assert effects.drain(world.services, KEY).done == 1
    assert world.row(JOB).effects == (replace(OF_TOMORROW, attempts=1, next_at=START + 30 * SECOND),)
    assert world.current_record(JOB) == OLD_BODY


def test_a_record_that_stands_already_is_not_put_again() -> None:
    world = world_with(NOW)
    effects.drain(world.services, KEY)
    world.change(JOB, effect_columns([NOW]))
    seen = Faults(lambda call: None)

    assert effects.drain(world.through(seen), KEY).done == 1
    assert [call.method for call in seen.calls] == ["get", "get", "get", "insert_many", "update", "get"]


@pytest.mark.parametrize("body", [NEW_BODY, b""])
def test_a_record_that_is_not_what_the_row_says_is_put_right(body: bytes) -> None:
    """One who drains late may have put an older version after a newer one."""
    world = world_with(NOW)
    world.objects.put(archive.current_key(world.row(JOB)), body, content_type="application/json")
    effects.drain(world.services, KEY)

    assert world.current_record(JOB) == OLD_BODY


@pytest.mark.parametrize("method", ["get", "put"])
def test_a_record_that_moves_while_it_is_put_is_put_again(method: str) -> None:
    world = world_with(NOW)
    moves = Faults(first(method, Fault(after=lambda: commit_new(world))))
    effects.drain(world.through(moves), KEY)

    assert world.current_record(JOB) == NEW_BODY
    assert world.row(JOB).effects == ()


def test_a_version_committed_before_the_removal_keeps_its_own_effect() -> None:
    world = world_with(NOW)
    moves = Faults(first("update", Fault(before=lambda: commit_new(world))))
    effects.drain(world.through(moves), KEY)

    assert world.current_record(JOB) == NEW_BODY
    assert world.row(JOB).effects == ()


def test_a_removal_under_a_lease_leaves_the_lease_and_its_due() -> None:
    world = world_with(NOW)
    world.change(JOB, {"settled_at": START})  # it is not yet time to confirm, and to verify the record
    in_between = Faults(first("query", Fault(before=lambda: drained(world))))
    world.deliver(callback(JOB, "fail"), world.through(in_between))

    assert world.broken() == []
    assert world.row(JOB).effects == ()


def drained(world: World) -> None:
    """Drain while somebody holds the lease."""
    before = world.row(JOB).number("lease_until")
    effects.drain(world.services, KEY)
    assert world.row(JOB).number("due_at") == before


def test_a_lease_that_ends_between_reading_and_removal_is_not_due_again() -> None:
    world = world_with(NOW)
    lease = leasing.claim(world.services, world.row(JOB))
    assert lease is not None
    ends = Fault(before=lambda: leasing.finish(world.services, lease, lambda row: ({"query_at": None}, None)))
    effects.drain(world.through(Faults(first("update", ends))), KEY)

    assert not {"lease_until", "effects", "due_at"} & set(world.row(JOB).columns)
    assert world.broken() == []


def test_a_mark_between_reading_and_removal_is_not_overwritten() -> None:
    world = world_with(NOW)
    wish = Mark(ref(JOB), "mns-topic", is_notification=True, claim=Claim("failed"))
    marks = Faults(first("update", Fault(before=lambda: mark(world.services, wish))))
    effects.drain(world.through(marks), KEY)

    assert world.row(JOB).number("query_at") == START
    assert world.row(JOB).number("due_at") == world.row(JOB).number("lease_until")
    assert world.row(JOB).effects == ()
    assert world.broken() == []


def test_two_who_drain_put_the_same_and_remove_it_once() -> None:
    world = world_with(NOW)
    other = Faults(first("update", Fault(before=lambda: effects.drain(world.services, KEY))))

    assert effects.drain(world.through(other), KEY).done == 0
    assert world.row(JOB).effects == ()
    assert len(world.ledger.writes) == 1


def test_a_removal_whose_answer_was_lost_is_done_all_the_same() -> None:
    world = world_with(NOW)
    with pytest.raises(OutcomeUnknownError):
        effects.drain(world.through(Faults(first("update", ANSWER_LOST))), KEY)

    assert effects.drain(world.services, KEY).done == 0
    assert world.row(JOB).effects == ()


def test_a_record_that_never_rests_is_put_off() -> None:
    world = world_with(NOW)

    def flip() -> None:
        other = NEW if world.row(JOB).text("digest") == OLD else OLD
        world.change(JOB, {"digest": other})

    restless = Faults(lambda call: Fault(after=flip) if call.method == "put" else None)
    effects.drain(world.through(restless), KEY)

    assert [effect.attempts for effect in world.row(JOB).effects] == [1]


def test_effects_that_never_end_are_given_up_for_now() -> None:
    world = world_with(NOW)
    seconds = iter(range(1_000))

    def add_another() -> None:
        pending = (*world.row(JOB).effects, Effect("record", f"{next(seconds):064}", 0, START))
        world.change(JOB, effect_columns(pending))

    busy = Faults(lambda call: Fault(before=add_another) if call.method == "update" else None)
    with pytest.raises(ContendedError, match=KEY):
        effects.drain(world.through(busy), KEY)


def test_a_version_that_was_put_late_and_by_nobody_alive_is_put_right_in_the_end() -> None:
    world = World(None)
    world.vendor.know(JOB, answer(JOB))
    world.deliver(callback(JOB))
    world.run_timer()
    older = world.current_record(JOB)
    world.vendor.know(JOB, answer(JOB, suggestion="block"))
    world.clock.advance(world.services.policy.confirm_after)
    world.run_timer()
    newer = world.current_record(JOB)

    # A stalled drain of the older version: its put arrives, and its process ends before it looks again.
    assert older is not None
    world.objects.put(archive.current_key(world.row(JOB)), older, content_type="application/json")
    world.run_until_quiet()

    assert newer == world.version(JOB) == world.current_record(JOB) != older
