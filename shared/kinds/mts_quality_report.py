"""All that a quality review saw, in its summary and in a file of any size, as far as a record holds it.

The file is read as it comes. A record holds all findings of most reports; of a larger one a sample, beside
which it tells for each check how many there are, the extremes of their scores, and the first and the last.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

from shared.documents.cursor import Node, Walk
from shared.documents.pointers import escape, leaves
from shared.documents.streamed import TOO_LARGE, JsonStream
from shared.documents.urls import without_query
from shared.kinds.findings_beside import FindingsBeside, Lines
from shared.kinds.mts_quality_checks import (
    Sighting,
    agree,
    finding,
    is_check,
    joined,
    measures,
    rank,
    read_entry,
    size,
)
from shared.kinds.mts_quality_extents import Extents
from shared.kinds.samples import Sample
from shared.record import Finding, FindingsMore, Measure, Unmapped


class _Seen(NamedTuple):
    """A sighting and where it stands: document, name, position. Few are told in this order."""

    at: tuple[int, str, int]
    what: Sighting


@dataclass(frozen=True)
class Report:
    """What a record tells of a report."""

    findings: tuple[Finding, ...]
    findings_more: FindingsMore | None
    measures: tuple[Measure, ...]
    unmapped: tuple[Unmapped, ...]
    repaired: tuple[str, ...]


class Reading:
    """Reads a report, and writes to `lines` what its record has no room for."""

    def __init__(self, part: str, summary: Sequence[Sighting], lines: Lines) -> None:
        self._part = part
        self._summary = _Summary([one for one in summary if one.is_hit])
        self._beside = FindingsBeside(lines)
        self._extents = Extents()
        self._hits: Sample[_Seen] = Sample(
            lambda one: _label(one.what), lambda one: size(one.what), self._write
        )
        self._normal: Sample[_Seen] = Sample(lambda one: one.what.check, lambda one: size(one.what))
        for one in summary:
            if not one.is_hit:
                self._add_normal(_Seen((-1, "", 0), one))
        self._left: Sample[tuple[str, str]] = Sample(
            lambda leaf: _place(leaf[0]), lambda leaf: len(leaf[0]) + len(leaf[1])
        )
        self._repaired: tuple[str, ...] = ()

    def read(self, chunks: Iterable[bytes]) -> None:
        """Read the file; raise `ParseError` when it cannot be read to its end."""
        stream = JsonStream(chunks)
        for document in stream.documents():
            at = f"{self._part}:/{document}"
            if stream.peek() != "{":
                self._leave(stream.leaves(at))
                continue
            for name in stream.members():
                below = f"{at}/{escape(name)}"
                if not is_check(name):
                    self._leave(stream.leaves(below))
                elif stream.peek() == "[":
                    self._read_list(stream, below, (document, name))
                elif stream.peek() != "n":  # null says nothing (query-apis.md 6, quirk 44)
                    self._leave(stream.leaves(below))
                else:
                    stream.value()
        self._repaired = stream.repaired

    def _read_list(self, stream: JsonStream, at: str, document_and_name: tuple[int, str]) -> None:
        walk, name = Walk(self._part, {}), document_and_name[1]
        for position in stream.elements():
            here = f"{at}/{position}"
            entry = stream.value()
            if not isinstance(entry, dict):
                self._leave(stream.leaves(here) if entry is TOO_LARGE else leaves(entry, here))
                continue
            # The walk is not told of it: it would hold every entry. Nothing is gone to from one.
            node = Node(walk, here, entry)
            one = read_entry(name, node)
            if one is not None:
                self._add(_Seen((*document_and_name, position), one))
            for source, value in sorted(node.left(), key=itemgetter(0)):
                self._leave(leaves(value, source))

    def report(self) -> Report:
        """End it."""
        found = self._findings()
        more = self._beside.end()
        normal = [one.what for one in sorted(self._normal.kept, key=lambda one: one.at)]
        told = [measure for one in sorted(normal, key=rank) for measure in measures(one)]
        if more or self._normal.dropped:
            told += self._extents.measures()
        if self._left.dropped:
            told.append(
                Measure(name="unmapped", value=self._left.dropped, text=None, source=f"{self._part}:")
            )
        left = sorted(self._left.kept)
        return Report(
            found,
            more,
            tuple(told),
            tuple(Unmapped(source=source, value=text) for source, text in left),
            self._repaired,
        )

    def _add(self, one: _Seen) -> None:
        if one.what.is_hit:
            self._hits.add(one)
        else:
            self._add_normal(one)

    def _add_normal(self, one: _Seen) -> None:
        self._extents.add(one.what)
        self._normal.add(one)

    def _leave(self, said: Iterable[tuple[str, str]]) -> None:
        for source, text in said:
            self._left.add((source, without_query(text)))

    def _write(self, one: _Seen) -> None:
        _, whole = self._summary.joined(one.what)
        self._tell_beside(whole)

    def _tell_beside(self, one: Sighting) -> None:
        self._extents.add(one)
        self._beside.add(finding(one))

    def _findings(self) -> tuple[Finding, ...]:
        """Give every defect once: by check, then time, then as it is told, the summary's words first."""
        pairs = [self._summary.joined(one.what) for one in sorted(self._hits.kept, key=lambda one: one.at)]
        told = [*self._summary.left(), *((i, one) for i, one in pairs if i is not None)]
        ordered = [one for _, one in sorted(told, key=lambda pair: pair[0])]
        sample: Sample[Sighting] = Sample(_label, size, self._tell_beside)
        for one in (*ordered, *(one for i, one in pairs if i is None)):
            sample.add(one)
        for one in sample.kept:
            self._extents.add(one)
        return tuple(finding(one) for one in sorted(sample.kept, key=rank))


def _label(one: Sighting) -> tuple[str, str]:
    return one.check, one.label


def _place(source: str) -> str:
    """Name the leaves that stand at one place of their lists alike."""
    return "/".join("*" if token.isdecimal() else token for token in source.split("/"))


class _Summary:
    """Defects of the summary, until the file tells the same."""

    def __init__(self, hits: Sequence[Sighting]) -> None:
        self._left = dict(enumerate(hits))
        self._at: dict[tuple[str, int], list[int]] = {}
        for i, one in enumerate(hits):
            if one.start_ms is not None:  # two that have no time need not be the same
                self._at.setdefault((one.check, one.start_ms), []).append(i)

    def joined(self, one: Sighting) -> tuple[int | None, Sighting]:
        """Join what the summary says of it, with its position there; each once."""
        if one.start_ms is not None and (candidates := self._at.get((one.check, one.start_ms))):
            for i in candidates:
                if agree(self._left[i], one):
                    candidates.remove(i)
                    return i, joined(self._left.pop(i), one)
        return None, one

    def left(self) -> Iterable[tuple[int, Sighting]]:
        """Give what the file has not told, by position."""
        return self._left.items()
