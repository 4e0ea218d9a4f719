"""Where in its media each finding of a job is: lanes of marks, of a number that does not grow with the job.

A lane with more findings than it has room for shows how many there are in each of its steps. Positions and
widths are parts of a thousand of the whole, so that a drawing of any width can hold them. Pure.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from shared.finding_lines import Glance
from shared.pages.findings import Group
from shared.record import Output
from shared.taxonomy import worst

MOST_LANES = 24
MOST_MARKS = 120
"""Over all lanes; each has room for `LEAST_MARKS` all the same."""
LEAST_MARKS = 24
_SECOND, _MINUTE, _HOUR = 1_000, 60_000, 3_600_000
_STEPS = (
    *(1, 2, 5, 10, 20, 50, 100, 200, 500),
    *(n * _SECOND for n in (1, 2, 5, 10, 15, 30)),
    *(n * _MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * _HOUR for n in (1, 2, 6, 12, 24, 120, 720)),
)
_TICKS = 5


@dataclass(frozen=True)
class Mark:
    """A finding, or so many as `count` of a step, the first of which is number `first` of its group.

    `suggestion` is its own, or else what the vendor says of the whole check.
    """

    at: float
    width: float
    start_ms: int
    end_ms: int
    suggestion: str | None
    count: int
    first: int
    finding: Glance | None = None


@dataclass(frozen=True)
class Lane:
    """The marks of one check, by time, and how many of its findings have no time."""

    check: str
    marks: tuple[Mark, ...]
    timeless: int


@dataclass(frozen=True)
class Tick:
    """A position on the axis."""

    at: float
    ms: int


@dataclass(frozen=True)
class Timeline:
    """All lanes from the start of the media to the last position that anything names.

    `hidden` are lanes that there is no room for; `is_summed` tells that some marks are several findings.
    """

    end_ms: int
    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    outputs: tuple[Mark, ...]
    hidden: int
    is_summed: bool


def timeline(groups: Sequence[Group], outputs: Iterable[Output]) -> Timeline | None:
    """Lay out findings, and what was made, over time; None where nothing has a position."""
    made = [one for one in outputs if one.start_ms is not None]
    timed = [group for group in groups if group.timeless < group.count]
    if not timed and not made:
        return None
    ends = [_last(group.findings[group.timeless :]) for group in timed]
    last = max(ends + [_until(one.start_ms, one.end_ms) for one in made])
    end = last + last // 50 + 1  # room for the last mark
    shown = timed[:MOST_LANES]
    room = max(LEAST_MARKS, MOST_MARKS // max(len(shown), 1))
    lanes = tuple(_lane(group, end, room) for group in shown)
    return Timeline(
        end_ms=end,
        lanes=lanes,
        ticks=_ticks(end),
        outputs=tuple(_output(one, number, end) for number, one in enumerate(made[:room])),
        hidden=len(timed) - len(shown),
        is_summed=any(mark.count > 1 for lane in lanes for mark in lane.marks),
    )


def _lane(group: Group, end: int, room: int) -> Lane:
    # Frames seldom have a suggestion of their own: the vendor says it of the check that saw them.
    said = worst([one["suggestion"] for one in group.findings[: group.timeless]])
    numbers = range(group.timeless, group.count)
    if len(numbers) <= room:
        marks = tuple(_mark(number, group.findings[number], end, said) for number in numbers)
    else:
        marks = tuple(_summed(group, end, room, said))
    return Lane(group.check, marks, group.timeless)


def _mark(number: int, one: Glance, end: int, said: str | None) -> Mark:
    start, until = max(one["start_ms"] or 0, 0), _until(one["start_ms"], one["end_ms"])
    suggestion = worst([one["suggestion"]]) or said
    return Mark(_part(start, end), _part(until - start, end), start, until, suggestion, 1, number, one)


def _summed(group: Group, end: int, room: int, said: str | None) -> Iterator[Mark]:
    """Make a mark of what is within one step of the lane."""
    starts = [one["start_ms"] or 0 for one in group.findings[group.timeless :]]
    first = group.timeless
    for step in range(room):
        behind = group.timeless + bisect_left(starts, -(-(step + 1) * end // room))
        if behind - first == 1:
            yield _mark(first, group.findings[first], end, said)
        elif behind > first:
            yield _sum(group.findings[first:behind], first, step / room, 1 / room, said)
        first = behind


def _sum(its: Sequence[Glance], first: int, at: float, width: float, said: str | None) -> Mark:
    return Mark(
        at=round(1_000 * at, 2),
        width=round(1_000 * width, 2),
        start_ms=max(its[0]["start_ms"] or 0, 0),
        end_ms=_last(its),
        suggestion=worst([one["suggestion"] for one in its]) or said,
        count=len(its),
        first=first,
    )


def _output(one: Output, number: int, end: int) -> Mark:
    start, until = max(one.start_ms or 0, 0), _until(one.start_ms, one.end_ms)
    return Mark(_part(start, end), _part(until - start, end), start, until, None, 1, number)


def _ticks(end: int) -> tuple[Tick, ...]:
    step = next((step for step in _STEPS if end // step <= _TICKS), end)
    return tuple(Tick(_part(ms, end), ms) for ms in range(0, end + 1, step))


def _last(in_time: Sequence[Glance]) -> int:
    """Give the last position that any of them names."""
    return max([in_time[-1]["start_ms"] or 0, *(end for one in in_time if (end := one["end_ms"])), 0])


def _until(start: int | None, end: int | None) -> int:
    return max(start or 0, end or 0, 0)


def _part(ms: int, end: int) -> float:
    return round(1_000 * ms / end, 2)
