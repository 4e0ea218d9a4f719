"""What is still to be told, in the job's own row: one entry for each record version and target. Pure.

A commit adds entries and never drops one. An entry leaves when its target has taken the version, or did not
for so long that the version counts as undelivered, which the row then says. A target gets the versions of a
job in their order: an entry waits until those of older versions have left.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from shared.entries import members, unknown_members
from shared.tables import Value


@dataclass(frozen=True)
class Delivery:
    """A version that a target has not taken yet: `attempts` were begun, the next one is due at `next_at`.

    `settled_at` is when the version was settled; `since` is when it was to be told, then when somebody first
    came to it: from there on a target has its time. `last` says why it is still here.
    """

    target: str
    version: int
    digest: str
    raw_keys: tuple[str, ...]
    settled_at: int
    since: int
    next_at: int
    attempts: int = 0
    last: str = ""
    more: str = ""

    def delivery_id(self, job_key: str) -> str:
        """Name it: the same for each attempt, another one when the version is delivered again."""
        name = "\0".join((job_key, self.target, self.digest, str(self.since)))
        return hashlib.sha256(name.encode()).hexdigest()[:32]

    def met(self, now: int) -> Delivery:
        """Give it as somebody comes to it: nothing that kept us from coming sooner is the target's fault.

        A clock that was ahead of ours then gives it no more time than others have.
        """
        is_new = not self.attempts and not self.last
        return replace(self, since=now if is_new else min(self.since, now))

    def begun(self, now: int, until: int) -> Delivery:
        """Give it with one more attempt: due again at `until`, when that has ended without a word."""
        return replace(self.met(now), attempts=self.attempts + 1, next_at=until, last="")

    def put_off(self, until: int, reason: str) -> Delivery:
        """Give it as it is after an attempt that failed."""
        return replace(self, next_at=until, last=reason)

    def given_up(self, reason: str) -> Undelivered:
        """Say for good that the target did not take it."""
        return Undelivered(self.target, self.version, self.digest, self.since, self.attempts, reason)

    @property
    def was_abandoned(self) -> bool:
        """Tell whether the last attempt ended without a word, if it has ended."""
        return self.attempts > 0 and not self.last


@dataclass(frozen=True)
class Undelivered:
    """A version that a target never took."""

    target: str
    version: int
    digest: str
    since: int
    attempts: int
    reason: str
    more: str = ""


def heads(outbox: Iterable[Delivery]) -> tuple[Delivery, ...]:
    """Give the oldest version of each target: the others wait for it."""
    oldest: dict[str, Delivery] = {}
    for delivery in sorted(outbox, key=_place):
        oldest.setdefault(delivery.target, delivery)
    return tuple(oldest.values())


def due(outbox: Iterable[Delivery], now: int) -> tuple[Delivery, ...]:
    """Give what is to be sent by now."""
    return tuple(delivery for delivery in heads(outbox) if delivery.next_at <= now)


def with_entries(outbox: Iterable[Delivery], new: Iterable[Delivery]) -> tuple[Delivery, ...]:
    """Add entries; one of the same version and target is replaced."""
    entries = {_place(delivery): delivery for delivery in (*outbox, *new)}
    return tuple(entries[place] for place in sorted(entries))


def exchanged(
    outbox: Iterable[Delivery],
    undelivered: Iterable[Undelivered],
    old: Delivery,
    new: Delivery | Undelivered | None,
) -> dict[str, Value | None]:
    """Write an outbox in which an entry became another one, or an undelivered version; None: it was taken.

    Who has taken a version is owed no older one.
    """
    kept = tuple(entry for entry in outbox if entry != old)
    if isinstance(new, Delivery):
        return outbox_columns(with_entries(kept, [new]))
    others = [one for one in undelivered if one.target != old.target]
    its = [one for one in undelivered if one.target == old.target]
    if new is None:
        its = [one for one in its if one.version > old.version]
    else:
        its = [*(one for one in its if one.version != old.version), new]
    return {**outbox_columns(kept), "undelivered": _text(sorted([*others, *its], key=_place))}


def outbox_columns(outbox: Iterable[Delivery]) -> dict[str, Value | None]:
    """Write the outbox, and when the next entry is due."""
    entries = sorted(outbox, key=_place)
    return {
        "outbox": _text(entries),
        "deliver_at": min((delivery.next_at for delivery in heads(entries)), default=None),
    }


def read_outbox(entries: Iterable[Mapping[str, Any]]) -> tuple[Delivery, ...]:
    """Read the entries of an outbox; raise `TypeError` for what is none."""
    return tuple(_delivery(entry) for entry in entries)


def read_undelivered(entries: Iterable[Mapping[str, Any]]) -> tuple[Undelivered, ...]:
    """Read what was never taken; raise `TypeError` for what is no such entry."""
    return tuple(_undelivered(entry) for entry in entries)


def _delivery(entry: Mapping[str, Any]) -> Delivery:
    match entry:
        case {
            "target": str(target),
            "version": int(version),
            "digest": str(digest),
            "raw_keys": [*raw_keys],
            "settled_at": int(settled_at),
            "since": int(since),
            "next_at": int(next_at),
            "attempts": int(attempts),
            "last": str(last),
            **more,
        } if all(isinstance(key, str) for key in raw_keys):
            return Delivery(
                target,
                version,
                digest,
                tuple(raw_keys),
                settled_at,
                since,
                next_at,
                attempts,
                last,
                unknown_members(more),
            )
    raise TypeError("not an entry of an outbox")


def _undelivered(entry: Mapping[str, Any]) -> Undelivered:
    match entry:
        case {
            "target": str(target),
            "version": int(version),
            "digest": str(digest),
            "since": int(since),
            "attempts": int(attempts),
            "reason": str(reason),
            **more,
        }:
            told = unknown_members(more)
            return Undelivered(target, version, digest, since, attempts, reason, told)
    raise TypeError("not an undelivered version")


def _place(entry: Delivery | Undelivered) -> tuple[str, int]:
    return entry.target, entry.version


def _text(entries: list[Delivery] | list[Undelivered]) -> str | None:
    if not entries:
        return None
    return json.dumps([members(entry) for entry in entries], separators=(",", ":"))
