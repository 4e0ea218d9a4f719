"""The list of jobs, with the form that filters it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared import attention
from shared.attention import Reason
from shared.explanation import name_to_type
from shared.job_filter import Filter
from shared.job_row import JobRow
from shared.jobs import State
from shared.listings import Listing
from shared.pages.context import PageContext
from shared.pages.templates import render

COMMANDS: dict[Reason, str] = {
    "quarantined": "media-ledger release {job}",
    "unknown": "media-ledger retry {job}",
    "undelivered": "media-ledger redeliver --job {job}",
    "drift": "media-ledger acknowledge {job}",
    "evidence": "media-ledger evidence {job}",
}
"""What a person does about a job, when it was looked at."""

VERDICTS = ("block", "review", "pass")
"""What a form offers; rows may have other words of the vendor."""


TONES: Mapping[str, str] = {
    "succeeded": "good",
    "pass": "good",
    "review": "warn",
    "unknown": "warn",
    "3 days": "warn",
    "block": "bad",
    "failed": "bad",
    "quarantined": "bad",
    "overdue": "bad",
    "1 day": "bad",
    "undelivered": "bad",
    "drift": "warn",
    "evidence": "warn",
}
"""How words are coloured; those that say neither good nor bad are plain."""


@dataclass(frozen=True)
class Advice:
    """A reason for which a job needs a person, what is known of it, and what to do."""

    reason: Reason
    told: str | None
    command: str


@dataclass(frozen=True)
class ShownJob:
    """A line of a list."""

    row: JobRow
    labels: tuple[str, ...]
    advice: tuple[Advice, ...]

    @classmethod
    def of(cls, row: JobRow) -> ShownJob:
        """Choose what a line shows of a job."""
        labels = tuple(filter(None, (row.text("labels") or "").split(",")))
        return cls(row, labels, tuple(_advice(row, one) for one in attention.reasons(row.columns)))


def _advice(row: JobRow, reason: Reason) -> Advice:
    told = {
        "quarantined": row.text("reason"),
        "unknown": row.text("reason"),
        "undelivered": "; ".join(f"{one.target}: {one.reason}" for one in row.undelivered),
        "drift": row.text("drift"),
    }
    return Advice(reason, told.get(reason), COMMANDS[reason].format(job=name_to_type(row)))


def shown(rows: Iterable[JobRow]) -> list[ShownJob]:
    """Choose what lines show of jobs."""
    return [ShownJob.of(row) for row in rows]


def render_list(
    wanted: Filter, listing: Listing, page: PageContext, *, kinds: Sequence[str], is_later: bool
) -> str:
    """Write a page of the list; `is_later` tells that there are pages before it."""
    values = wanted.values
    return render(
        "list.html",
        page,
        here="jobs",
        values=values,
        jobs=shown(listing.rows),
        listing=listing,
        tones=TONES,
        is_later=is_later,
        next=page.links.jobs(**values, after=listing.after) if listing.after else None,
        states=[state.value for state in State],
        verdicts=_offered(VERDICTS, wanted.verdict),
        kinds=kinds,
        needs=("any", *attention.REASONS),
    )


def _offered(words: Sequence[str], chosen: str | None) -> list[str]:
    """Give the words of a form, the one that is chosen among them."""
    return [*words, *([chosen] if chosen and chosen not in words else [])]
