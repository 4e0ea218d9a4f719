"""A job's row in the ledger: typed reading, and the pure rules that every write of it follows.

`due_at` is what the timer reads: the end of the lease while one is held, else the earliest of
`query_at`, `effects_at` and `deliver_at`; a row with none of them has no `due_at`. It is written with
every change of the four and is never itself a condition.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Literal

from shared import attention
from shared.delivery.outbox import Delivery, Undelivered, due, read_outbox, read_undelivered
from shared.entries import members, unknown_members
from shared.errors import CorruptRowError, PermanentError
from shared.inbound.notifications.notification import Claim
from shared.jobs import JobRef, State, kind_of
from shared.policy import HOUR
from shared.ports import Change, Ledger, When
from shared.tables import JOBS, Row, Value
from shared.toolkit.message import UNSIGNED
from shared.vendor import Format

LONGEST_LEASE = 2 * HOUR
"""No setting allows more than half of it."""

DUE_INPUTS = ("lease_until", "query_at", "effects_at", "deliver_at")

# Tablestore cannot ask whether a column is missing; it can ask for a value that none ever has, and
# let a missing column pass (tablestore-oss.md 1.2).
_NEVER: Mapping[type, Value] = {int: -1, str: "\x00", bytes: b"\x00"}


@dataclass(frozen=True, order=True)
class Effect:
    """Something that must still happen after a commit, for the record version `digest`."""

    name: str
    digest: str
    attempts: int
    next_at: int
    more: str = ""


@dataclass(frozen=True)
class StoredPart:
    """Where a raw part of the present record lies in the archive."""

    name: str
    format: Format
    key: str
    more: str = ""


@dataclass(frozen=True)
class Hold:
    """Who keeps what proves a verdict beyond its time, and why (see `holds`).

    `digest` is the record version of which there are copies, or are to be.
    """

    status: Literal["copying", "held", "releasing"]
    by: str
    reason: str
    at: int
    digest: str
    more: str = ""


@dataclass(frozen=True)
class JobRow:
    """A row as it was read. `columns` is all of it; the fields are what decisions look at."""

    ref: JobRef
    columns: Row
    state: State
    effects: tuple[Effect, ...]
    raw_parts: tuple[StoredPart, ...]
    outbox: tuple[Delivery, ...]
    undelivered: tuple[Undelivered, ...]
    hold: Hold | None

    @classmethod
    def read(cls, key: str, columns: Row) -> JobRow:
        """Type a row; raise `CorruptRowError` naming the job when this version cannot read it."""
        try:
            for claim in filter(None, (columns.get("claimed"), columns.get("checked_claim"))):
                Claim.parse(str(claim))
            if not isinstance(columns["token"], int):  # without one no claim could ever hold
                raise TypeError("token is no number")
            return cls(
                ref=JobRef.from_key(key),
                columns=columns,
                state=State(columns["state"]),
                effects=tuple(_effect(one) for one in _listed(columns, "effects")),
                raw_parts=tuple(_stored_part(one) for one in _listed(columns, "raw_parts")),
                outbox=read_outbox(_listed(columns, "outbox")),
                undelivered=read_undelivered(_listed(columns, "undelivered")),
                hold=_hold(columns.get("hold")),
            )
        except (KeyError, TypeError, ValueError, RecursionError, PermanentError) as error:
            raise CorruptRowError(
                "this ledger row cannot be read", job=key, cause=f"{type(error).__name__}: {error}"
            ) from error

    @property
    def key(self) -> str:
        """Give the ledger key."""
        return self.ref.key

    def number(self, column: str) -> int | None:
        """Give an integer column; None where the row has none."""
        value = self.columns.get(column)
        return value if isinstance(value, int) else None

    def count(self, column: str) -> int:
        """Give a counter; a missing one is zero."""
        return self.number(column) or 0

    def text(self, column: str) -> str | None:
        """Give a text column; None where the row has none."""
        value = self.columns.get(column)
        return value if isinstance(value, str) else None

    def is_leased(self, now: int) -> bool:
        """Tell whether somebody may be working on the job.

        A lease that ends later than any can was written by a clock that was ahead: it keeps nobody out.
        """
        until = self.number("lease_until")
        return until is not None and now < until <= now + LONGEST_LEASE

    def wants_query(self, now: int) -> bool:
        """Tell whether the vendor is to be asked by now."""
        at = self.number("query_at")
        return at is not None and at <= now

    @property
    def is_hearsay(self) -> bool:
        """Tell whether all that is known of the job is a body that nobody signed: it may not exist."""
        vouched = self.text("vouched_by") or self.text("vendor_status")
        return self.text("first_seen_by") == UNSIGNED and vouched is None

    def has_to_deliver(self, now: int) -> bool:
        """Tell whether something is to be sent by now."""
        return bool(due(self.outbox, now))

    def as_read(self, *names: str) -> list[When]:
        """Give the conditions under which these columns still are what this row says."""
        return [_unchanged(name, self.columns.get(name)) for name in names]

    def changed(self, change: Change) -> JobRow:
        """Give the row as it is after a change that took effect."""
        kept = {name: value for name, value in self.columns.items() if name not in change}
        return JobRow.read(self.key, kept | {n: v for n, v in change.items() if v is not None})


def read_job(ledger: Ledger, key: str) -> JobRow | None:
    """Read a job's row; None when the ledger does not know the job."""
    columns = ledger.get(JOBS, (key,))
    return None if columns is None else JobRow.read(key, columns)


