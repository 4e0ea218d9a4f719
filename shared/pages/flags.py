"""What flagged a job: of each check that says block or review, the finding that is surest. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nlargest

from shared.finding_lines import read_findings
from shared.pages.findings import FLAGGED, Group
from shared.record import Finding

MOST = 8
_SUREST = 20


@dataclass(frozen=True)
class Flag:
    """A check, its suggestion, and its finding number `number`, which shows best why."""

    check: str
    suggestion: str
    number: int
    finding: Finding


def flags(groups: Sequence[Group]) -> tuple[Flag, ...]:
    """Give the first flags of a job whose groups begin with the worst.

    Raise `ParseError` when a finding that shows why cannot be read in full.
    """
    flagged = [(group, said) for group in groups if (said := group.suggestion) and said in FLAGGED]
    return tuple(_flag(group, said) for group, said in flagged[:MOST])


def _flag(group: Group, suggestion: str) -> Flag:
    """Choose a finding that says so itself, or a frame without a word of its own, as the check has its."""

    def rank(number: int) -> tuple[bool, float, bool]:
        one = group.findings[number]
        said, is_timed = (one["suggestion"] or "").casefold(), one["start_ms"] is not None
        says = said == suggestion or (not said and is_timed)
        scores = [value for score in one["scores"] if (value := score["value"]) is not None]
        return says, max(scores, default=float("-inf")), is_timed

    # Of the surest, if several are, one that has a picture.
    surest = nlargest(_SUREST, range(group.count), key=rank)
    full = read_findings(group.lines[number] for number in surest)
    number, finding = max(
        zip(surest, full, strict=True), key=lambda one: (*rank(one[0]), bool(one[1].evidence))
    )
    return Flag(group.check, suggestion, number, finding)
