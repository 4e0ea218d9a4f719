"""A callback that never comes is lost, seen and counted; one that comes after all is late."""

from __future__ import annotations

import logging

import pytest

from shared import effects
from shared.errors import OutcomeUnknownError
from shared.job_filter import Filter
from shared.job_row import effect_columns
from shared.listings import list_jobs
from shared.marks import Mark, mark
from shared.policy import MINUTE
from tests.faults import ANSWER_LOST, Fault, Faults, first
from tests.scripted_vendor import answer, callback
from tests.world import World, ref

JOB = "job-1"


def settled_by_the_timer(*, is_notification: bool = False) -> World:
    """Begin with a job that the timer has settled."""
    world = World(None)
    world.vendor.know(JOB, answer(JOB))
    mark(world.services, Mark(ref(JOB), by="test", is_notification=is_notification))
    world.clock.advance(world.services.policy.lease)
    world.run_timer()
    assert world.row(JOB).text("settled_by") == "timer"
    return world


def lost() -> World:
    """Begin with a job whose callback is lost."""
    world = settled_by_the_timer()
    world.run_until_quiet()
    return world


def test_a_job_that_the_timer_settled_without_any_callback_is_a_lost_callback_fifteen_minutes_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = settled_by_the_timer()
    world.clock.advance(15 * MINUTE - 1)
    assert world.run_timer().lost_callbacks == 0
    world.clock.advance(1)
    summary = world.run_timer()

    assert (summary.lost_callbacks, world.row(JOB).number("lost_callback")) == (1, 1)
    assert [one.levelno for one in caplog.records if "never came" in one.message] == [logging.WARNING]
    world.run_until_quiet()
    assert (world.row(JOB).number("lost_callback"), world.broken()) == (1, [])


def test_twice_in_a_row_counts_once() -> None:
    world = lost()

    assert world.run_timer().lost_callbacks == 0


def test_the_list_of_lost_callbacks_has_a_job_until_its_callback_comes() -> None:
    world = lost()
    found = list_jobs(world.services, Filter(lost_callback=True), limit=9).rows
    world.deliver(callback(JOB))

    assert [row.ref.job_id for row in found] == [JOB]
    assert list_jobs(world.services, Filter(lost_callback=True), limit=9).rows == ()


def test_a_callback_within_its_time_is_not_lost() -> None:
    world = settled_by_the_timer()
    world.deliver(callback(JOB))
    world.run_until_quiet()

    assert (world.row(JOB).number("lost_callback"), world.next_due()) == (None, None)


def test_a_callback_before_the_timer_settled_is_not_lost() -> None:
    world = settled_by_the_timer(is_notification=True)
    world.run_until_quiet()

    assert world.row(JOB).number("lost_callback") is None


@pytest.mark.parametrize("status", ["success", "fail", "processing"])
def test_a_lost_callback_that_comes_after_all_is_late_once(
    status: str, caplog: pytest.LogCaptureFixture
) -> None:
    world = lost()
    for number in range(3):
        world.deliver(callback(JOB, status, number=number))

    assert world.row(JOB).number("lost_callback") == 2
    assert len([one for one in caplog.records if "came late" in one.message]) == 1
    assert world.broken() == []


def test_a_verdict_is_told_when_the_answer_to_its_write_was_lost(caplog: pytest.LogCaptureFixture) -> None:
    world = settled_by_the_timer()
    row = world.row(JOB)
    world.change(JOB, {**effect_columns([one for one in row.effects if one.name == "callback"])})
    world.clock.advance(15 * MINUTE)
    drained = effects.drain(world.through(Faults(first("update", ANSWER_LOST))), row.key)

    assert (drained.lost_callbacks, world.row(JOB).number("lost_callback")) == (1, 1)
    assert len([one for one in caplog.records if "never came" in one.message]) == 1


def test_a_late_callback_is_told_when_the_answer_to_its_mark_was_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = lost()
    news = Mark(ref(JOB), by="test", is_notification=True)
    with pytest.raises(OutcomeUnknownError):
        mark(world.through(Faults(first("update", ANSWER_LOST))), news)
    mark(world.services, news)

    assert world.row(JOB).number("lost_callback") == 2
    assert len([one for one in caplog.records if "came late" in one.message]) == 1


def test_a_verdict_whose_write_never_happened_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    world = lost()
    unknown = Fault(before=_timeout)
    with pytest.raises(OutcomeUnknownError):
        mark(world.through(Faults(first("update", unknown))), Mark(ref(JOB), by="test", is_notification=True))

    assert not [one for one in caplog.records if "came late" in one.message]


def _timeout() -> None:
    raise OutcomeUnknownError("planned: nothing was written, and nobody knows")


def test_a_person_is_no_late_callback() -> None:
    world = lost()
    mark(world.services, Mark(ref(JOB), by="test", is_notification=False))

    assert world.row(JOB).number("lost_callback") == 1
