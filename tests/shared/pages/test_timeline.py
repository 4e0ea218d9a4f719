"""Marks of findings over time: every finding is in one, and their number does not grow with the job."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.pages import findings
from shared.pages.findings import FIRST, PAGE, Group
from shared.pages.timeline import LEAST_MARKS, MOST_LANES, MOST_MARKS, timeline
from shared.record import Finding, Output, finding_line

POSITIONS = st.none() | st.integers(-5, 10_000_000)


def finding(
    number: int, check: str | None = "porn", start: int | None = 0, end: int | None = None
) -> Finding:
    return Finding(
        id=f"{number}",
        modality="video",
        check=check,
        label="porn",
        canonical_label=None,
        suggestion=("block", "REVIEW", "pass", None, "other")[number % 5],
        start_ms=start,
        end_ms=end,
        source=f"answer:/{number}",
    )


def groups(found: Iterable[Finding], **chosen: Any) -> tuple[Group, ...]:
    return findings.groups([finding_line(one) for one in found], **chosen)


@st.composite
def some_findings(draw: st.DrawFn) -> list[Finding]:
    told = draw(st.lists(st.tuples(st.sampled_from("abc"), POSITIONS, POSITIONS), max_size=400))
    return [finding(number, *one) for number, one in enumerate(told)]


@given(some_findings())
def test_every_finding_with_a_time_is_in_one_mark_of_its_lane(found: list[Finding]) -> None:
    shown = groups(found)
    drawn = timeline(shown, ())

    timed = {group.check: group.count - group.timeless for group in shown}
    lanes = (
        {} if drawn is None else {lane.check: sum(mark.count for mark in lane.marks) for lane in drawn.lanes}
    )
    assert lanes == {check: count for check, count in timed.items() if count}


@given(some_findings())
def test_marks_are_within_the_drawing_and_of_a_bounded_number(found: list[Finding]) -> None:
    drawn = timeline(groups(found), ())

    for lane in drawn.lanes if drawn else ():
        assert len(lane.marks) <= max(LEAST_MARKS, MOST_MARKS // len(drawn.lanes if drawn else ()))
        for mark in lane.marks:
            assert 0 <= mark.at <= mark.at + mark.width <= 1_000.02
            assert mark.start_ms <= mark.end_ms


def test_a_mark_of_several_tells_the_worst_of_them_and_leads_to_the_first() -> None:
    many = [finding(number, start=number * 10) for number in range(5_000)]
    (group,) = groups(many)

    drawn = timeline((group,), ())

    assert drawn is not None
    assert drawn.is_summed
    (lane,) = drawn.lanes
    assert {mark.suggestion for mark in lane.marks} == {"block"}
    assert all(group.findings[mark.first]["start_ms"] == mark.start_ms for mark in lane.marks)


def test_a_mark_without_a_suggestion_has_that_of_its_check() -> None:
    of_check = finding(0, start=None)
    frames = [finding(3, start=1_000), finding(1, start=2_000)]

    drawn = timeline(groups([of_check, *frames]), ())

    assert drawn is not None
    assert [mark.suggestion for mark in drawn.lanes[0].marks] == ["block", "review"]


def test_a_step_with_one_finding_shows_that_one() -> None:
    alone = finding(0, start=10_000_000)

    drawn = timeline(groups([*(finding(number, start=number) for number in range(1, 500)), alone]), ())

    assert drawn is not None
    shown = drawn.lanes[0].marks[-1].finding
    assert shown is not None
    assert shown["start_ms"] == alone.start_ms


def test_findings_without_a_time_are_counted_beside_their_lane() -> None:
    drawn = timeline(groups([finding(0, start=None), finding(1, start=5), finding(2, start=None)]), ())

    assert drawn is not None
    assert [(len(lane.marks), lane.timeless) for lane in drawn.lanes] == [(1, 2)]


def test_lanes_beyond_what_can_be_read_are_counted() -> None:
    drawn = timeline(groups([finding(number, check=f"check-{number}") for number in range(50)]), ())

    assert drawn is not None
    assert (len(drawn.lanes), drawn.hidden) == (MOST_LANES, 50 - MOST_LANES)


def test_what_a_job_made_has_a_lane_of_its_own() -> None:
    cover = Output(kind="cover", start_ms=1_000, source="answer:/Result/0")
    clip = Output(kind="segment", start_ms=2_000, end_ms=4_000, source="answer:/Result/1")

    drawn = timeline((), (cover, clip, Output(kind="file", source="answer:/F")))

    assert drawn is not None
    assert [(mark.start_ms, mark.end_ms, mark.width > 0) for mark in drawn.outputs] == [
        (1_000, 1_000, False),
        (2_000, 4_000, True),
    ]


def test_a_job_without_positions_has_no_timeline() -> None:
    assert timeline(groups([finding(0, start=None)]), ()) is None


@given(st.integers(0, 10**12))
def test_the_axis_has_few_ticks_from_the_start_on(end: int) -> None:
    drawn = timeline(groups([finding(0, start=end)]), ())

    assert drawn is not None
    assert drawn.ticks[0].ms == 0
    assert len(drawn.ticks) <= 6


@given(some_findings(), st.integers(-3, 500))
def test_pages_of_a_group_show_each_finding_once(found: list[Finding], start: int) -> None:
    seen: list[Finding] = []
    at: int | None = 0
    while at is not None:
        page = next((one for one in groups(found, chosen="a", start=at) if one.check == "a"), None)
        if page is None:
            break
        seen += page.shown
        assert len(page.shown) <= PAGE
        at = page.after

    assert sorted(one.id for one in seen) == sorted(one.id for one in found if one.check == "a")
    assert all(len(one.shown) <= FIRST for one in groups(found, start=start))
