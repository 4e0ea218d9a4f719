"""What whoever looks at a job must know first, and what they can do about it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from shared import lost_callbacks
from shared.evidence import tally
from shared.explanation import name_to_type
from shared.jobs import State
from shared.pages.view import JobView

Weight = Literal["bad", "warn", "note"]


@dataclass(frozen=True)
class Notice:
    """Something to know: its phrase and the values of it, what somebody else said, a command that helps."""

    weight: Weight
    name: str
    said: str | None = None
    command: str | None = None
    values: Mapping[str, object] = field(default_factory=dict)


def notices(view: JobView, now: int) -> tuple[Notice, ...]:
    """Give what there is to know, the worst first."""
    rank = {"bad": 0, "warn": 1, "note": 2}
    found = [*_of_state(view), *_of_record(view), *_of_evidence(view, now), *_of_deliveries(view)]
    return tuple(sorted(found, key=lambda one: rank[one.weight]))


def _of_state(view: JobView) -> Iterator[Notice]:
    row, job = view.row, name_to_type(view.row)
    if row.state is State.QUARANTINED:
        yield Notice("bad", "quarantined", row.text("reason"), f"media-ledger release {job}")
    elif row.state is State.UNKNOWN:
        yield Notice("bad", "unknown", row.text("reason"), f"media-ledger retry {job}")
    elif not row.state.is_terminal:
        yield Notice("note", "running", row.text("vendor_status"))
    if row.hold is not None:
        yield Notice("note", f"hold_{row.hold.status}", row.hold.reason, values={"by": row.hold.by})
    if row.count("drifts"):
        command = f"media-ledger acknowledge {job}"
        yield Notice("warn", "drift", row.text("drift"), command, {"count": row.count("drifts")})


def _of_record(view: JobView) -> Iterator[Notice]:
    row, record, job = view.row, view.record, name_to_type(view.row)
    if view.trouble is not None:
        yield Notice("bad", f"record_{view.trouble}", command=f"media-ledger replay --job {job}")
    if record is None:
        return
    if record.incomplete:
        yield Notice("warn", "incomplete", command=f"media-ledger retry {job}")
    said, computed = record.verdict.suggestion, record.verdict.computed_suggestion
    if said and computed and said.casefold() != computed.casefold():
        yield Notice("warn", "contradiction", values={"said": said, "computed": computed})
    if row.text("notes"):
        yield Notice("note", "notes", row.text("notes"))
    if view.unread:
        yield Notice(
            "note", "unread", command=f"media-ledger export --job {job}", values={"count": view.unread}
        )
    if record.unmapped:
        yield Notice("note", "unmapped", values={"count": len(record.unmapped)})
    if record.repaired:
        yield Notice("note", "repaired", values={"count": len(record.repaired)})


def _of_evidence(view: JobView, now: int) -> Iterator[Notice]:
    counts = tally(view.evidence.values(), view.row.text("digest"), now)
    command = f"media-ledger evidence {name_to_type(view.row)}"
    if counts.lost:
        yield Notice("bad", "evidence_lost", command=command, values={"count": counts.lost})
    if counts.at_risk:
        yield Notice("warn", "evidence_at_risk", command=command, values={"count": counts.at_risk})


def _of_deliveries(view: JobView) -> Iterator[Notice]:
    row = view.row
    if row.undelivered:
        command = f"media-ledger redeliver --job {name_to_type(row)}"
        names = ", ".join(sorted({one.target for one in row.undelivered}))
        yield Notice("bad", "undelivered", names, command, {"count": len(row.undelivered)})
    if row.number("lost_callback") == lost_callbacks.LOST:
        yield Notice("warn", "callback_lost")
    elif row.number("lost_callback") == lost_callbacks.LATE:
        yield Notice("note", "callback_late")
