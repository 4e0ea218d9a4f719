"""Answers about one job, normalized as settling does, and the moment at which tests judge them."""

from __future__ import annotations

from dataclasses import replace

from shared import archive
from shared.answers import Answered, Moment
from shared.conclusions import conclude
from shared.job_row import JobRow, effect_columns
from shared.jobs import State
from shared.kinds import KINDS
from shared.policy import Policy
from shared.record import canonical_bytes, digest
from shared.tables import Value
from shared.vendor import Part
from tests.scripted_vendor import answer
from tests.world import KIND, START, job_row, ref

JOB = "job-1"
POLICY = Policy()
MOMENT = Moment(now=START, wanted=1, stretch=1.0, policy=POLICY, by="callback")
AFTER_MARKS = replace(MOMENT, wanted=0)
CONFIRM_AT = START + POLICY.confirm_after
CONFIRMING = replace(MOMENT, now=CONFIRM_AT)


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
    """Make the row of a job that was settled at the start with this answer; its effects are drained."""
    row = job_row(State.TRACKED, incomplete_since=START - POLICY.incomplete_for, **columns)
    change, did = conclude(row, one, MOMENT)
    assert did == "settled"
    return row.changed(change).changed(effect_columns([]))
