"""What an answer, or its absence, does to a job."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.answers import Answered, Settler
from shared.conclusions import conclude, excuse, give_up
from shared.errors import (
    ContendedError,
    CrashLoopError,
    ParseError,
    PermanentError,
    SettingError,
    StoreUnavailableError,
    ThrottledError,
    VendorRefusedError,
    VendorUnavailableError,
    WrongJobError,
)
from shared.job_row import Effect, JobRow, effect_columns, with_hints
from shared.jobs import State
from shared.policy import DAY, HOUR, MINUTE, SECOND
from shared.ports import Change
from shared.tables import Value
from tests.judged_answers import (
    AFTER_MARKS,
    ANSWERS,
    CONFIRM_AT,
    FAILED,
    MOMENT,
    NO_RESULT,
    PASSED,
    RUNNING,
)
from tests.row_rules import Write, broken_rules
from tests.scripted_vendor import NOT_FOUND
from tests.world import START, job_row

OPEN = (State.TRACKED, State.RUNNING)


# Answers about an open job.


@pytest.mark.parametrize("state", OPEN)
@pytest.mark.parametrize(("one", "end"), [(PASSED, State.SUCCEEDED), (FAILED, State.FAILED)])
def test_the_vendors_last_word_settles_an_open_job(state: State, one: Answered, end: State) -> None:
    row = job_row(state, failures=3, not_found_since=1, reason="away", queries=4)
    change, did = conclude(row, one, MOMENT)
    after = row.changed(change)

    assert (did, after.state) == ("settled", end)
    assert (after.text("digest"), after.count("version"), after.count("queries")) == (one.digest, 1, 5)
    assert after.raw_parts == one.parts
    assert after.effects == (Effect("record", one.digest, 0, START),)
    assert (after.number("settled_at"), after.text("settled_by")) == (START, "callback")
    assert after.number("query_at") == START + 10 * MINUTE
    assert not {"failures", "not_found_since", "reason", "incomplete"} & set(after.columns)


def test_a_commit_adds_to_the_effects_that_are_there() -> None:
    older = Effect("record", "older", 3, START + HOUR)
    row = job_row(State.RUNNING, **effect_columns([older]))
    change, _ = conclude(row, PASSED, MOMENT)

    assert set(row.changed(change).effects) == {older, Effect("record", PASSED.digest, 0, START)}


@pytest.mark.parametrize(
    ("polls", "wait"),
    [
        (0, MINUTE),
        (1, 2 * MINUTE),
        (2, 5 * MINUTE),
        (3, 10 * MINUTE),
        (4, 30 * MINUTE),
        (5, HOUR),
        (99, HOUR),
    ],
)
def test_a_running_job_is_asked_less_and_less_often(polls: int, wait: int) -> None:
    row = job_row(State.TRACKED, polls=polls)
    change, did = conclude(row, RUNNING, MOMENT)

    assert did == "waiting"
    assert change["state"] == "running"
    assert (change["query_at"], change["polls"]) == (START + wait, polls + 1)


def test_a_running_job_whose_end_is_claimed_is_asked_soon() -> None:
    change, _ = conclude(job_row(State.RUNNING, claimed="succeeded"), RUNNING, MOMENT)

    assert change["query_at"] == START + 5 * SECOND


@pytest.mark.parametrize("polls", range(6))
def test_an_answer_without_its_result_is_waited_for(polls: int) -> None:
    since: dict[str, Value] = {"incomplete_since": START - MINUTE, "polls": polls} if polls else {"polls": 9}
    change, did = conclude(job_row(State.RUNNING, **since), NO_RESULT, MOMENT)

    assert (did, change["state"]) == ("waiting", "running")
    assert "digest" not in change
    waits = (5, 15, 60, 300, 300, 300)
    assert change["query_at"] == START + waits[polls] * SECOND
    assert change["incomplete_since"] == (START - MINUTE if polls else START)


@pytest.mark.parametrize(("waited", "end"), [(24 * HOUR - 1, "waiting"), (24 * HOUR, "settled")])
def test_after_a_day_an_answer_without_its_result_is_recorded_as_it_is(waited: int, end: str) -> None:
    row = job_row(State.RUNNING, incomplete_since=START - waited)
    change, did = conclude(row, NO_RESULT, MOMENT)

    assert did == end
    assert row.changed(change).count("incomplete") == (1 if end == "settled" else 0)


def test_a_wait_is_stretched_by_the_draw() -> None:
    change, _ = conclude(job_row(State.RUNNING), RUNNING, replace(MOMENT, stretch=1.1))

    assert change["query_at"] == START + 66 * SECOND


# Marks that came while the vendor was asked.


@pytest.mark.parametrize(
    ("one", "claimed", "checked", "asks_again"),
    [
        (PASSED, None, None, False),
        (PASSED, "succeeded", None, False),
        (PASSED, "succeeded/pass", None, False),
        (PASSED, "failed", "failed", False),
        (PASSED, "failed", None, True),
        (PASSED, "succeeded/block", None, True),
        (PASSED, "succeeded/block", "failed", True),
        (RUNNING, None, None, True),
        (RUNNING, "succeeded", None, True),
        (NO_RESULT, "succeeded", None, True),
    ],
)
def test_only_a_complete_last_word_absorbs_marks(
    one: Answered, claimed: str | None, checked: str | None, asks_again: bool
) -> None:
    row = job_row(State.RUNNING, claimed=claimed, checked_claim=checked)
    after = row.changed(conclude(row, one, AFTER_MARKS)[0])

    assert after.number("query_at") == (START if asks_again else CONFIRM_AT)
    assert after.text("checked_claim") == checked


def test_an_incomplete_record_absorbs_no_marks() -> None:
    row = job_row(State.RUNNING, incomplete_since=START - 25 * HOUR, claimed="succeeded")
    change, did = conclude(row, NO_RESULT, AFTER_MARKS)

    assert did == "settled"
    assert change["query_at"] == START


def test_a_mark_is_never_answered_by_a_verdict_from_before_it() -> None:
    row = job_row(State.RUNNING, not_found_since=START - 2 * MINUTE)
    change, did = excuse(row, NOT_FOUND, AFTER_MARKS)

    assert did == "waiting"
    assert change["query_at"] == START


# Errors.


@pytest.mark.parametrize("state", OPEN)
@pytest.mark.parametrize(
    ("failures", "wait"),
    [(0, 30 * SECOND), (1, MINUTE), (2, 5 * MINUTE), (3, 15 * MINUTE), (4, HOUR), (50, HOUR)],
)
@pytest.mark.parametrize(
    "error",
    [VendorUnavailableError("away"), StoreUnavailableError("away"), ContendedError("busy"), KeyError("bug")],
)
def test_what_may_pass_is_waited_for(state: State, failures: int, wait: int, error: Exception) -> None:
    change, did = excuse(job_row(state, failures=failures), error, MOMENT)

    assert did == "postponed"
    assert "state" not in change
    assert (change["query_at"], change["failures"]) == (START + wait, failures + 1)


@pytest.mark.parametrize(("wish", "wait"), [(1, 30 * SECOND), (90 * SECOND, 90 * SECOND)])
def test_a_vendors_wish_to_be_left_alone_is_respected(wish: int, wait: int) -> None:
    change, _ = excuse(job_row(State.RUNNING), ThrottledError("slow down", retry_after_ms=wish), MOMENT)

    assert change["query_at"] == START + wait


def test_what_is_wrong_with_a_setting_says_nothing_of_the_job() -> None:
    change, did = excuse(job_row(State.RUNNING, failures=3), SettingError("LEDGER_REGION is missing"), MOMENT)

    assert did == "postponed"
    assert not {"failures", "state"} & set(change)


def test_a_refused_job_keeps_its_state_and_waits_longer_every_time() -> None:
    row = job_row(State.RUNNING, failures=3)
    change, did = excuse(row, VendorRefusedError("another account's job"), MOMENT)

    assert (did, change["query_at"], change["failures"]) == ("postponed", START + 15 * MINUTE, 4)
    assert not {"state", "queries"} & set(change)


@pytest.mark.parametrize(
    "error",
    [ParseError("no JSON", layer="answer"), PermanentError("no such thing"), WrongJobError("another job")],
)
def test_what_is_wrong_with_an_open_job_quarantines_it(error: Exception) -> None:
    change, did = excuse(job_row(State.RUNNING, query_at=START), error, MOMENT)

    assert did == "quarantined"
    assert (change["state"], change["query_at"]) == ("quarantined", None)
    assert str(error) in str(change["reason"])


@pytest.mark.parametrize(("failures", "wait"), [(0, HOUR), (1, DAY), (2, DAY)])
def test_hearsay_that_is_not_found_is_asked_about_again_when_a_verdict_is_possible(
    failures: int, wait: int
) -> None:
    row = job_row(State.TRACKED, first_seen_by="http", failures=failures, not_found_since=START)

    assert excuse(row, NOT_FOUND, MOMENT)[0]["query_at"] == START + wait


@pytest.mark.parametrize(
    ("since", "did"),
    [(None, "waiting"), (START - HOUR + 1, "waiting"), (START - HOUR, "missing"), (START + 9, "waiting")],
)
def test_a_job_is_missing_after_the_grace_period_and_stays_in_its_state(since: int | None, did: str) -> None:
    """A time ahead of now was written before the clock jumped back: the period begins anew."""
    row = job_row(State.RUNNING, query_at=START, first_seen_at=1, not_found_since=since, failures=3)
    change, done = excuse(row, NOT_FOUND, MOMENT)

    assert done == did
    assert "state" not in change
    assert change["query_at"] == START + 15 * MINUTE
    assert change["not_found_since"] == min(since or START, START)


@pytest.mark.parametrize(
    ("row", "did"),
    [
        (job_row(State.RUNNING, not_found_since=START - HOUR, query_at=START + 5), "unknown"),
        (job_row(State.TRACKED, not_found_since=START - HOUR), "unknown"),
        (job_row(State.RUNNING, not_found_since=START - HOUR + 1), "waiting"),
        (job_row(State.RUNNING), "waiting"),
        (job_row(State.SUCCEEDED, not_found_since=1), "waiting"),
        (job_row(State.QUARANTINED, not_found_since=1), "waiting"),
    ],
)
def test_only_an_open_job_that_was_not_found_for_as_long_is_given_up(row: JobRow, did: str) -> None:
    change, done = give_up(row, MOMENT)

    assert done == did
    assert dict(change) == ({"state": "unknown", "query_at": None} if did == "unknown" else {})


def test_what_crashed_everybody_is_not_counted_as_asked() -> None:
    change, did = excuse(job_row(State.RUNNING), CrashLoopError("ended", times=5), MOMENT)

    assert (did, change["state"]) == ("quarantined", "quarantined")
    assert "times=5" in str(change["reason"])
    assert "queries" not in change


@pytest.mark.parametrize("by", ["callback", "timer", "person"])
@pytest.mark.parametrize("notified", [0, 1])
def test_only_what_the_timer_settles_before_any_callback_is_watched(by: Settler, notified: int) -> None:
    row = job_row(State.RUNNING, notified=notified)
    change, _ = conclude(row, PASSED, replace(MOMENT, by=by))
    watch = Effect("callback", PASSED.digest, 0, START + 15 * MINUTE)

    assert change["settled_by"] == by
    assert (watch in row.changed(change).effects) == (by == "timer" and not notified)


def test_no_secret_stands_in_a_reason_not_even_half_of_one() -> None:
    url = "https://host/a.jpg?Expires=1&Signature=" + "hR9x" * 200
    for error in (KeyError(url), VendorUnavailableError("away", token="hR9x"), ParseError(url, layer="x")):
        change, _ = excuse(job_row(State.RUNNING), error, MOMENT)

        assert "hR9x" not in str(change["reason"])
        assert type(error).__name__ in str(change["reason"])


def test_a_reason_is_kept_short() -> None:
    change, _ = excuse(job_row(State.RUNNING), PermanentError("x" * 10_000), MOMENT)

    assert len(str(change["reason"])) == 500


# Every decision, over every row that anyone could hold.

claims = st.sampled_from((None, "succeeded", "succeeded/pass", "succeeded/block", "failed"))
counts = st.sampled_from((None, 1, 3, 99))
moments = st.sampled_from((None, START - 25 * HOUR, START - MINUTE))
errors = st.sampled_from(
    (
        NOT_FOUND,
        VendorUnavailableError("away"),
        VendorRefusedError("key"),
        ParseError("x", layer="answer"),
        CrashLoopError("ended"),
        ValueError("bug"),
    )
)


@st.composite
def held_rows(draw: st.DrawFn) -> JobRow:
    """Draw a row whose lease somebody holds: nobody holds one of a job that asks nothing."""
    state = draw(st.sampled_from((State.TRACKED, State.RUNNING, State.SUCCEEDED, State.FAILED)))
    drawn: Change = {
        "claimed": draw(claims),
        "checked_claim": draw(claims),
        "incomplete_since": draw(moments),
        "not_found_since": draw(moments),
        "query_at": draw(moments),
        **{name: draw(counts) for name in ("polls", "failures", "wanted", "queries", "drifts")},
        "notified": draw(counts),
        "suggestion": draw(st.sampled_from((None, "pass", "block"))),
        **effect_columns(draw(st.sampled_from(((), (Effect("record", "older", 2, START + 9),))))),
    }
    settled: Change = {
        "digest": draw(st.sampled_from((PASSED.digest, FAILED.digest, "older"))),
        "settled_at": draw(st.sampled_from((START - HOUR, START - MINUTE))),
        "settled_by": "timer",
    }
    more = settled if state.is_terminal else {}
    return job_row(state, holder="mine", lease_until=START + 1, **drawn, **more)


@given(
    held_rows(),
    st.sampled_from(sorted(ANSWERS)) | errors,
    st.booleans(),
    st.sampled_from(("callback", "timer", "person")),
)
def test_every_decision_keeps_the_rules(
    row: JobRow, what: str | Exception, is_marked: bool, by: Settler
) -> None:
    moment = replace(MOMENT, wanted=row.count("wanted") - int(is_marked), by=by)
    decided: Change
    if isinstance(what, Exception):
        decided, _ = excuse(row, what, moment)
    else:
        decided, _ = conclude(row, ANSWERS[what], moment)
    ended: Change = {**decided, "holder": None, "lease_until": None}
    after = row.changed(with_hints(row.key, row.columns, ended))

    assert broken_rules(Write(START, row, after)) == []
    at = after.number("query_at")
    assert at is None or at >= START
