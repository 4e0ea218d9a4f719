"""What flagged a job: the worst checks first, each with the finding that shows best why."""

from __future__ import annotations

from typing import Any

from shared.pages.findings import Group, groups
from shared.pages.flags import MOST, flags
from shared.record import Finding, Score, finding_line


def finding(id: str, check: str, suggestion: str | None = None, *, score: float = 50, **more: Any) -> Finding:
    return Finding(
        id=id,
        modality="video",
        check=check,
        label="label",
        canonical_label=None,
        suggestion=suggestion,
        scores=(Score(text=str(score), value=score),),
        source="answer:/Data",
        **more,
    )


def grouped(found: list[Finding]) -> tuple[Group, ...]:
    return groups([finding_line(one) for one in found])


def test_checks_that_flag_come_first_and_the_worst_of_them_before_all() -> None:
    made = grouped([finding("a", "ad"), finding("b", "live", "Review"), finding("c", "porn", "block")])

    assert [group.check for group in made] == ["porn", "live", "ad"]
    assert [(one.check, one.suggestion) for one in flags(made)] == [("porn", "block"), ("live", "review")]


def test_checks_that_are_equally_bad_stay_in_the_order_of_the_answer() -> None:
    made = grouped([finding(check, check, "block") for check in ("porn", "ad", "live")])

    assert [group.check for group in made] == ["porn", "ad", "live"]


def test_of_a_check_the_surest_frame_is_chosen_and_its_number_is_that_in_its_group() -> None:
    of_check = finding("check", "porn", "block", score=99)
    frames = [finding(f"f{at}", "porn", score=score, start_ms=at) for at, score in ((9, 99), (5, 80))]

    (flag,) = flags(grouped([of_check, *frames]))

    assert (flag.finding.id, flag.number) == ("f9", 2)


def test_of_findings_that_are_equally_sure_one_with_a_picture_is_chosen() -> None:
    bare, seen = (
        finding(id, "porn", "block", start_ms=5, evidence=its) for id, its in (("a", ()), ("b", ("e",)))
    )

    assert [one.finding.id for one in flags(grouped([bare, seen]))] == ["b"]


def test_a_finding_that_says_something_milder_does_not_show_why() -> None:
    mild, bad = finding("mild", "antispam", "pass", score=100), finding("bad", "antispam", "block", score=1)

    assert [one.finding.id for one in flags(grouped([mild, bad]))] == ["bad"]


def test_a_score_that_is_no_number_counts_least() -> None:
    odd = Finding(
        id="odd",
        modality="video",
        check="porn",
        label="label",
        canonical_label=None,
        suggestion="block",
        scores=(Score(text="n/a", value=None),),
        source="answer:/Data",
    )

    assert [one.finding.id for one in flags(grouped([odd, finding("low", "porn", "block", score=-1)]))] == [
        "low"
    ]


def test_a_job_that_passed_has_no_flags_and_none_has_more_than_a_page_needs() -> None:
    assert flags(grouped([finding("a", "porn", "pass"), finding("b", "ad")])) == ()
    assert len(flags(grouped([finding(f"{n}", f"check-{n}", "block") for n in range(MOST + 5)]))) == MOST
