"""What whoever looks at a job is told first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from shared.evidence import EvidenceRow, Status
from shared.job_row import Hold, JobRow
from shared.job_views import view_job
from shared.pages.notices import Notice, notices
from shared.pages.view import JobView
from shared.pages.words import LANGUAGES, Words
from shared.policy import DAY
from shared.ports import Services
from shared.record import Repair, Verdict

NOW = 100 * DAY


@pytest.fixture
def view(services: Services, row_of: Callable[[str], JobRow]) -> JobView:
    """Give a job of which there is nothing to say."""
    view = view_job(services, row_of("review"))
    assert view.record is not None
    quiet = view.record.model_copy(update={"unmapped": (), "repaired": ()})
    story = replace(view.story, evidence=())
    return replace(view, record=quiet, story=story, row=view.row.changed({"lost_callback": None}))


def said(view: JobView) -> list[Notice]:
    """Give the notices, each of which there are words for."""
    found = list(notices(view, NOW))
    for one in found:
        for language in LANGUAGES:
            assert Words(language)(f"notice.{one.name}", **one.values)
    return found


def test_of_a_quiet_job_nothing_is_said(view: JobView) -> None:
    assert said(view) == []


def test_a_contradiction_is_told_with_both_words(view: JobView) -> None:
    assert view.record is not None
    verdict = Verdict(suggestion="pass", computed_suggestion="block")

    (one,) = said(replace(view, record=view.record.model_copy(update={"verdict": verdict})))

    assert (one.weight, one.name, one.values) == (
        "warn",
        "contradiction",
        {"said": "pass", "computed": "block"},
    )


@pytest.mark.parametrize("status", ["copying", "held", "releasing"])
def test_a_hold_is_told_with_who_and_why(view: JobView, status: str) -> None:
    hold = Hold(status, "legal", "case 7", 0, "digest")  # type: ignore[arg-type]  # one of the three

    (one,) = said(replace(view, row=replace(view.row, hold=hold)))

    assert (one.weight, one.name, one.said, one.values) == (
        "note",
        f"hold_{status}",
        "case 7",
        {"by": "legal"},
    )


def test_what_the_record_lacks_or_was_read_kindly_is_told(view: JobView) -> None:
    assert view.record is not None
    record = view.record.model_copy(update={"repaired": (Repair(source="answer:", what="full-width comma"),)})
    row = view.row.changed({"notes": "output file not there", "lost_callback": 2})

    found = said(replace(view, record=record, row=row))

    assert {one.name for one in found} == {"notes", "repaired", "callback_late"}


def test_evidence_that_is_lost_comes_before_what_is_at_risk(view: JobView) -> None:
    digest = view.row.text("digest") or ""

    def row(name: str, status: Status) -> EvidenceRow:
        return EvidenceRow(view.row.key, name, status, (digest,), "answer:", 0, NOW + 1)

    story = replace(view.story, evidence=(row("a", "pending"), row("b", "lost"), row("c", "kept")))

    found = said(replace(view, story=story))

    assert [(one.weight, one.name, one.values) for one in found] == [
        ("bad", "evidence_lost", {"count": 1}),
        ("warn", "evidence_at_risk", {"count": 1}),
    ]
    assert all((one.command or "").startswith("media-ledger evidence ") for one in found)
