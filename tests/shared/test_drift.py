"""What a later answer, or none, does to a settled job; and what was claimed, against what is."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from shared import drift
from shared.answers import Answered, Moment
from shared.conclusions import conclude, excuse
from shared.errors import CrashLoopError, ParseError, WrongJobError
from shared.job_row import Effect, effect_columns
from shared.jobs import State
from shared.ports import Change
from tests.judged_answers import (
    AFTER_MARKS,
    BLOCKED,
    CONFIRM_AT,
    CONFIRMING,
    FAILED,
    MOMENT,
    NO_RESULT,
    NORMALIZER,
    PASSED,
    RUNNING,
    settled,
)
from tests.measured import measured
from tests.scripted_vendor import NOT_FOUND
from tests.world import KIND, START, job_row

RECORD = ("state", "digest", "version", "suggestion", "raw_parts", "vendor_status", "settled_at")


@pytest.mark.parametrize("one", [PASSED, FAILED, NO_RESULT])
def test_the_same_answer_again_changes_nothing_that_is_read(one: Answered) -> None:
    row = settled(one)
    change, did = conclude(row, one, MOMENT)
    after = row.changed(change)

    assert did == "confirmed"
    assert {name for name in after.columns if after.columns[name] != row.columns.get(name)} == {
        "queries",
        "checked_at",
    }


@pytest.mark.parametrize("one", [PASSED, FAILED, RUNNING])
@pytest.mark.parametrize(
    ("now", "asks_at"),
    [(START, CONFIRM_AT), (CONFIRM_AT - 1, CONFIRM_AT), (CONFIRM_AT, None), (CONFIRM_AT * 2, None)],
)
def test_a_settled_job_is_asked_about_until_it_is_time_to_confirm_and_once_then(
    one: Answered, now: int, asks_at: int | None
) -> None:
    change, _ = conclude(settled(PASSED), one, replace(MOMENT, now=now))

    assert change["query_at"] == asks_at


def verify(digest: str) -> Effect:
    """Give the last look at `records/`, which follows the confirming query."""
    return Effect("verify", digest, 0, CONFIRM_AT + CONFIRMING.policy.verify_after)


@pytest.mark.parametrize("one", [PASSED, FAILED])
def test_after_the_confirming_query_the_record_is_verified(one: Answered) -> None:
    row = settled(PASSED)

    assert row.changed(conclude(row, one, MOMENT)[0]).effects == ()
    assert row.changed(conclude(row, one, CONFIRMING)[0]).effects == (verify(PASSED.digest),)


def test_a_record_that_is_still_to_be_written_is_verified_all_the_same() -> None:
    pending = Effect("record", PASSED.digest, 3, CONFIRM_AT + 9)
    row = settled(PASSED).changed(effect_columns([pending]))

    assert row.changed(conclude(row, PASSED, CONFIRMING)[0]).effects == (pending, verify(PASSED.digest))


@pytest.mark.parametrize("moment", [MOMENT, CONFIRMING])
@pytest.mark.parametrize(("before", "after"), [(PASSED, BLOCKED), (NO_RESULT, PASSED)])
def test_another_complete_answer_of_the_same_status_is_a_new_version(
    before: Answered, after: Answered, moment: Moment
) -> None:
    row = settled(before)
    change, did = conclude(row, after, moment)
    now = row.changed(change)

    assert (did, now.state, now.count("version")) == ("settled", State.SUCCEEDED, 2)
    assert (now.text("digest"), now.text("suggestion")) == (after.digest, after.record.verdict.suggestion)
    assert (now.number("incomplete"), now.number("settled_at")) == (None, START)
    assert now.effects == (
        Effect("record", after.digest, 0, moment.now),
        *([verify(after.digest)] if moment is CONFIRMING else []),
    )
    assert now.count("drifts") == 0


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (PASSED, FAILED, "status: fail, recorded as succeeded"),
        (FAILED, PASSED, "status: success, recorded as failed"),
        (PASSED, RUNNING, "status: processing, recorded as succeeded"),
        (PASSED, NO_RESULT, "incomplete: the answer has no result"),
    ],
)
def test_anything_else_is_drift_and_leaves_the_record(before: Answered, after: Answered, told: str) -> None:
    row = settled(before)
    change, did = conclude(row, after, MOMENT)
    now = row.changed(change)

    assert did == "drifted"
    assert (now.count("drifts"), now.text("drift"), now.number("drift_at")) == (1, told, START)
    assert [now.columns.get(name) for name in RECORD] == [row.columns.get(name) for name in RECORD]


BY_A_NEWER: Change = {"normalizer_version": NORMALIZER + 1, "digest": "0" * 64}


@pytest.mark.parametrize("ours", [PASSED, BLOCKED, NO_RESULT])
def test_an_older_normalizer_has_nothing_to_say_of_the_same_answer(ours: Answered) -> None:
    row = settled(PASSED).changed(BY_A_NEWER)
    change, did = conclude(row, beside(ours, ours), MOMENT)
    after = row.changed(change)

    assert (did, after.count("drifts")) == ("confirmed", 0)
    assert [after.columns.get(name) for name in RECORD] == [row.columns.get(name) for name in RECORD]


def test_an_older_normalizer_records_what_the_vendor_has_changed() -> None:
    row = settled(PASSED).changed(BY_A_NEWER)
    change, did = conclude(row, beside(PASSED, BLOCKED), CONFIRMING)
    after = row.changed(change)

    assert (did, after.text("digest"), after.count("normalizer_version")) == (
        "settled",
        BLOCKED.digest,
        NORMALIZER,
    )
    assert after.text("drift") == "verdict: block, was pass"


@pytest.mark.parametrize(
    "error",
    [
        NOT_FOUND,
        ParseError("no JSON", layer="answer"),
        WrongJobError("the answer is about another job"),
        CrashLoopError("whoever asked about this job ended without a word"),
    ],
)
def test_a_settled_job_that_cannot_be_asked_about_has_drifted(error: Exception) -> None:
    row = settled(PASSED, claimed="failed").changed({"checked_claim": None, "drifts": None})
    change, did = excuse(row, error, CONFIRMING)
    after = row.changed(change)

    assert (did, after.state, after.text("digest")) == ("drifted", State.SUCCEEDED, PASSED.digest)
    assert (after.number("query_at"), after.text("checked_claim")) == (None, "failed")
    assert (after.count("drifts"), after.text("drift")) == (1, f"{type(error).__name__}: {error}")


# What was claimed, against what is.

OLDER = "succeeded/review"


@pytest.mark.parametrize(
    ("claimed", "remembered"),
    [("succeeded/pass", OLDER), ("succeeded", OLDER), ("failed", "failed"), ("succeeded/block",) * 2],
)
def test_a_claim_that_was_checked_in_vain_is_remembered_and_is_drift(claimed: str, remembered: str) -> None:
    row = job_row(State.RUNNING, claimed=claimed, checked_claim=OLDER)
    change, did = conclude(row, PASSED, MOMENT)
    after = row.changed(change)

    assert (did, change["checked_claim"]) == ("settled", remembered)
    told = None if remembered == OLDER else f"claim: {claimed}, recorded as succeeded/pass"
    assert (after.text("drift"), after.count("drifts")) == (told, 0 if told is None else 1)


def test_a_claim_that_differs_is_counted_once_however_often_it_is_checked() -> None:
    row = settled(PASSED, claimed="failed")
    again = row.changed(conclude(row, PASSED, MOMENT)[0])
    confirmed = again.changed(conclude(again, PASSED, CONFIRMING)[0])

    assert [one.count("drifts") for one in (row, again, confirmed)] == [1, 1, 1]


@pytest.mark.parametrize("moment", [MOMENT, AFTER_MARKS])
def test_a_claim_that_the_vendor_shares_and_the_row_cannot_follow_is_remembered(moment: Moment) -> None:
    """Else every callback that repeats it would cost a query: the row does not regress."""
    row = settled(PASSED).changed({"claimed": "failed"})
    change, did = conclude(row, FAILED, moment)

    assert (did, change["drifts"]) == ("drifted", 1)
    assert (change["query_at"], change["checked_claim"]) == (CONFIRM_AT, "failed")


@pytest.mark.parametrize("now", [START, CONFIRM_AT])
def test_a_claim_that_came_while_a_settled_job_was_asked_about_is_checked_by_another_query(now: int) -> None:
    row = settled(PASSED).changed({"claimed": "failed"})
    change, did = conclude(row, PASSED, replace(AFTER_MARKS, now=now))

    assert (did, change["query_at"]) == ("confirmed", now)
    assert not {"checked_claim", "drifts", "effects"} & set(change)


def beside(present: Answered, answered: Answered) -> Answered:
    return replace(answered, present=present.record)


def test_a_new_version_tells_what_the_vendor_says_otherwise() -> None:
    change, did = conclude(settled(PASSED), beside(PASSED, BLOCKED), MOMENT)
    now = settled(PASSED).changed(change)

    assert (did, now.count("version"), now.count("drifts")) == ("settled", 2, 1)
    assert (now.text("drift"), now.number("drift_at")) == ("verdict: block, was pass", START)


def test_a_result_that_was_waited_for_is_no_drift() -> None:
    change, _ = conclude(settled(NO_RESULT), beside(NO_RESULT, PASSED), MOMENT)

    assert "drifts" not in change


def test_what_a_newer_normalizer_reads_otherwise_is_no_drift() -> None:
    newer = BLOCKED.record.model_copy(update={"normalizer_version": NORMALIZER + 1})
    change, did = conclude(settled(PASSED), beside(PASSED, replace(BLOCKED, record=newer)), MOMENT)

    assert (did, "drifts" in change) == ("settled", False)


@pytest.mark.parametrize(
    ("noted", "types"),
    [
        ("verdict: block, was pass; labels: porn, was none", ["verdict", "labels"]),
        ("claim: failed, recorded as succeeded/pass", ["claim"]),
        ("status: fail, recorded as succeeded", ["status"]),
        ("incomplete: the answer has no result", ["incomplete"]),
        ("JobNotFoundError: the vendor does not know this job", ["missing"]),
        ("ParseError: not JSON; at 3", ["unreadable"]),
    ],
)
def test_drift_is_counted_by_its_types(
    noted: str, types: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    before = settled(PASSED)
    with caplog.at_level(logging.INFO):
        told = drift.tell(before, before.changed({"drifts": 1, "drift": noted, "drift_at": START}))

    assert told == noted
    assert measured(caplog, "drifts") == {(KIND, what): 1 for what in types}


def test_what_was_noted_before_is_not_counted_again(caplog: pytest.LogCaptureFixture) -> None:
    row = settled(PASSED).changed({"drifts": 3, "drift": "verdict: block, was pass"})

    assert drift.tell(row, row.changed({"queries": 9})) is None
    assert not measured(caplog, "drifts")
