"""The page of one job: what is on it, and where everything on it leads."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from shared.evidence import EvidenceRow
from shared.explanation import name_to_type
from shared.pages.context import PageContext
from shared.pages.notices import notices
from shared.pages.pictures import PICTURES, Size, size_of
from shared.pages.raw_window import Window, window
from shared.pages.strangers import plain
from shared.pages.templates import position, render
from shared.pages.timeline import Mark, timeline
from shared.pages.view import TOP, JobPlace, JobView, RawPart
from shared.pages.words import Words
from shared.record import Finding

MOST = 100
"""Rows of a table, beyond which a page tells how many more there are."""
PICTURES_EACH = 4
"""So many pictures stand beside a finding."""
_MOST_ITEMS = 48
_MOST_BOXES = 200
_MOST_SIDE = 20_000  # of a frame that nobody tells the size of, in pixels

Region = tuple[float, float, float, float]


@dataclass(frozen=True)
class Pane:
    """A raw part and what of it is shown."""

    part: RawPart
    windows: tuple[Window, ...]
    is_excerpt: bool = False


@dataclass(frozen=True)
class Shown:
    """A picture or file of a job as a page shows it; one without an `address` is only named.

    `beside` is the id of the finding that has shown it already, if one has.
    """

    row: EvidenceRow | None
    address: str | None = None
    size: Size | None = None
    boxes: tuple[Region, ...] = ()
    beside: str | None = None

    @property
    def status(self) -> str:
        """Tell what became of it; a record may name what nobody was to keep."""
        return "unlisted" if self.row is None else self.row.status

    @property
    def why(self) -> str | None:
        """Tell why it is not kept."""
        return None if self.row is None or self.row.status == "kept" else self.row.reason

    @property
    def is_picture(self) -> bool:
        """Tell whether a page could show it."""
        return self.row is not None and self.row.content_type in PICTURES

    @property
    def is_inside(self) -> bool:
        """Tell that the page holds it itself."""
        return (self.address or "").startswith("data:")


@dataclass(frozen=True)
class Addresses:
    """Where things of one job's page are: on it, or on another page of it."""

    view: JobView
    page: PageContext
    place: JobPlace

    def raw(self, source: str) -> str | None:
        """Give where a value of the raw answer is shown; the page stays as it is otherwise."""
        here = {} if self.place.check is None else {"check": self.place.check, "from": str(self.place.start)}
        return self.page.links.job(self.view.row.key, at=source, **here)

    def group(self, check: str, start: int) -> str | None:
        """Give the page of a group of findings from a number on."""
        return self.page.links.job(self.view.row.key, check=check, **{"from": str(start)})

    def finding(self, check: str, number: int) -> str:
        """Give where a finding is, by its number in its group: on this page, or on that of the group."""
        group = next(one for one in self.view.groups if one.check == check)
        if group.start <= number < group.end:
            return f"#f-{group.shown[number - group.start].id}"
        return self.group(check, number) or "#findings"

    def download(self, part: str) -> str | None:
        """Give where a raw part can be had as it was received."""
        return self.page.links.raw(self.view.row.key, part)


def render_job(view: JobView, page: PageContext, place: JobPlace = TOP) -> str:
    """Write the page of a job."""
    return write("job.html", view, page, Addresses(view, page, place), _panes(view, place))


def write(
    template: str, view: JobView, page: PageContext, to: Addresses, panes: Sequence[Pane], **more: object
) -> str:
    """Write a job by a template that is `job.html` or extends it."""
    words = Words(page.language)
    pictures = _Pictures(view, page)
    return render(
        template,
        page,
        here="job",
        view=view,
        place=to.place,
        record=view.record,
        evidence_command=f"media-ledger evidence {name_to_type(view.row)}",
        notices=notices(view, page.now),
        flags=view.flags,
        timeline=timeline(view.groups, view.record.outputs if view.record else ()),
        count=sum(group.count for group in view.groups),
        items=pictures.items(),
        panes=panes,
        to=to,
        most=MOST,
        pictures_each=PICTURES_EACH,
        seen_as=pictures.seen_as,
        frame=frame_of(box for one in view.shown for box in one.regions),
        boxes_of=boxes_of,
        told=lambda check, mark: _told(words, check, mark),
        about=lambda finding: _about(words, finding),
        **more,
    )


