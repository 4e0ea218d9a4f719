"""One source against the ledger: what it names is counted, in chunks, as long as the time allows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from shared.completeness.report import EXAMPLES, Finding, Source, SourceStatus, plain
from shared.completeness.survey import side_by_side
from shared.jobs import JobRef
from shared.policy import SECOND
from shared.ports import Services
from shared.tables import JOBS

T = TypeVar("T")

RESERVE = 5 * SECOND
"""What is left of the invocation for writing the report."""

_CHUNK = 500


@dataclass
class Tally:
    """Counts examples of one difference."""

    name: str
    title: str
    needs_person: bool = False
    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, example: str) -> None:
        """Count one, and keep it while there is room."""
        self.count += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(plain(example) or "")

    def finding(self) -> Finding:
        """Give what was counted."""
        return Finding(
            name=self.name,
            title=self.title,
            needs_person=self.needs_person,
            count=self.count,
            examples=tuple(self.examples),
        )


@dataclass
class Comparison:
    """One source as it is compared. With a `cut` it was left before its end, and that says why."""

    services: Services
    compared: int = 0
    cut: str | None = None

    def chunks(self, items: Iterable[T], *, size: int = _CHUNK) -> Iterator[list[T]]:
        """Give the items in lists, as long as the time allows."""
        rest = iter(items)
        while chunk := list(islice(rest, size)):
            if self.services.clock.now() >= self.services.deadline - RESERVE:
                self.cut = "the time was up"
                return
            yield chunk

    def not_in_ledger(self, refs: Sequence[JobRef]) -> list[JobRef]:
        """Give the jobs that have no row; one that cannot be read is one."""
        keys = [ref.key for ref in refs]
        done = side_by_side(self.services, lambda key: self.services.ledger.get(JOBS, (key,)) is None, keys)
        return [ref for ref, one in zip(refs, done, strict=True) if one.result()]

    def source(self, name: str, *tallies: Tally) -> Source:
        """Give what came of it."""
        found = tuple(tally.finding() for tally in tallies if tally.count)
        status: SourceStatus = "compared" if self.compared or found else "empty"
        return Source(
            name=name,
            status="cut_short" if self.cut else status,
            compared=self.compared,
            findings=found,
            note=self.cut,
        )
