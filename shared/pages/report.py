"""The report of one job: its page in one file, with its pictures, that loads nothing and needs no script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from shared.pages.context import PageContext
from shared.pages.job import Addresses, Pane, write
from shared.pages.raw_window import Line, Window, excerpt, whole
from shared.pages.static_files import policy_hash, static_text
from shared.pages.view import TOP, JobView, RawPart
from shared.pages.words import Language
from shared.record import Finding, JobRecord

_MOST_LINES = 4_000
"""A raw part of more lines is not shown whole."""
_MOST_EXCERPTS = 150


@dataclass(frozen=True)
class _Inside:
    """Links of a page that has no other beside it: places on it, and pictures in it."""

    anchors: Mapping[str, str]
    pictures: Mapping[str, str]

    def overview(self) -> None:
        """See `Links.overview`."""

    def jobs(self, **filters: str) -> None:
        """See `Links.jobs`."""

    def job(self, key: str, **place: str) -> str | None:
        """See `Links.job`."""
        anchor = self.anchors.get(place.get("at", ""))
        return None if anchor is None else f"#{anchor}"

    def evidence(self, key: str, name: str) -> str | None:
        """See `Links.evidence`."""
        return self.pictures.get(name)

    def raw(self, key: str, part: str) -> None:
        """See `Links.raw`."""

    def static(self, name: str) -> None:
        """See `Links.static`."""


def render_report(view: JobView, language: Language, now: int) -> str:
    """Write the report of a job that was read whole; `now` is when, in epoch milliseconds."""
    sources = tuple(dict.fromkeys(_sources(view.shown, view.record))) if view.record else ()
    panes = [_pane(part, sources) for part in view.parts]
    lines = (line for pane in panes for each in pane.windows for line in each.lines)
    anchors = {line.at: line.anchor for line in lines if line.anchor}
    page = PageContext(language, _Inside(anchors, _pictures(view)), now)
    # Neither has a `</` in it, so neither ends before its end.
    style, script = static_text("page.css") + static_text("job.css"), static_text("job.js")
    policy = (
        f"default-src 'none'; style-src {policy_hash(style)}; script-src {policy_hash(script)};"
        " img-src data:; base-uri 'none'; form-action 'none'"
    )
    to = Addresses(view, page, TOP)
    return write("report.html", view, page, to, panes, style=style, script=script, policy=policy)


def _sources(shown: Iterable[Finding], record: JobRecord) -> Iterator[str]:
    """Give every address that the page names, those of findings first."""
    for finding in shown:
        yield from (finding.source, *finding.other_sources)
    listed = (record.verdict.modules, record.outputs, record.measures, record.evidence, record.unmapped)
    for items in (*listed, record.repaired):
        yield from (one.source for one in items)


def _pane(part: RawPart, sources: Sequence[str]) -> Pane:
    """Show a part whole if it is small, else what stands where its addresses lead to."""
    if part.condition != "open":
        return Pane(part, ())
    its = [source for source in sources if source.partition(":")[0] == part.name]
    lines = whole(part.name, part.tree, its, _MOST_LINES)
    named: set[str] = set()
    if lines is not None:
        return Pane(part, (_with_anchors(Window((), lines), set(its), named),))
    found = filter(None, (excerpt(part.name, part.tree, source) for source in its[:_MOST_EXCERPTS]))
    return Pane(part, tuple(_with_anchors(one, set(its), named) for one in found), is_excerpt=True)


def _with_anchors(one: Window, sources: set[str], named: set[str]) -> Window:
    """Name each line that an address leads to, once on the page."""

    def anchored(line: Line) -> Line:
        if line.form == "cut" or line.at not in sources or line.at in named:
            return line
        named.add(line.at)
        return replace(line, anchor=f"raw-{hashlib.sha256(line.at.encode()).hexdigest()[:12]}")

    return replace(one, lines=tuple(anchored(line) for line in one.lines))


def _pictures(view: JobView) -> Mapping[str, str]:
    """Write the pictures that were read as addresses that hold them."""
    return {
        name: f"data:{view.evidence[name].content_type};base64,{base64.b64encode(body).decode()}"
        for name, body in view.pictures.items()
    }
