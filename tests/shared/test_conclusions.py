"""What an answer, or its absence, does to a job."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import archive
from shared.conclusions import Answered, Moment, conclude, excuse
from shared.errors import (
    ContendedError,
    PermanentError,
    SettingError,
    StoreUnavailableError,
    ThrottledError,
    UnreadableError,
    VendorRefusedError,
    VendorUnavailableError,
)
from shared.job_row import Effect, JobRow, effect_columns, with_due
from shared.jobs import State
from shared.kinds import KINDS
from shared.policy import HOUR, MINUTE, SECOND, Policy
from shared.ports import Change
from shared.record import canonical_bytes, digest
from shared.tables import Value
from shared.vendor import Part
from tests.row_rules import Write, broken_rules
from tests.scripted_vendor import NOT_FOUND, answer
from tests.world import KIND, START, job_row, ref

JOB = "job-1"
POLICY = Policy()
MOMENT = Moment(now=START, wanted=1, stretch=1.0, policy=POLICY)
AFTER_MARKS = replace(MOMENT, wanted=0)
OPEN = (State.TRACKED, State.RUNNING)


def answered(body: bytes) -> Answered:
    """Normalize an answer as settling does."""
    part = Part("answer", "json", body)
    record = KINDS[KIND].normalize([part])
    stored = canonical_bytes(record)
    return Answered(record, digest(stored), stored, (part,), (archive.stored_part(ref(JOB), part),))


PASSED = answered(answer(JOB))
BLOCKED = answered(answer(JOB, suggestion="block"))
FAILED = answered(answer(JOB, "fail"))
RUNNING = answered(answer(JOB, "processing"))
NO_RESULT = answered(answer(JOB, suggestion=None))
ANSWERS = {"passed": PASSED, "blocked": BLOCKED, "failed": FAILED, "running": RUNNING, "no result": NO_RESULT}
NORMALIZER = PASSED.record.normalizer_version


def settled(one: Answered, **columns: Value) -> JobRow:
    """Make the row that settling a tracked job with this answer leaves; its effects are drained."""
    row = job_row(State.TRACKED, **columns)
    long_ago = replace(MOMENT, now=START + POLICY.incomplete_for)
    row = row.changed({"incomplete_since": START}) if one.record.incomplete else row
    change, did = conclude(row, one, long_ago)
    assert did == "settled"
    return row.changed(change).changed({**effect_columns([]), "query_at": None})


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
    assert after.number("settled_at") == START
    assert not {"query_at", "failures", "not_found_since", "reason", "incomplete"} & set(after.columns)


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

    assert after.number("query_at") == (START if asks_again else None)
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


# What was claimed, against what is.

OLDER = "succeeded/review"


@pytest.mark.parametrize(
    ("claimed", "remembered"),
    [("succeeded/pass", OLDER), ("succeeded", OLDER), ("failed", "failed"), ("succeeded/block",) * 2],
)
def test_a_claim_that_was_checked_in_vain_is_remembered(claimed: str, remembered: str) -> None:
    row = job_row(State.RUNNING, claimed=claimed, checked_claim=OLDER)
    change, _ = conclude(row, PASSED, MOMENT)

    assert change["query_at"] is None
    assert change["checked_claim"] == remembered


@pytest.mark.parametrize("moment", [MOMENT, AFTER_MARKS])
def test_a_claim_that_the_vendor_shares_and_the_row_cannot_follow_is_remembered(moment: Moment) -> None:
    """Else every callback that repeats it would cost a query: the row does not regress."""
    row = settled(PASSED, claimed="failed")
    change, did = conclude(row.changed({"checked_claim": None}), FAILED, moment)

    assert did == "drifted"
    assert change["query_at"] is None
    assert change["checked_claim"] == "failed"


# Answers about a settled job.


def test_the_same_answer_again_changes_nothing_that_is_read() -> None:
    for one in (PASSED, FAILED, NO_RESULT):
        row = settled(one)
        change, did = conclude(row, one, MOMENT)
        after = row.changed(change)

        assert did == "confirmed"
        assert {name for name in after.columns if after.columns[name] != row.columns.get(name)} == {"queries"}


@pytest.mark.parametrize(("before", "after"), [(PASSED, BLOCKED), (NO_RESULT, PASSED)])
def test_another_complete_answer_of_the_same_status_is_a_new_version(
    before: Answered, after: Answered
) -> None:
    row = settled(before)
    change, did = conclude(row, after, MOMENT)
    now = row.changed(change)

    assert (did, now.state, now.count("version")) == ("settled", State.SUCCEEDED, 2)
    assert (now.text("digest"), now.text("suggestion")) == (
        after.digest,
        after.record.verdict.suggestion,
    )
    assert now.number("incomplete") is None
    assert now.number("settled_at") == row.number("settled_at")
    assert now.effects == (Effect("record", after.digest, 0, START),)


@pytest.mark.parametrize(
    ("before", "after"),
    [(PASSED, FAILED), (FAILED, PASSED), (PASSED, RUNNING), (PASSED, NO_RESULT), (FAILED, RUNNING)],
)
def test_anything_else_is_drift_and_leaves_the_record(before: Answered, after: Answered) -> None:
    row = settled(before)
    change, did = conclude(row, after, MOMENT)
    now = row.changed(change)

    assert did == "drifted"
    assert now.count("drifts") == 1
    assert now.number("query_at") is None
    same = ("state", "digest", "version", "suggestion", "effects", "raw_parts", "vendor_status")
    assert [now.columns.get(name) for name in same] == [row.columns.get(name) for name in same]


def test_an_older_normalizer_has_nothing_to_say() -> None:
    row = settled(PASSED).changed({"normalizer_version": NORMALIZER + 1})
    change, did = conclude(row, BLOCKED, MOMENT)

    assert did == "confirmed"
    assert row.changed(change).text("digest") == PASSED.digest


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


@pytest.mark.parametrize("error", [VendorRefusedError("key"), SettingError("LEDGER_REGION is missing")])
def test_what_is_wrong_with_us_says_nothing_of_the_job(error: Exception) -> None:
    change, did = excuse(job_row(State.RUNNING, failures=3), error, MOMENT)

    assert did == "postponed"
    assert not {"failures", "state"} & set(change)


@pytest.mark.parametrize(
    "error", [UnreadableError("no JSON", layer="answer"), PermanentError("no such thing")]
)
def test_what_is_wrong_with_an_open_job_quarantines_it(error: Exception) -> None:
    change, did = excuse(job_row(State.RUNNING, query_at=START), error, MOMENT)

    assert did == "quarantined"
    assert (change["state"], change["query_at"]) == ("quarantined", None)
    assert str(error) in str(change["reason"])


@pytest.mark.parametrize(
    ("since", "did"), [(None, "waiting"), (START - HOUR + 1, "waiting"), (START - HOUR, "unknown")]
)
def test_a_job_is_unknown_after_the_grace_period_and_not_before(since: int | None, did: str) -> None:
    row = job_row(State.RUNNING, query_at=START, first_seen_at=1, not_found_since=since)
    change, done = excuse(row, NOT_FOUND, MOMENT)
    after = row.changed(change)

    assert done == did
    assert (after.state is State.UNKNOWN) == (after.number("query_at") is None) == (did == "unknown")
    assert change.get("not_found_since", since) == (since or START)


@pytest.mark.parametrize("error", [NOT_FOUND, UnreadableError("no JSON", layer="answer")])
def test_a_settled_job_that_cannot_be_asked_about_has_drifted(error: Exception) -> None:
    row = settled(PASSED, claimed="failed").changed({"checked_claim": None})
    change, did = excuse(row, error, MOMENT)
    after = row.changed(change)

    assert (did, after.state, after.text("digest")) == ("drifted", State.SUCCEEDED, PASSED.digest)
    assert (after.number("query_at"), after.text("checked_claim")) == (None, "failed")


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
        UnreadableError("x", layer="answer"),
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
        "digest": draw(st.sampled_from((PASSED.digest, FAILED.digest, "older")))
        if state.is_terminal
        else None,
        "suggestion": draw(st.sampled_from((None, "pass", "block"))),
        **effect_columns(draw(st.sampled_from(((), (Effect("record", "older", 2, START + 9),))))),
    }
    return job_row(state, holder="mine", lease_until=START + 1, **drawn)


@given(held_rows(), st.sampled_from(sorted(ANSWERS)) | errors, st.booleans())
def test_every_decision_keeps_the_rules(row: JobRow, what: str | Exception, is_marked: bool) -> None:
    moment = replace(MOMENT, wanted=row.count("wanted") - int(is_marked))
    decided: Change
    if isinstance(what, Exception):
        decided, _ = excuse(row, what, moment)
    else:
        decided, _ = conclude(row, ANSWERS[what], moment)
    ended: Change = {**decided, "holder": None, "lease_until": None}
    after = row.changed(with_due(row.key, row.columns, ended))

    assert broken_rules(Write(START, row, after)) == []
    at = after.number("query_at")
    assert at is None or at >= START
