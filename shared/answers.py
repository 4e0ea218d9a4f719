"""A readable answer and the moment at which it is judged: what every decision about a job is made from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from shared import evidence, evidence_items
from shared.delivery.outbox import Delivery, outbox_columns, with_entries
from shared.findings_file import FindingsFile
from shared.job_row import Effect, JobRow, StoredPart, effect_columns, parts_column
from shared.policy import Policy
from shared.ports import Change
from shared.record import JobRecord
from shared.tables import Value
from shared.vendor import Part

Did = Literal[
    "settled", "confirmed", "waiting", "missing", "postponed", "quarantined", "unknown", "drifted", "lost"
]
"""What came of settling. `missing` is a job that the vendor still does not know after the grace period."""

Settler = Literal["callback", "timer", "person", "import"]
"""Who had the vendor asked; `import` brought what it had said before."""


@dataclass(frozen=True)
class Answered:
    """A readable answer, normalized, with what will be stored and where."""

    record: JobRecord
    digest: str
    stored: bytes
    raw: tuple[Part, ...]
    parts: tuple[StoredPart, ...]
    notes: tuple[str, ...] = ()
    """What was missing when it was asked for: shown, counted, and no part of the record."""
    present: JobRecord | None = None
    """The record that a settled job has, where this is another: to tell what differs.

    Where a newer normalizer made that, it is what ours makes of the same answer.
    """
    lines: FindingsFile = field(default_factory=FindingsFile)
    """Findings that the record has no room for."""


@dataclass(frozen=True)
class Moment:
    """When and for whom a decision is made, and by which numbers. `stretch` is a drawn factor, at least one.

    `wanted` is the count of marks that the claim saw.
    """

    now: int
    wanted: int
    stretch: float
    policy: Policy
    by: Settler

    def after(self, waits: Sequence[int], attempt: int) -> int:
        """Give the time of the next try; the last wait repeats."""
        return self.now + int(waits[min(attempt, len(waits) - 1)] * self.stretch)

    def came_before_marks(self, row: JobRow) -> bool:
        """Tell whether the job was marked after the claim, so perhaps after the vendor was asked."""
        return row.count("wanted") != self.wanted

    def since(self, row: JobRow, column: str) -> int:
        """Give when something began: now where the row does not say, or where its clock was ahead of ours."""
        return min(row.count(column) or self.now, self.now)


def version_columns(row: JobRow, answered: Answered, moment: Moment) -> dict[str, Value | None]:
    """Move a row to a record version."""
    record = answered.record
    version = row.count("version") + 1
    named = len(evidence_items.named_by(record, moment.policy))
    return {
        "suggestion": record.verdict.suggestion,
        "labels": ",".join(record.verdict.labels) or None,
        "media_id": row.text("media_id") or record.media.media_id,
        "incomplete": 1 if record.incomplete else None,
        "digest": answered.digest,
        "version": version,
        "normalizer_version": record.normalizer_version,
        "raw_parts": parts_column(answered.parts),
        "notes": ", ".join(answered.notes) or None,
        "evidence": named or None,
        # Without evidence, too, if there was any: the manifest is to say that this version has none.
        **with_effects(row, _effects(answered, moment, has_evidence=bool(named or row.count("evidence")))),
        **_with_deliveries(row, answered, version, moment),
    }


def _effects(answered: Answered, moment: Moment, *, has_evidence: bool) -> list[Effect]:
    """Leave to do what a version needs; its evidence when whoever is invoked for it has had its time."""
    effects = [Effect("record", answered.digest, 0, moment.now)]
    if has_evidence:
        effects.append(
            Effect(evidence.EFFECT, answered.digest, 0, moment.now + moment.policy.evidence_settled)
        )
    return effects


def _with_deliveries(row: JobRow, answered: Answered, version: int, moment: Moment) -> Change:
    """Add what is to be told of a version to the outbox of a row; nothing where nobody is told anything."""
    now, raw_keys = moment.now, tuple(part.key for part in answered.parts)
    new = [
        Delivery(target, version, answered.digest, raw_keys, settled_at=now, since=now, next_at=now)
        for target in moment.policy.delivery.targets_for(answered.record)
    ]
    if not new:
        return {} if row.number("version_at") is None else {"version_at": None}
    return {**outbox_columns(with_entries(row.outbox, new)), "version_at": now}


def with_effects(row: JobRow, new: Iterable[Effect]) -> Change:
    """Add effects to those of a row. A commit drops none; one that waits already is not added again."""
    pending = {(effect.name, effect.digest) for effect in row.effects}
    added = [effect for effect in new if (effect.name, effect.digest) not in pending]
    return effect_columns((*row.effects, *added))
