"""What of a record is to be kept: pictures and files by their whole addresses, and until when. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared import output_files
from shared.documents.pointers import resolve
from shared.documents.urls import without_query
from shared.errors import ParseError
from shared.kinds.kind import Kind
from shared.kinds.values import short_hash
from shared.policy import Policy
from shared.record import Evidence, JobRecord
from shared.toolkit.strict_json import Tree
from shared.vendor import Part


@dataclass(frozen=True)
class Item:
    """A picture or file that a record names; `url` is its whole address, with what signs it."""

    id: str
    url: str
    source: str


def named_by(record: JobRecord, policy: Policy) -> tuple[Evidence, ...]:
    """Give what of a record is to be kept."""
    kind = record.job.kind
    if not policy.window_of(kind):
        return ()
    outputs = output_files.copied(record) if kind in policy.copied_outputs else ()
    return (*record.evidence, *outputs)


def items(kind: Kind, record: JobRecord, parts: Sequence[Part], policy: Policy) -> tuple[Item, ...]:
    """Find the whole addresses of what a record names: it has them without what signs them."""
    named = named_by(record, policy)
    trees: dict[str, Tree] = {part.name: kind.tree(part) for part in parts} if named else {}
    return tuple(Item(one.id, _whole_url(trees, one), one.source) for one in named)


def _whole_url(trees: Mapping[str, Tree], one: Evidence) -> str:
    try:
        url = resolve(trees, one.source)
    except ParseError:
        return one.url
    return url if isinstance(url, str) and short_hash(without_query(url)) == one.id else one.url


def expires_at(record: JobRecord, now: int, policy: Policy) -> int:
    """Tell until when evidence can be had: a window from the job's end, or from now if that is in doubt."""
    least = now + policy.evidence_least
    return max(_completed(record, now) + policy.window_of(record.job.kind), least)


def _completed(record: JobRecord, now: int) -> int:
    completed = record.times.completed
    if completed is None or any(flag.startswith("completed") for flag in record.times.flags):
        return now
    return min(int(datetime.fromisoformat(completed.replace("Z", "+00:00")).timestamp() * 1000), now)
