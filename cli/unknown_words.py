"""What records hold that this version does not understand, counted by what a person would teach it. Pure.

    label      a check and a label of a finding without a canonical label
    field      a leaf of an answer that nothing reads, by its place with every position as `*`
    status     a vendor's word for how a job stands that no page knows
    shape      a place that had to be read more kindly than its format allows
    unreadable an answer that stands under quarantine, by what is wrong with it

No value is shown: what nobody understands may be anybody's secret. `media-ledger at` opens the example.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from shared.explanation import name_to_type
from shared.job_row import JobRow
from shared.jobs import State
from shared.kinds.reading import is_known_status

What = Literal["label", "field", "status", "shape", "unreadable"]

# A vendor that puts ids where names belong must not fill the memory.
_MOST = 1_000
_OTHERS = "(others)"
_POSITION = re.compile(r"(?<=/)[0-9]+(?=[/#]|$)")
# What an error says of this one answer.
_DETAILS = re.compile(r" \(.*", re.DOTALL)


class Unknown(NamedTuple):
    """One thing that is not understood."""

    what: What
    kind: str
    word: str


@dataclass
class Seen:
    """How often, in how many jobs, since when, and where for example; a source is for `media-ledger at`."""

    first_seen_at: int
    job: str
    source: str | None
    count: int = 0
    jobs: int = 0


@dataclass
class Tally:
    """All that was found, in as many jobs as were looked at."""

    seen: dict[Unknown, Seen] = field(default_factory=dict)
    jobs: int = 0

    def add(self, row: JobRow, record: Mapping[str, Any] | None) -> None:
        """Count what is not understood of a job; `record` is None while it has none."""
        self.jobs += 1
        of_this_job: set[Unknown] = set()
        for one, source in _found(row, record):
            known = self._place(row, one, source)
            seen = self.seen[known]
            seen.count += 1
            seen.jobs += known not in of_this_job
            of_this_job.add(known)

    def _place(self, row: JobRow, one: Unknown, source: str | None) -> Unknown:
        """Find where it is counted, and let the job that was seen first be the example."""
        if one not in self.seen and len(self.seen) >= _MOST:
            one = one._replace(word=_OTHERS)
        at = row.count("first_seen_at")
        seen = self.seen.get(one)
        if seen is None:
            self.seen[one] = Seen(at, name_to_type(row), source)
        elif at < seen.first_seen_at:
            seen.first_seen_at, seen.job, seen.source = at, name_to_type(row), source
        return one

    def ordered(self) -> list[tuple[Unknown, Seen]]:
        """Give all of it, what most jobs have first."""
        return sorted(self.seen.items(), key=lambda pair: (-pair[1].jobs, -pair[1].count, pair[0]))


def _found(row: JobRow, record: Mapping[str, Any] | None) -> Iterator[tuple[Unknown, str | None]]:
    kind = row.ref.kind
    word = row.text("vendor_status")
    if word is not None and not is_known_status(word):
        yield Unknown("status", kind, word), None
    if row.state is State.QUARANTINED:
        reason = row.text("reason") or "no reason"
        yield Unknown("unreadable", kind, _DETAILS.sub("", reason)), None
    if record is None:
        return
    for finding in record["findings"]:
        if finding["label"] is not None and finding["canonical_label"] is None:
            yield Unknown("label", kind, f"{finding['check']}/{finding['label']}"), finding["source"]
    for leaf in record["unmapped"]:
        yield Unknown("field", kind, _POSITION.sub("*", leaf["source"])), leaf["source"]
    for repair in record["repaired"]:
        shape = f"{repair['what']} in {_POSITION.sub('*', repair['source'])}"
        yield Unknown("shape", kind, shape), repair["source"]
