"""The inside of a quality review: which check saw what, when, and where in the frame.

It is told twice, in different words (query-apis.md 4). The summary has `ImageDefinition`, clock times
and scores from 0 to 1; the Output file has `image_definition`, milliseconds, scores on a scale of its
own, and the place in the frame. What both saw at one time is one finding.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, TypeAlias

from shared.documents.cursor import Node
from shared.kinds.values import number, score, short_hash, snake_case
from shared.record import Finding, Measure, Score
from shared.taxonomy import canonical_label, is_hit
from shared.toolkit.strict_json import Tree

CHECKS = (
    *("blockness", "brightness", "freeze", "image_definition", "less_expose", "over_expose"),
    *("border", "noise", "mosaic"),
)
"""The documented checks, in the order of a record; any other is read alike and comes after them."""

Region: TypeAlias = tuple[float, float, float, float]

_ORDER = {check: position for position, check in enumerate(CHECKS)}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}", re.ASCII)
_LONGEST_WORD = 200  # of a result or a score: each stands in every finding, and more than once
# One to three digits of a fraction: `.5` is half a second (query-apis.md 6, quirk 6).
_CLOCK = re.compile(r"([0-9]{2}):([0-5][0-9]):([0-5][0-9])(?:\.([0-9]{1,3}))?", re.ASCII)
_MILLISECONDS = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,18})?(?:[eE]\+?[0-9]{1,2})?", re.ASCII)
_TOO_LONG = 10**18  # as for `Node.integer`

_RATIO = "ratio"
# The file calls the ratio of noise `noise_rate`, the summary `Ratio` (query-apis.md 6, quirk 16).
_RESULT_NAMES = ("Result", "result")
_SCORE_NAMES = ("Score", "score")
_TIME_NAMES = ("TimeStamp", "timestamp")
_RATIO_NAMES = ("Ratio", "ratio", "noise_rate")


class Sighting(NamedTuple):
    """What one entry says. Where it gives no `result`, being listed under its check is the result."""

    check: str
    source: str
    result: str | None
    scores: tuple[Score, ...]
    start_ms: int | None
    frame: int | None = None
    regions: tuple[Region, ...] = ()
    other_sources: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Give the word for what was seen."""
        return self.result or self.check

    @property
    def is_hit(self) -> bool:
        """Tell whether it is a defect: an entry can also say `normal` (query-apis.md 6, quirk 24)."""
        return is_hit(self.label, None)


def read_summary(documents: Iterable[Node]) -> list[Sighting]:
    """Read the objects that `VideoQualityResults` holds."""
    found = (
        _sighting(snake_case(name), entry, _SUMMARY)
        for node in documents
        for name in node.names()
        if is_check(name)
        for entry in node.items(name)
    )
    return [one for one in found if one is not None]


def is_check(name: str) -> bool:
    """Tell whether a member of a document may be the list of a check."""
    return _NAME.fullmatch(name) is not None


def read_entry(name: str, entry: Node) -> Sighting | None:
    """Read an entry of the list `name` of the Output file; None when it says nothing that is understood."""
    return _sighting(snake_case(name), entry, _FILE)


def finding(one: Sighting) -> Finding:
    """Tell a defect."""
    return Finding(
        id=short_hash(one.source, one.check, one.label),
        modality="video",
        check=one.check,
        label=one.label,
        canonical_label=canonical_label(one.check, one.label),
        scores=one.scores,
        start_ms=one.start_ms,
        frame=one.frame,
        regions=one.regions,
        source=one.source,
        other_sources=one.other_sources,
    )


def measures(one: Sighting) -> list[Measure]:
    """Tell what was looked at and found normal: each score of it, or that it was."""
    return [
        Measure(
            name=f"{one.check}.{score_name(score)}",
            value=score.value if score else None,
            text=score.text if score else None,
            unit=score.scale if score else None,
            label=one.label,
            start_ms=one.start_ms,
            source=one.source,
        )
        for score in one.scores or (None,)
    ]


def score_name(one: Score | None) -> str:
    """Say what a score is a measure of."""
    return _RATIO if one is not None and one.scale == _RATIO else "score"


def size(one: Sighting) -> int:
    """Tell roughly how many characters a finding has beyond its few words: those of its regions."""
    return 40 * len(one.regions)


def rank(one: Sighting) -> tuple[int, str, int]:
    """Order by check and time; what has no time comes last."""
    time = _TOO_LONG if one.start_ms is None else one.start_ms
    return *rank_of_check(one.check), time


