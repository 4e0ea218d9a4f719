"""The first page: what needs a person, what came today, what is late, what may be lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.attention import REASONS
from shared.jobs import State
from shared.listings import Listing
from shared.overview import Overview
from shared.pages.context import PageContext
from shared.pages.findings import FLAGGED
from shared.pages.list import TONES, shown
from shared.pages.strangers import plain
from shared.pages.templates import render


@dataclass(frozen=True)
class Bar:
    """A number beside others: its length as per mille of the largest, where it leads, how it is coloured."""

    name: str
    number: int
    length: int
    tone: str
    address: str | None = None


def render_overview(numbers: Overview, first: Listing, page: PageContext) -> str:
    """Write the overview; `first` are jobs that need a person, the latest first."""
    today = numbers.day.isoformat()
    return render(
        "overview.html",
        page,
        here="overview",
        numbers=numbers,
        jobs=shown(first.rows),
        tones=TONES,
        needs={name: (numbers.by_need.get(name, 0), page.links.jobs(needs=name)) for name in REASONS},
        states=_bars(
            {state.value: numbers.by_state.get(state.value, 0) for state in State}, page, "state", today
        ),
        verdicts=_bars(_worst_first(numbers.by_verdict), page, "verdict", today),
        kinds=_bars(numbers.by_kind, page, "kind", today),
        slack=_bars({str(name): number for name, number in numbers.by_slack.items()}, page),
        late_ms=late_by(numbers.oldest_due_at, numbers.now),
        links={
            "today": page.links.jobs(day=today),
            "lost": page.links.jobs(day=today, lost_callback="1"),
            "needs": page.links.jobs(needs="any"),
        },
    )


def _worst_first(counts: Mapping[str, int]) -> Mapping[str, int]:
    """Put the verdicts that flag a job before the others."""
    return {name: counts[name] for name in (*filter(counts.__contains__, FLAGGED), *counts)}


def late_by(due_at: int | None, now: int) -> int:
    """Tell how late the timer is with what is due longest; 0 if it is not."""
    return 0 if due_at is None else max(0, now - due_at)


def _bars(counts: Mapping[str, int], page: PageContext, field: str = "", day: str = "") -> list[Bar]:
    largest = max(counts.values(), default=0)
    return [
        Bar(
            name,
            number,
            length=number * 1_000 // largest if largest else 0,
            tone=TONES.get(name, "plain"),
            # What is masked would stand in the address as it is.
            address=page.links.jobs(**{field: name, "day": day}) if field and plain(name) == name else None,
        )
        for name, number in counts.items()
    ]