@dataclass(frozen=True)
class _Pictures:
    """The evidence of a job, as far as its page shows it."""

    view: JobView
    page: PageContext

    def seen_as(self, name: str, regions: Sequence[Region]) -> Shown:
        """Give a finding's picture, with boxes where the frame's size is known."""
        row = self.view.evidence.get(name)
        if row is None or row.status != "kept" or row.content_type not in PICTURES:
            return Shown(row)
        size = size_of(self.view.pictures.get(name, b"")) if regions else None
        return Shown(row, self._address(name), size, tuple(boxes_of(regions)))

    def items(self) -> tuple[Shown, ...]:
        """Give the first of all evidence, and beside which findings it stands."""
        beside = {
            name: finding.id
            for finding in reversed(self.view.shown)
            for name in finding.evidence[:PICTURES_EACH]
        }
        listed = list(self.view.evidence.values())[:_MOST_ITEMS]
        return tuple(replace(self.seen_as(one.id, ()), beside=beside.get(one.id)) for one in listed)

    def _address(self, name: str) -> str | None:
        return self.page.links.evidence(self.view.row.key, name)


def frame_of(regions: Iterable[Region]) -> tuple[int, int] | None:
    """Give a frame that holds all regions, where nobody tells how large the real one is."""
    boxes = [box for region in regions if (box := _box(region))]
    if not boxes:
        return None
    return math.ceil(max(x2 for _, _, x2, _ in boxes)), math.ceil(max(y2 for _, _, _, y2 in boxes))


def boxes_of(regions: Sequence[Region]) -> Iterator[Region]:
    """Give what of regions can be drawn: corners in either order, and nothing beyond any frame."""
    return filter(None, map(_box, regions[:_MOST_BOXES]))


def _box(region: Region) -> Region | None:
    x1, y1, x2, y2 = region
    box = min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)
    is_drawn = box[2] > 0 and box[3] > 0 and max(box) <= _MOST_SIDE and min(box) >= -_MOST_SIDE
    return box if is_drawn else None


def _told(words: Words, check: str, mark: Mark) -> str:
    """Say a mark for those who do not see it, and for the pointer that rests on it."""
    what = words.term("check", check) or plain(check, 60)
    start, end = position(mark.start_ms), position(mark.end_ms)
    when = start if start == end else " … ".join((start, end))
    suggestion = words.term("verdict", mark.suggestion) if mark.suggestion else None
    one = mark.finding
    what_is_there = (
        _label(words, one["canonical_label"], one["label"])
        if one
        else words("findings.count", count=mark.count)
    )
    return " · ".join(filter(None, (when, what, what_is_there, suggestion)))


def _about(words: Words, finding: Finding) -> str:
    """Say what a picture is of."""
    when = "" if finding.start_ms is None else position(finding.start_ms)
    return " · ".join(
        filter(None, (words("evidence.of"), _label(words, finding.canonical_label, finding.label), when))
    )


def _label(words: Words, ours: str | None, vendors: str | None) -> str:
    return words.term("label", ours) or plain(ours or vendors or "", 60)


def _panes(view: JobView, place: JobPlace) -> list[Pane]:
    """Show each raw part that is open, from its root or around the place that was asked for."""
    asked = (place.at or "").partition(":")[0]
    is_one_asked = any(part.name == asked for part in view.parts)
    return [_pane(part, place.at if part.name == asked else None, is_one_asked) for part in view.parts]


def _pane(part: RawPart, at: str | None, is_one_asked: bool) -> Pane:
    """Show a part that is open; beside the one that was asked for, the others only name themselves."""
    if part.condition != "open" or (is_one_asked and at is None):
        return Pane(replace(part, condition="closed") if part.condition == "open" else part, ())
    return Pane(part, (window(part.name, part.tree, at),))
