"""What findings point at, a row for each picture or file of a job, and every decision about one. Pure.

    pending ──► kept      its bytes lie in the archive, under their own sha256
    pending ──► lost      it was refused, or still out of reach when its time was over; the reason says which
    lost    ──► pending   a later answer names it again while there still is time

Rows are put before the record that names them is committed. So a row tells which record versions those are,
and counts only for a job whose present version is one of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from typing import Literal, TypedDict, cast

from shared.documents.urls import without_query
from shared.downloads import Download
from shared.errors import CorruptRowError, TemporaryError
from shared.evidence_items import Item
from shared.policy import Policy
from shared.ports import Change, When
from shared.tables import Row, Value
from shared.toolkit.masking import Masker

Status = Literal["pending", "kept", "lost"]

EFFECT = "evidence"
"""What a version with evidence leaves to do, until all of it is kept or lost and the manifest says so."""

MAX_URL = 4_096
"""Most characters of an address: a batch of rows has 4 MB (tablestore-oss.md 1.2)."""

_STATUSES = ("pending", "kept", "lost")
_VERSIONS = 8
_REASON_LENGTH = 500


@dataclass(frozen=True)
class EvidenceRow:
    """A row as it was read. `due_at` is when it is tried next; one that is not pending has none."""

    job_key: str
    id: str
    status: Status
    digests: tuple[str, ...]
    source: str
    since: int
    expires_at: int
    url: str | None = None
    due_at: int | None = None
    attempts: int = 0
    reason: str | None = None
    key: str | None = None
    sha256: str | None = None
    size: int | None = None
    content_type: str | None = None
    ended_at: int | None = None

    @classmethod
    def read(cls, job_key: str, id: str, columns: Row) -> EvidenceRow:
        """Type a row; raise `CorruptRowError` naming it when this version cannot read it."""
        match columns:
            case {
                "status": "pending" | "kept" | "lost" as status,
                "digests": str(digests),
                "source": str(source),
                "since": int(since),
                "expires_at": int(expires_at),
            }:
                return cls(
                    job_key,
                    id,
                    status,
                    tuple(digests.split(",")),
                    source,
                    since,
                    expires_at,
                    **_rest(columns),
                )
        raise CorruptRowError("this evidence row cannot be read", job=job_key, evidence=id)

    def is_at_risk(self, now: int) -> bool:
        """Tell whether half of the time in which it can be had is over, and it is not kept."""
        return self.status == "pending" and now - self.since >= (self.expires_at - self.since) // 2

    def is_reserved(self, policy: Policy) -> bool:
        """Tell whether nobody has tried it, so that it is for whoever is invoked after the commit."""
        return self.attempts == 0 and self.due_at == self.since + policy.evidence_first


class _Rest(TypedDict, total=False):
    url: str
    due_at: int
    attempts: int
    reason: str
    key: str
    sha256: str
    size: int
    content_type: str
    ended_at: int


def _rest(columns: Row) -> _Rest:
    """Give what a row may have or not; the store has seen to the types."""
    return cast(_Rest, {name: columns[name] for name in _Rest.__annotations__ if name in columns})


@dataclass(frozen=True)
class Tally:
    """How much evidence has what status.

    `at_risk` are of those that are pending; `refused`, of those that are lost: there still is time for them.
    """

    pending: int = 0
    kept: int = 0
    lost: int = 0
    at_risk: int = 0
    refused: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))

    @property
    def all(self) -> int:
        """Tell how much there is."""
        return self.pending + self.kept + self.lost


def tally(rows: Iterable[EvidenceRow], digest: str | None, now: int) -> Tally:
    """Count the evidence of a job's present version."""
    named = [row for row in rows if digest in row.digests]
    pending, kept, lost = (sum(row.status == status for row in named) for status in _STATUSES)
    refused = sum(row.status == "lost" and not is_over(row, now) for row in named)
    return Tally(pending, kept, lost, sum(row.is_at_risk(now) for row in named), refused)


def first_columns(item: Item, digest: str, *, job_key: str, until: int, now: int, policy: Policy) -> Row:
    """Write the row of something that nobody has named before."""
    common: dict[str, Value] = {
        "digests": digest,
        "source": item.source,
        "since": now,
        "expires_at": until,
    }
    if len(item.url) > MAX_URL:
        reason = f"refused: its address has more than {MAX_URL} characters"
        return {**common, "status": "lost", "reason": reason, "ended_at": now}
    due_at = now + policy.evidence_first
    return {**common, "status": "pending", "url": item.url, "due_at": due_at, "due_bucket": job_key[0]}


def named_again(
    row: EvidenceRow, item: Item, digest: str, *, until: int, now: int, present: str | None = None
) -> Change:
    """Decide what it means that a later answer names it: a fresh address, and perhaps another chance.

    `present` is the version that the job has: of many versions that is never the one to be forgotten.
    """
    change: dict[str, Value | None] = {}
    if digest not in row.digests:
        named = [*row.digests, digest]
        if len(named) > _VERSIONS:
            named.remove(next(one for one in named if one != present))
        change["digests"] = ",".join(named)
    if row.status == "pending" and until > row.expires_at:
        change["expires_at"] = until
    is_new = row.status == "pending" and item.url != row.url
    is_reopened = row.status == "lost" and now < row.expires_at
    if (is_new or is_reopened) and len(item.url) <= MAX_URL:
        change |= {"url": item.url, "due_at": now, "due_bucket": row.job_key[0]}
    if is_reopened and "url" in change:
        change |= {"status": "pending", "attempts": None, "reason": None, "ended_at": None}
    return change


def kept(download: Download, key: str, now: int) -> Change:
    """Write that it lies in the archive."""
    return {
        "status": "kept",
        "key": key,
        "sha256": download.sha256,
        "size": download.size,
        "content_type": download.content_type,
        **_ended(now),
        "reason": None,
    }


def lost(error: Exception, now: int) -> Change:
    """Write that nobody will have it."""
    return {"status": "lost", "reason": reason(error), **_ended(now)}


def put_off(row: EvidenceRow, error: Exception, now: int, policy: Policy) -> Change:
    """Write when it is tried again: once more at the end of its time, however long the wait would be.

    Its server may ask for a longer wait, but for none that is longer than all others.
    """
    waits = policy.evidence_retries
    wished = error.retry_after_ms if isinstance(error, TemporaryError) else None
    at = now + max(waits[min(row.attempts, len(waits) - 1)], min(wished or 0, max(waits)))
    if now < row.expires_at:
        at = min(at, row.expires_at)
    return {"due_at": at, "attempts": row.attempts + 1, "reason": reason(error)}


def is_over(row: EvidenceRow, now: int) -> bool:
    """Tell whether its time is over: what cannot be fetched now will not come back."""
    return now >= row.expires_at


def unmoved(row: EvidenceRow) -> list[When]:
    """Give the conditions under which nobody has tried it, or given it another chance, since it was read."""
    return [
        When("status", "==", row.status),
        When("due_at", "==", row.due_at or 0),
        When("expires_at", "==", row.expires_at),
    ]


def reason(error: Exception) -> str:
    """Say in a row what went wrong, with nothing secret in it."""
    return Masker().text(without_query(f"{type(error).__name__}: {error}"))[:_REASON_LENGTH]


def _ended(now: int) -> dict[str, Value | None]:
    return {"ended_at": now, "url": None, "due_at": None, "due_bucket": None}
