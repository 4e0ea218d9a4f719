"""What a later record of a job says differently, in the five ways that somebody acts on. Pure.

Fields that nobody acts on (scores, texts, counters) are left out: a version that differs in these alone has
no change that is told.
"""

from __future__ import annotations

from collections import Counter
from typing import Literal, NamedTuple

from shared.record import Finding, JobRecord, findings_count

What = Literal["status", "verdict", "labels", "timeline", "counts"]

_SHOWN = 4


class RecordChange(NamedTuple):
    """One thing that differs, in words: what it is, and what it was."""

    what: What
    now: str
    was: str

    def __str__(self) -> str:
        return f"{self.what}: {self.now}, was {self.was}"


def changes(before: JobRecord, after: JobRecord) -> tuple[RecordChange, ...]:
    """Compare two records of one job; at most one change of each type, in the order of `What`."""
    told: tuple[tuple[What, str, str], ...] = (
        ("status", _status(after), _status(before)),
        ("verdict", _verdict(after), _verdict(before)),
        ("labels", *_only(_labels(after), _labels(before))),
        ("timeline", *_only(_timeline(after), _timeline(before))),
        ("counts", *_only(_counts(after), _counts(before))),
    )
    return tuple(RecordChange(what, now, was) for what, now, was in told if now != was)


def _status(record: JobRecord) -> str:
    code = record.error.code if record.error else None
    return "/".join(filter(None, (record.status, code)))


def _verdict(record: JobRecord) -> str:
    verdict = record.verdict
    computed = verdict.computed_suggestion
    below = f"{computed} below" if computed not in (None, verdict.suggestion) else None
    return ", ".join(filter(None, (verdict.suggestion, below))) or "none"


def _labels(record: JobRecord) -> Counter[str]:
    labels = {*record.verdict.labels, *filter(None, (_label(finding) for finding in record.findings))}
    return Counter(labels)


def _label(finding: Finding) -> str | None:
    return finding.canonical_label or finding.label or finding.check


def _timeline(record: JobRecord) -> Counter[str]:
    timed = (finding for finding in record.findings if finding.start_ms is not None)
    return Counter(f"{_label(one)} at {_span(one)}" for one in timed)


def _span(finding: Finding) -> str:
    end = "" if finding.end_ms is None else f"-{finding.end_ms}"
    return f"{finding.start_ms}{end} ms"


def _counts(record: JobRecord) -> Counter[str]:
    return Counter(
        {
            f"findings {findings_count(record)}": 1,
            f"outputs {len(record.outputs)}": 1,
            f"evidence {len(record.evidence)}": 1,
        }
    )


def _only(after: Counter[str], before: Counter[str]) -> tuple[str, str]:
    """Give what each has that the other has not."""
    return _listed(after - before), _listed(before - after)


def _listed(words: Counter[str]) -> str:
    names = sorted(words)
    more = [f"{len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    return ", ".join(names[:_SHOWN] + more) or "none"
