"""What one run of reconciliation did: counted for whoever started it, and as metrics."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from shared.errors import InvalidJobIdError
from shared.jobs import JobRef
from shared.toolkit import metrics


@dataclass
class Summary:
    """What one run did, by outcome; `more` when the limit, the deadline or the budget ended it."""

    outcomes: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    """What settled jobs had to do without, such as `output unlocated`."""
    drained: int = 0
    lost_callbacks: int = 0
    more: bool = False
    stopped_products: set[str] = field(default_factory=set)
    """Products that refused us, be it only about one job; refusals in a row end the run of a service."""
    away: set[str] = field(default_factory=set)
    """Services that failed too often in a row and are left for the next run."""
    misconfigured: list[str] = field(default_factory=list)
    """Services of which so many jobs are missing that our settings are to blame; no job was given up."""
    corrupt: list[str] = field(default_factory=list)
    """Rows that nobody can read, the first few by name."""

    @property
    def needs_a_person(self) -> bool:
        """Tell whether something stays wrong however often the run is repeated."""
        person = ("quarantined", "unknown", "corrupt")
        return bool(self.stopped_products or self.misconfigured or any(self.outcomes[n] for n in person))

    def count(self, did: str, key: str) -> None:
        """Count how it ended for one job."""
        self.outcomes[did] += 1
        metrics.count("reconciled_jobs", outcome=did, kind=_kind(key))

    def report(self) -> dict[str, object]:
        """Give all of it, ready for JSON."""
        return {
            "outcomes": dict(sorted(self.outcomes.items())),
            "notes": dict(sorted(self.notes.items())),
            "drained": self.drained,
            "lost_callbacks": self.lost_callbacks,
            "more": self.more,
            "stopped_products": sorted(self.stopped_products),
            "away": sorted(self.away),
            "misconfigured": self.misconfigured,
            "corrupt": self.corrupt,
        }


def _kind(key: str) -> str:
    try:
        return JobRef.from_key(key).kind
    except InvalidJobIdError:
        return "unreadable"
