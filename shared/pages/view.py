"""What the page of one job is made of, once it was read (see `shared.job_views`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from shared.evidence import EvidenceRow
from shared.explanation import Explanation
from shared.job_row import JobRow, StoredPart
from shared.pages.findings import Group
from shared.pages.flags import Flag
from shared.record import Finding, JobRecord
from shared.toolkit.strict_json import Tree

Condition = Literal["open", "closed", "large", "gone", "unreadable"]


@dataclass(frozen=True)
class JobPlace:
    """What somebody looks at on a job's page: a source in its raw answer; findings of a check from one on."""

    at: str | None = None
    check: str | None = None
    start: int = 0


TOP = JobPlace()
"""The page as it is opened first."""


@dataclass(frozen=True)
class RawPart:
    """A raw part of the present record, or of what could not be read.

    One that is `open` has the tree that pointers walk in; one that is `unreadable` has its first `text` and
    why. `size` is None for one that is gone.
    """

    stored: StoredPart
    condition: Condition
    size: int | None
    tree: Tree = None
    text: str = ""
    reason: str = ""

    @property
    def name(self) -> str:
        """Give the name that addresses begin with."""
        return self.stored.name


@dataclass(frozen=True)
class JobView:
    """A job as it was read. `record` is None while there is none, or where `trouble` says why not.

    `groups` hold its findings, which are not in the record here, and those that did not fit into it, as far
    as they were read; `unread` are left. `pictures` has the first bytes of kept pictures in which boxes are
    drawn; of a report, all bytes of each that it holds.
    """

    row: JobRow
    record: JobRecord | None
    story: Explanation
    parts: tuple[RawPart, ...]
    groups: tuple[Group, ...] = ()
    flags: tuple[Flag, ...] = ()
    unread: int = 0
    trouble: str | None = None
    pictures: Mapping[str, bytes] = field(default_factory=dict)

    @cached_property
    def shown(self) -> tuple[Finding, ...]:
        """Give the findings that the page shows."""
        return tuple(finding for group in self.groups for finding in group.shown)

    @cached_property
    def evidence(self) -> Mapping[str, EvidenceRow]:
        """Give the evidence of the present version, by its ids."""
        digest = self.row.text("digest")
        return {one.id: one for one in self.story.evidence if digest in one.digests}
