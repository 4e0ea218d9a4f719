"""The right to change a row for a while, and the one fence between those who had it: a lease with a token.

A lease is four columns of a row that may hold anything else: `token`, which only grows; `holder`, a name
that nobody else has; `lease_until` in epoch milliseconds; `crashes`, how many holders in a row let their
lease lapse without a word.

    claim            token and holder are the ones that were read, the lease is missing or past;
                     writes token + 1, holder, the lease's end
    renew, finish    token and holder are mine; a missing one is not

So whoever lost a lease changes nothing, however late it comes. Each is one conditional write, in which
the caller's own columns and conditions ride along.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from shared.toolkit.errors import TemporaryError
from shared.toolkit.lease_store import Change, LeaseStore, OutcomeUnknownError, Row, Value, When, changed

T = TypeVar("T")

ATTEMPTS = 10
"""How often a write is decided anew by default before `ContendedError`."""

# A store may not be able to ask whether a column is missing. All can ask for a value that no holder ever
# has, and let a missing column pass.
_NO_HOLDER = "\x00"


class ContendedError(TemporaryError):
    """A row changed under every one of several attempts."""


class Lease(NamedTuple):
    """A held claim, and the row as it was right after it."""

    key: str
    holder: str
    token: int
    row: Row

    @property
    def until(self) -> int:
        """Tell when the lease lapses."""
        return number(self.row, "lease_until")

    def is_held_in(self, row: Row | None) -> bool:
        """Tell whether the row still is this holder's."""
        return row is not None and (row.get("token"), row.get("holder")) == (self.token, self.holder)


Complete = Callable[[Row, Change], Change]
"""Adds to a change what follows from it and from the row before it."""


def as_it_is(row: Row, change: Change) -> Change:
    """Add nothing to a change."""
    return change


def watch_nothing(row: Row) -> Sequence[When]:
    """Let every other column change while the lease ends."""
    return ()


def number(row: Row, column: str) -> int:
    """Give an integer column; 0 where the row has none."""
    value = row.get(column)
    return value if isinstance(value, int) else 0


def claim_columns(row: Row, holder: str, *, until: int) -> dict[str, Value | None]:
    """Write a claim. A holder that is still there let its lease lapse: it crashed."""
    columns: dict[str, Value | None] = {
        "token": number(row, "token") + 1,
        "holder": holder,
        "lease_until": until,
    }
    if "holder" in row:
        columns["crashes"] = number(row, "crashes") + 1
    return columns


def claim_when(row: Row, now: int) -> list[When]:
    """Give the conditions of a claim; the lease is the one fence where missing passes.

    Ending a lease leaves the token as it is. So the holder as read tells whether one that had lapsed
    was ended after all: then the row that was read is of the past, and nothing may rest on it.
    """
    holder = row.get("holder")
    return [
        When("token", "==", number(row, "token")),
        When("holder", "==", _NO_HOLDER if holder is None else holder, missing_passes=holder is None),
        When("lease_until", "<=", now, missing_passes=True),
    ]


def claim(
    store: LeaseStore,
    key: str,
    row: Row | None,
    *,
    holder: str,
    now: int,
    until: int,
    change: Change | None = None,
    when: Sequence[When] = (),
    complete: Complete = as_it_is,
) -> Lease | None:
    """Claim a row as it was read, or make it where there was none; None when somebody else won.

    A row that was made by other means needs a `token`, 0. `change` and `when` are the caller's own, in
    the same write. `holder` must be a name that nobody ever had.
    """
    before: Row = {} if row is None else row
    plan = complete(before, {**(change or {}), **claim_columns(before, holder, until=until)})
    after = changed(before, plan)
    won = (
        insert(store, key, after) if row is None else write(store, key, plan, [*claim_when(row, now), *when])
    )
    return Lease(key, holder, number(after, "token"), after) if won else None


def write(store: LeaseStore, key: str, change: Change, when: Sequence[When]) -> bool:
    """Write conditionally; after an ambiguous timeout, recognise the own claim by its holder.

    A change that claims nothing cannot be recognised: `OutcomeUnknownError` is raised on.
    """
    try:
        return store.update(key, change, when)
    except OutcomeUnknownError:
        row = store.get(key) if change.get("holder") is not None else None
        if row is None:
            raise
        return _is_claimed_by(row, change)


def insert(store: LeaseStore, key: str, row: Row) -> bool:
    """Put a claimed row if absent; after an ambiguous timeout, recognise it by its holder."""
    try:
        return store.insert(key, row)
    except OutcomeUnknownError:
        there = store.get(key)
        if there is None:
            raise
        return _is_claimed_by(there, row)


def renew(store: LeaseStore, lease: Lease, *, until: int, complete: Complete = as_it_is) -> Lease | None:
    """Have a held lease end at another time; None when it was lost. It may have lapsed, if nobody took it."""
    change = complete(lease.row, {"lease_until": until})
    try:
        held = store.update(lease.key, change, _is_mine(lease))
    except OutcomeUnknownError:
        row = store.get(lease.key)
        held = lease.is_held_in(row)
        if held and row is not None and number(row, "lease_until") != until:
            raise
    return Lease(lease.key, lease.holder, lease.token, changed(lease.row, change)) if held else None


def finish(
    store: LeaseStore,
    lease: Lease,
    decide: Callable[[Row], tuple[Change, T]],
    *,
    watching: Callable[[Row], Sequence[When]] = watch_nothing,
    complete: Complete = as_it_is,
    attempts: int = ATTEMPTS,
) -> tuple[Row, T] | None:
    """End a lease with what `decide` makes of the row; None when the lease was lost before.

    Give the row as it is then, beside what `decide` said. `decide` is pure. `watching` gives the
    conditions that columns which others write under the lease are as read: when they are not, `decide` is
    asked again with the row as it is. Raise `ContendedError` when that went on for too long, and
    `OutcomeUnknownError` when a timeout hid whether this end came before the next holder's claim.
    """
    row = lease.row
    for _ in range(attempts):
        change, value = decide(row)
        ended = complete(row, {**change, "holder": None, "lease_until": None, "crashes": None})
        # The holder too: after an ambiguous timeout, an end that did happen does not happen twice.
        if _end(store, lease, ended, [*_is_mine(lease), *watching(row)]):
            return changed(row, ended), value
        fresh = store.get(lease.key)
        if fresh is None or not lease.is_held_in(fresh):
            return None
        row = fresh
    raise ContendedError("the row changed under every attempt to end its lease", key=lease.key)


def _end(store: LeaseStore, lease: Lease, change: Change, when: Sequence[When]) -> bool:
    try:
        return store.update(lease.key, change, when)
    except OutcomeUnknownError:
        row = store.get(lease.key)
        if lease.is_held_in(row):
            return False
        # Nobody but the holder ends a lease without a new token: gone with my token means that I did. With
        # another token, nobody can tell whether the next holder came before or after.
        if row is not None and row.get("token") == lease.token and "holder" not in row:
            return True
        raise


def _is_mine(lease: Lease) -> list[When]:
    return [When("token", "==", lease.token), When("holder", "==", lease.holder)]


def _is_claimed_by(row: Row, claimed: Change) -> bool:
    return row.get("holder") == claimed["holder"] and row.get("token") == claimed["token"]
