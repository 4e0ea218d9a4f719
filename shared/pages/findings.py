"""Findings grouped by check, a page of each group, and where each finding is to be found. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from shared.finding_lines import Glance, glances, read_findings
from shared.record import Finding
from shared.taxonomy import worst

FIRST = 10
"""So many of each group are on a job's page; what it takes to show them does not grow with the job."""
PAGE = 50
"""So many of the one group that somebody chose."""
FLAGGED = ("block", "review")
"""Suggestions that flag a job, the worst first."""


@dataclass(frozen=True)
class Group:
    """The findings of one check in time, all at a glance, and those that are shown, from number `start` on.

    `lines` are the same as `findings`, for whoever reads one of them in full.
    """

    check: str
    findings: tuple[Glance, ...]
    lines: tuple[bytes, ...]
    start: int
    shown: tuple[Finding, ...]

    @cached_property
    def suggestion(self) -> str | None:
        """Give the worst that is said of any of them."""
        return worst([one["suggestion"] for one in self.findings])

    @property
    def count(self) -> int:
        """Tell how many there are."""
        return len(self.findings)

    @cached_property
    def timeless(self) -> int:
        """Tell how many of them have no time, which come first."""
        return sum(one["start_ms"] is None for one in self.findings)

    @property
    def end(self) -> int:
        """Give the number behind the last one that is shown."""
        return self.start + len(self.shown)

    @property
    def before(self) -> int | None:
        """Give where the page before this one starts; None where there is none."""
        return None if self.start == 0 else max(0, self.start - PAGE)

    @property
    def after(self) -> int | None:
        """Give where the next page starts; None where there is none."""
        return None if self.end >= self.count else self.end


def groups(
    lines: Sequence[bytes], *, chosen: str | None = None, start: int = 0, first: int = FIRST
) -> tuple[Group, ...]:
    """Group findings by check, the worst first, each in time, with the `first` of each.

    Of the chosen check, there is a page from `start` on. Raise `ParseError` for a line that is no finding.
    """
    of: dict[str, list[tuple[Glance, bytes]]] = {}
    for finding, line in zip(glances(lines), lines, strict=True):
        of.setdefault(finding["check"] or "", []).append((finding, line))
    made = (
        _page(check, its, start, PAGE) if check == chosen else _page(check, its, 0, first)
        for check, its in of.items()
    )
    return tuple(sorted(made, key=_rank))


def _rank(group: Group) -> int:
    return FLAGGED.index(group.suggestion) if group.suggestion in FLAGGED else len(FLAGGED)


def _page(check: str, its: Sequence[tuple[Glance, bytes]], start: int, most: int) -> Group:
    findings, lines = zip(*sorted(its, key=_time), strict=True)
    first = start if 0 <= start < len(lines) else 0
    shown = tuple(read_findings(lines[first : first + most]))
    return Group(check, findings, lines, first, shown)


def _time(one: tuple[Glance, bytes]) -> float:
    """Order by position; what is said of the whole comes first."""
    start = one[0]["start_ms"]
    return float("-inf") if start is None else start