def with_hints(key: str, columns: Row, change: Change) -> dict[str, Value | None]:
    """Complete a change by what indexes say after it: when the job is due, and whether it needs a person."""
    merged = {**columns, **change}
    lease, *others = (merged.get(name) for name in DUE_INPUTS)
    waiting = [at for at in others if isinstance(at, int)]
    due = lease if isinstance(lease, int) else min(waiting, default=None)
    # Sixteen buckets by the job's own hash: stable, and spread (tablestore-oss.md 5).
    hints: dict[str, Value | None] = {"due_at": due, "due_bucket": None if due is None else key[0]}
    return {**change, **hints, **attention.columns(key, columns, change)}


def first_sight(key: str, now: int, by: str) -> dict[str, Value]:
    """Write who saw a job first and when; it never changes.

    Day and kind follow one hex digit: a date as an index's first column would put all of today into one
    range.
    """
    day = datetime.fromtimestamp(now / 1000, timezone.utc).date().isoformat()
    return {
        "seen_day": f"{key[0]}.{day}",
        "seen_kind": seen_kind(key),
        "first_seen_at": now,
        "first_seen_by": by,
    }


def seen_kind(key: str) -> str:
    """Give the partition of `jobs_by_kind` that a job stands in."""
    return f"{key[0]}.{kind_of(key)}"


def effect_columns(effects: Iterable[Effect]) -> dict[str, Value | None]:
    """Write the set of effects, and when its next one is due."""
    kept = sorted(set(effects))
    if not kept:
        return {"effects": None, "effects_at": None}
    text = json.dumps([members(effect) for effect in kept], separators=(",", ":"))
    return {"effects": text, "effects_at": min(effect.next_at for effect in kept)}


def hold_column(hold: Hold | None) -> str | None:
    """Write a hold; None where there is none."""
    return None if hold is None else json.dumps(members(hold), ensure_ascii=False, separators=(",", ":"))


def parts_column(parts: Iterable[StoredPart]) -> str:
    """Write where the raw parts lie."""
    return json.dumps([members(part) for part in parts], separators=(",", ":"))


def _listed(columns: Row, name: str) -> list[dict[str, Any]]:
    text = columns.get(name)
    entries = json.loads(text) if isinstance(text, str) else []
    if not isinstance(entries, list):
        raise TypeError(f"{name} is no list")
    return entries


def _effect(one: Mapping[str, object]) -> Effect:
    match one:
        case {
            "name": str(name),
            "digest": str(digest),
            "attempts": int(attempts),
            "next_at": int(next_at),
            **more,
        }:
            return Effect(name, digest, attempts, next_at, unknown_members(more))
    raise TypeError("not an effect")


def _stored_part(one: Mapping[str, object]) -> StoredPart:
    match one:
        case {"name": str(name), "format": "json" | "xml" | "txt" as form, "key": str(key), **more}:
            return StoredPart(name, form, key, unknown_members(more))
    raise TypeError("not a stored part")


def _hold(text: Value | None) -> Hold | None:
    match None if text is None else json.loads(str(text)):
        case None:
            return None
        case {
            "status": "copying" | "held" | "releasing" as status,
            "by": str(by),
            "reason": str(reason),
            "at": int(at),
            "digest": str(digest),
            **more,
        }:
            return Hold(status, by, reason, at, digest, unknown_members(more))
    raise TypeError("not a hold")


def _unchanged(name: str, value: Value | None) -> When:
    if value is None:
        return When(name, "==", _NEVER[JOBS.columns[name]], missing_passes=True)
    return When(name, "==", value)
