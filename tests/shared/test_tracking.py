"""Announcing jobs: put if absent, completed if known, never asked about, the same twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.announcements import Announcement, Item, Refusal
from shared.errors import MisconfiguredError, OutcomeUnknownError, StoreUnavailableError
from shared.job_filter import Filter
from shared.job_row import JobRow, with_hints
from shared.jobs import JobRef, State
from shared.leasing import claim
from shared.listings import list_jobs
from shared.marks import Mark, mark
from shared.policy import DAY, HOUR, MINUTE, SECOND
from shared.tables import Value
from shared.tracking import Outcome, Receipt, announce, counts, first_row, plan, report
from tests.faults import ANSWER_LOST, UNAVAILABLE, Fault, Faults, first
from tests.row_rules import Write, broken_rules
from tests.scripted_vendor import answer, callback
from tests.world import START, World, job_row, ref

JOB = "job-1"
EXPECTED = 10 * MINUTE
PLAIN = Announcement(ref(JOB))
FULL = Announcement(ref(JOB), "cn-beijing", "7", "oss://b/k", "media-1")
GUESSED: dict[str, Value] = {"region": "cn-shanghai", "user_id": "1"}


def outcomes(world: World, *items: Item) -> list[Outcome]:
    return [receipt.outcome for receipt in announce(world.services, items)]


def begin() -> World:
    """Begin with a job that only the vendor knows, finished."""
    world = World(None)
    world.vendor.know(JOB, answer(JOB))
    return world


def test_an_announced_job_is_asked_for_when_it_should_have_ended_and_no_sooner() -> None:
    world = begin()
    assert outcomes(world, FULL) == [Outcome.ANNOUNCED]
    assert (
        world.row(JOB).columns.items()
        >= {
            "first_seen_by": "track",
            "region": "cn-beijing",
            "user_id": "7",
            "output": "oss://b/k",
            "media_id": "media-1",
        }.items()
    )
    world.clock.advance(EXPECTED - 1)
    world.run_timer()
    assert world.vendor.calls == []
    world.clock.advance(1)
    world.run_timer()

    assert world.row(JOB).state is State.SUCCEEDED
    assert world.broken() == []


@pytest.mark.parametrize(
    ("said", "due"),
    [
        (PLAIN, START + EXPECTED),
        (replace(PLAIN, expected=2 * HOUR), START + 2 * HOUR),
        (replace(PLAIN, expected=0), START),
        (replace(PLAIN, submitted_at=START - 4 * MINUTE), START + 6 * MINUTE),
        (replace(PLAIN, submitted_at=START - 30 * DAY), START),
        (replace(PLAIN, submitted_at=START + 30 * DAY), START + EXPECTED),
        (replace(PLAIN, submitted_at=START - HOUR, expected=3 * HOUR), START + 2 * HOUR),
    ],
)
def test_a_job_is_due_when_it_should_have_ended_counted_from_its_submission(
    said: Announcement, due: int
) -> None:
    row = first_row(said, now=START, expected=EXPECTED)

    assert (row["query_at"], row["due_at"]) == (due, due)
    assert broken_rules(Write(START, None, JobRow.read(said.ref.key, row))) == []


def test_an_announced_job_can_be_claimed() -> None:
    world = begin()
    announce(world.services, [PLAIN])

    assert claim(world.services, world.row(JOB)) is not None
    assert world.broken() == []


@pytest.mark.parametrize("item", [PLAIN, FULL])
def test_the_same_announcement_again_changes_nothing(item: Announcement) -> None:
    world = begin()
    announce(world.services, [item])
    before = world.row(JOB).columns
    world.clock.advance(MINUTE)

    assert outcomes(world, item) == [Outcome.KNOWN]
    assert world.row(JOB).columns == before


def test_a_job_whose_callback_was_faster_is_completed_and_nobody_is_asked() -> None:
    world = begin()
    world.deliver(callback(JOB)._replace(region="cn-shanghai", account_id="1"))
    settled, asked = world.row(JOB), list(world.vendor.calls)
    world.clock.advance(SECOND)

    assert outcomes(world, FULL, FULL) == [Outcome.COMPLETED, Outcome.KNOWN]
    row = world.row(JOB)
    changed = {name for name in row.columns if row.columns[name] != settled.columns.get(name)}
    assert changed == {"region", "user_id", "output", "media_id", "updated_at"}
    assert row.state is State.SUCCEEDED
    assert world.vendor.calls == asked
    assert world.broken() == []


def test_what_the_submit_side_says_is_not_overwritten_by_a_callback() -> None:
    world = begin()
    announce(world.services, [FULL])
    world.deliver(callback(JOB)._replace(region="cn-shanghai", account_id="1"))

    assert [world.row(JOB).text(name) for name in ("region", "user_id")] == ["cn-beijing", "7"]


def test_what_an_announcement_does_not_say_stays() -> None:
    world = begin()
    announce(world.services, [FULL])

    assert outcomes(world, replace(PLAIN, media_id="media-2")) == [Outcome.COMPLETED]
    row = world.row(JOB)
    assert [row.text(name) for name in ("region", "output", "media_id")] == [
        "cn-beijing",
        "oss://b/k",
        "media-2",
    ]


def test_a_settled_job_is_made_known_again_by_a_media_that_is_announced_later() -> None:
    world = World(None)
    world.vendor.know(JOB, answer(JOB))
    world.deliver(callback(JOB))
    world.run_until_quiet()

    assert outcomes(world, FULL, FULL) == [Outcome.COMPLETED, Outcome.KNOWN]
    world.run_until_quiet()
    found = list_jobs(world.services, Filter(media_id=FULL.media_id), limit=9).rows
    assert [row.key for row in found] == [ref(JOB).key]
    assert world.broken() == []


NOT_FOUND: dict[str, Value | None] = {**GUESSED, "query_at": START + HOUR, "not_found_since": START - 1}


@pytest.mark.parametrize(
    ("row", "item", "asks"),
    [
        (job_row(State.TRACKED, **NOT_FOUND), FULL, True),
        (job_row(State.RUNNING, **NOT_FOUND), FULL, True),
        (job_row(State.UNKNOWN, **GUESSED, reason="unknown"), FULL, True),
        (job_row(State.UNKNOWN, **GUESSED), replace(PLAIN, user_id="7"), True),
        # The vendor did find it, or was not asked yet: nothing to ask anew.
        (job_row(State.RUNNING, **GUESSED, query_at=START + HOUR), FULL, False),
        # Asked in the same place, it would not be found again.
        (job_row(State.UNKNOWN, **GUESSED), replace(PLAIN, output="oss://b/k"), False),
        # Terminal never regresses, and a person releases what is quarantined.
        (job_row(State.SUCCEEDED, **GUESSED), FULL, False),
        (job_row(State.QUARANTINED, **GUESSED), FULL, False),
    ],
)
def test_a_job_is_asked_for_anew_where_it_is_only_if_it_was_not_found_where_it_is_not(
    row: JobRow, item: Announcement, asks: bool
) -> None:
    change, _ = plan(row, item, now=START)
    after = row.changed(change)

    assert after.count("wanted") - row.count("wanted") == int(asks)
    assert (after.number("query_at") == START) == asks
    assert after.state is (State.TRACKED if row.state is State.UNKNOWN and asks else row.state)
    assert broken_rules(Write(START, row, after)) == []
    assert plan(after, item, now=START + 1) == ({}, [])


def test_an_unknown_job_is_found_where_the_submit_side_says_it_is() -> None:
    world = World(None)
    mark(world.services, Mark(ref(JOB), "mns-topic", is_notification=True, region="cn-shanghai"))
    world.change(JOB, {"holder": None, "lease_until": None, **with_hints(ref(JOB).key, {}, {})})
    world.change(JOB, {"state": State.UNKNOWN.value, "query_at": None})
    world.vendor.know(JOB, answer(JOB))
    announce(world.services, [FULL])
    world.run_timer()

    assert world.row(JOB).state is State.SUCCEEDED


def test_a_job_that_somebody_holds_is_marked_and_its_lease_is_left_alone() -> None:
    row = job_row(State.TRACKED, **{**NOT_FOUND, "holder": "h", "lease_until": START + MINUTE})
    change, _ = plan(row, FULL, now=START)
    after = row.changed(change)

    assert (after.text("holder"), after.number("due_at")) == ("h", START + MINUTE)
    assert after.count("wanted") == row.count("wanted") + 1


def test_a_change_that_came_in_between_is_read_before_anything_is_written() -> None:
    world = begin()
    world.put(job_row(State.TRACKED, **NOT_FOUND))

    def finds_it() -> None:
        world.change(JOB, {"not_found_since": None, "state": State.RUNNING.value})

    services = world.through(Faults(first("update", Fault(before=finds_it))))

    assert [one.outcome for one in announce(services, [FULL])] == [Outcome.COMPLETED]
    row = world.row(JOB)
    assert (row.text("region"), row.number("query_at")) == ("cn-beijing", START + HOUR)


def test_a_wrong_item_is_told_by_name_and_harms_no_other() -> None:
    world = begin()
    world.put(job_row(State.TRACKED))
    world.change(JOB, {"effects": "not json"})
    told = announce(
        world.services,
        [
            Refusal("vod.media_audit/", "job_id: the job id is empty"),
            Announcement(JobRef("vod.transcode", "a")),
            FULL,
            Announcement(ref("job-2")),
        ],
    )

    assert [one.outcome for one in told] == [Outcome.REFUSED] * 3 + [Outcome.ANNOUNCED]
    assert [one.name for one in told[:2]] == ["vod.media_audit/", "vod.transcode/a"]
    assert "mts.production" in (told[1].reason or "")
    assert told[2].job == ref(JOB).key
    assert "cannot be read" in (told[2].reason or "")


def test_a_job_that_stands_twice_in_a_batch_is_announced_once_and_completed() -> None:
    world = begin()

    assert outcomes(world, PLAIN, FULL, PLAIN) == [Outcome.ANNOUNCED, Outcome.COMPLETED, Outcome.KNOWN]
    assert world.row(JOB).text("region") == "cn-beijing"


def test_more_jobs_than_the_ledger_takes_at_once_are_all_announced() -> None:
    world = begin()
    items = [Announcement(ref(f"job-{number}")) for number in range(2 * world.ledger.BATCH_LIMIT + 1)]
    told = announce(world.services, items)

    assert [one.job for one in told] == [item.ref.key for item in items]
    assert counts(told) == {
        "announced": len(items),
        "completed": 0,
        "known": 0,
        "refused": 0,
        "not_stored": 0,
    }


OTHERS = [Announcement(ref(f"job-{number}")) for number in (2, 3)]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (UNAVAILABLE, [Outcome.NOT_STORED] * 3),
        # All rows are there, but nobody knows whose they are.
        (ANSWER_LOST, [Outcome.KNOWN] * 3),
        (
            Fault(rows={1: StoreUnavailableError("planned")}),
            [Outcome.ANNOUNCED, Outcome.NOT_STORED, Outcome.ANNOUNCED],
        ),
        (
            Fault(rows={0: OutcomeUnknownError("planned")}),
            [Outcome.NOT_STORED, Outcome.ANNOUNCED, Outcome.ANNOUNCED],
        ),
    ],
)
def test_a_store_that_fails_fails_its_own_rows_and_all_is_announced_the_next_time(
    fault: Fault, told: list[Outcome]
) -> None:
    world = begin()
    services = world.through(Faults(first("insert_many", fault)))

    assert [one.outcome for one in announce(services, [FULL, *OTHERS])] == told
    announce(world.services, [FULL, *OTHERS])
    assert outcomes(world, FULL, *OTHERS) == [Outcome.KNOWN] * 3


@pytest.mark.parametrize(
    ("method", "fault", "told"),
    [
        ("get", UNAVAILABLE, Outcome.NOT_STORED),
        ("update", UNAVAILABLE, Outcome.NOT_STORED),
        ("update", ANSWER_LOST, Outcome.COMPLETED),
    ],
)
def test_a_known_job_whose_row_could_not_be_written_is_to_be_announced_again(
    method: str, fault: Fault, told: Outcome
) -> None:
    world = begin()
    announce(world.services, [PLAIN])
    services = world.through(Faults(first(method, fault)))

    assert [one.outcome for one in announce(services, [FULL])] == [told]
    announce(world.services, [FULL])
    assert world.row(JOB).text("region") == "cn-beijing"


def test_what_is_about_us_is_raised_and_blamed_on_no_job() -> None:
    world = begin()
    announce(world.services, [PLAIN])

    def refuse() -> None:
        raise MisconfiguredError("planned")

    with pytest.raises(MisconfiguredError):
        announce(world.through(Faults(first("get", Fault(before=refuse)))), [FULL])


def test_who_never_wins_the_row_gives_up_and_says_so() -> None:
    world = begin()
    announce(world.services, [PLAIN])

    def another(numbers: list[int]) -> None:
        numbers.append(len(numbers))
        world.change(JOB, {"region": f"cn-{len(numbers)}"})

    numbers: list[int] = []
    always = Fault(before=lambda: another(numbers))
    services = world.through(Faults(lambda call: always if call.method == "update" else None))
    (told,) = announce(services, [FULL])

    assert told.outcome is Outcome.NOT_STORED
    assert len(numbers) == services.policy.contention


def test_when_time_is_over_nothing_more_is_begun() -> None:
    world = begin()
    late = replace(world.services, deadline=START)
    (told, wrong) = announce(late, [FULL, Refusal("a", "b")])

    assert (told.outcome, wrong.outcome) == (Outcome.NOT_STORED, Outcome.REFUSED)
    assert "no time left" in (told.reason or "")
    assert world.next_due() is None


def test_a_report_tells_each_item_by_its_position() -> None:
    told = [Receipt(Outcome.REFUSED, "a", reason="b"), Receipt(Outcome.ANNOUNCED, "c", "key")]

    assert report(told)["items"] == [
        {"item": 1, "outcome": "refused", "name": "a", "reason": "b"},
        {"item": 2, "outcome": "announced", "name": "c", "job": "key"},
    ]


def test_a_long_report_names_only_what_did_not_get_into_the_ledger() -> None:
    fine = [Receipt(Outcome.ANNOUNCED, f"{number}", "key") for number in range(1_000)]
    told = report([*fine, Receipt(Outcome.REFUSED, "a", reason="b")])

    assert (told["announced"], told["refused"]) == (1_000, 1)
    assert told["items"] == [{"item": 1_001, "outcome": "refused", "name": "a", "reason": "b"}]


STEPS: dict[str, Callable[[World], object]] = {
    "announce": lambda world: announce(world.services, [FULL]),
    "a callback": lambda world: world.deliver(callback(JOB)._replace(region="cn-shanghai", account_id="1")),
    "the timer": lambda world: world.run_timer(),
    "time": lambda world: world.clock.advance(EXPECTED),
}


# So few steps that the grace of a job that is not found does not pass: no announcement ends that.
@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=7), st.booleans())
def test_in_whatever_order_things_happen_the_job_is_settled_as_the_submit_side_says(
    steps: list[str], known: bool
) -> None:
    world = World(None)
    if known:
        world.vendor.know(JOB, answer(JOB))
    for step in steps:
        STEPS[step](world)
    world.vendor.know(JOB, answer(JOB))
    announce(world.services, [FULL])
    world.run_until_quiet()

    row = world.row(JOB)
    assert (row.state, row.text("region"), row.text("user_id")) == (State.SUCCEEDED, "cn-beijing", "7")
    assert world.broken() == []