def rank_of_check(check: str) -> tuple[int, str]:
    """Order checks as `CHECKS` does, and others after them by their names."""
    return _ORDER.get(check, len(CHECKS)), check


def agree(one: Sighting, other: Sighting) -> bool:
    """Tell whether two entries of one check and time may mean the same."""
    return one.result is None or other.result is None or one.result == other.result


def joined(told: Sighting, detail: Sighting) -> Sighting:
    """Put together what summary and file say of one defect, so that no value of either is lost."""
    return told._replace(
        result=detail.result or told.result,
        scores=(*told.scores, *detail.scores),
        frame=detail.frame,
        regions=detail.regions,
        other_sources=(detail.source,),
    )


@dataclass(frozen=True)
class _Form:
    """How one of the two tells things; only the file tells places in the frame."""

    scale: str | None
    position: Callable[[str], int | None]
    tells_places: bool = False


def _sighting(check: str, entry: Node, form: _Form) -> Sighting | None:
    """Read one entry of a list; None when it says nothing that is understood."""
    time, start_ms = _time(entry, form.position)
    result = _word(entry, _RESULT_NAMES)
    # The file's scores have no documented scale: they are negative, or above 1 (quirk 17).
    scores = (
        *score(_word(entry, _SCORE_NAMES), form.scale),
        *score(_word(entry, _RATIO_NAMES), _RATIO),
    )
    _ignore_repeated_check(entry, check)
    frame: int | None = None
    regions: tuple[Region, ...] = ()
    # A measure has no place in the record: where a normal entry gives one, it stays unmapped.
    if form.tells_places and is_hit(result or check, None):
        frame, regions = entry.integer("id"), _regions(entry)
    if time is None and result is None and frame is None and not scores and not regions:
        return None
    return Sighting(check, entry.source, result, scores, start_ms, frame, regions)


def _word(entry: Node, names: Sequence[str]) -> str | None:
    """Take a text that may be a word or a number; leave a longer one."""
    text = entry.first_text(names)
    if text is None or len(text) <= _LONGEST_WORD:
        return text
    for name in names:
        entry.put_back(name)
    return None


def _ignore_repeated_check(entry: Node, check: str) -> None:
    """Ignore a `type` that repeats the check (query-apis.md 6, quirk 19), and leave any other."""
    text = entry.text("type")
    if text is not None and text != check and snake_case(text) != check:
        entry.put_back("type")


def _time(entry: Node, position: Callable[[str], int | None]) -> tuple[str | None, int | None]:
    """Take when it was seen, as (text, position); leave a text that is no position."""
    for name in _TIME_NAMES:
        text = entry.text(name)
        if text is not None:
            start_ms = position(text)
            if start_ms is None:
                entry.put_back(name)
            return text, start_ms
    return None, None


def _clock_ms(text: str) -> int | None:
    found = _CLOCK.fullmatch(text)
    if found is None:
        return None
    hours, minutes, seconds = int(found[1]), int(found[2]), int(found[3])
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + int((found[4] or "").ljust(3, "0"))


def _file_ms(text: str) -> int | None:
    """Read milliseconds, a whole number as text or a float (query-apis.md 6, quirks 3 and 4), or a clock."""
    if not _MILLISECONDS.fullmatch(text):
        return _clock_ms(text)
    value = int(Decimal(text))
    return value if value < _TOO_LONG else None


def _regions(entry: Node) -> tuple[Region, ...]:
    """Take the rectangles of a border or of mosaics; leave what is none as a whole."""
    found: list[Region] = []
    for name in ("border", "box"):
        if name in entry.names():
            rectangles = _rectangles(entry.value(name))
            if rectangles is not None:
                entry.ignore(name)
                found.extend(rectangles)
    return tuple(found)


def _rectangles(value: Tree) -> list[Region] | None:
    """Read one rectangle or a list of them: `box` is described as one, and is many (quirk 20)."""
    if value is None or value in ("", []):
        return []
    if not isinstance(value, list):
        return None
    listed = value if isinstance(value[0], list) else [value]
    found = [_rectangle(item) for item in listed]
    return None if None in found else [item for item in found if item is not None]


def _rectangle(corners: Tree) -> Region | None:
    if not isinstance(corners, list) or len(corners) != 4:
        return None
    values = [number(corner) for corner in corners if isinstance(corner, str)]
    edges = [value for value in values if value is not None]
    return (edges[0], edges[1], edges[2], edges[3]) if len(edges) == 4 else None


_SUMMARY = _Form("0-1", _clock_ms)
_FILE = _Form(None, _file_ms, tells_places=True)
