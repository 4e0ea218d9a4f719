"""Announce jobs to the ledger: from then on a callback that never comes is noticed.

The row itself makes this idempotent: it is put if absent, and a row that says all of it already is not
written again. Nobody is asked and nothing is claimed here; the timer asks when the job should have ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from functools import partial

from shared.announcements import Announcement, Item, Refusal
from shared.answers import with_effects
from shared.errors import (
    ContendedError,
    NoTimeLeftError,
    OutcomeUnknownError,
    PermanentError,
    StoreUnavailableError,
    TemporaryError,
)
from shared.job_row import Effect, JobRow, first_sight, read_job, with_hints
from shared.jobs import State
from shared.marks import AFRESH
from shared.ports import Change, Done, Services, When
from shared.tables import JOBS, Row, Value

_LISTED = 1_000

BY = "track"
"""Who saw a job first that was announced, in its row."""


class Outcome(str, Enum):
    """What became of one item."""

    ANNOUNCED = "announced"
    COMPLETED = "completed"
    """The ledger knew the job, and knows more of it now, or better."""
    KNOWN = "known"
    """The ledger knew all of it."""
    REFUSED = "refused"
    """It is wrong; announcing it again changes nothing."""
    NOT_STORED = "not_stored"
    """To be announced again: the ledger did not answer, or time ran out."""


FAILED = (Outcome.REFUSED, Outcome.NOT_STORED)
"""The outcomes that leave a job out of the ledger."""


@dataclass(frozen=True)
class Receipt:
    """What became of one item. `name` is what it calls itself, `job` its key in the ledger."""

    outcome: Outcome
    name: str
    job: str | None = None
    reason: str | None = None


def announce(services: Services, items: Sequence[Item]) -> list[Receipt]:
    """Announce jobs that were submitted, and give what became of each item, in order.

    Nothing is raised for an item that is wrong or could not be stored: its neighbours are announced.
    """
    size = services.ledger.BATCH_LIMIT
    batches = [items[start : start + size] for start in range(0, len(items), size)]
    return [receipt for batch in batches for receipt in _announce(services, batch)]


def counts(receipts: Iterable[Receipt]) -> dict[str, int]:
    """Count receipts by outcome, also those that did not happen."""
    counted = Counter(receipt.outcome for receipt in receipts)
    return {outcome.value: counted[outcome] for outcome in Outcome}


def report(receipts: Sequence[Receipt]) -> dict[str, object]:
    """Give the counts and each receipt with its position from 1, ready for JSON.

    Of more than a thousand, only those that were refused or not stored.
    """
    wanted = FAILED if len(receipts) > _LISTED else tuple(Outcome)
    items = [
        {"item": position, **{name: value for name, value in asdict(receipt).items() if value is not None}}
        for position, receipt in enumerate(receipts, start=1)
        if receipt.outcome in wanted
    ]
    return {**counts(receipts), "items": items}


def _announce(services: Services, batch: Sequence[Item]) -> list[Receipt]:
    items = [_of_known_kind(services, item) for item in batch]
    puts = _put(services, items)
    receipts: dict[int, Receipt] = {}
    known: dict[int, Announcement] = {}
    for at, item in enumerate(items):
        put = puts.get(at, Done(value=False))
        if isinstance(item, Refusal):
            receipts[at] = Receipt(Outcome.REFUSED, item.name, reason=item.reason)
        elif put.value:
            receipts[at] = _receipt(item, Outcome.ANNOUNCED)
        elif put.error is None or isinstance(put.error, OutcomeUnknownError):
            known[at] = item
        else:
            receipts[at] = _failed(item, put.error)
    done = services.parallel.run([partial(_complete, services, item) for item in known.values()])
    for (at, item), one in zip(known.items(), done, strict=True):
        receipts[at] = _failed(item, one.error) if one.error else _receipt(item, one.result())
    return [receipts[at] for at in range(len(items))]


def _of_known_kind(services: Services, item: Item) -> Item:
    if isinstance(item, Refusal) or item.ref.kind in services.kinds:
        return item
    known = ", ".join(services.kinds)
    return Refusal(_name(item), f"kind: known are {known}")


def _put(services: Services, items: Sequence[Item]) -> dict[int, Done[bool]]:
    """Put the row of each job that is not there yet; an item that repeats a job of this batch is left out."""
    now = services.clock.now()
    if now >= services.deadline:
        late = NoTimeLeftError("no time left to announce it")
        return {at: Done(error=late) for at in range(len(items))}
    first: dict[str, tuple[int, Announcement]] = {}
    for at, item in enumerate(items):
        if isinstance(item, Announcement):
            first.setdefault(item.ref.key, (at, item))
    expected = services.policy.expected
    rows = [((key,), first_row(item, now=now, expected=expected)) for key, (_, item) in first.items()]
    try:
        outcomes = services.ledger.insert_many(JOBS, rows)
    except StoreUnavailableError as error:
        outcomes = [Done(error=error)] * len(rows)
    return {at: outcome for (at, _), outcome in zip(first.values(), outcomes, strict=True)}


def first_row(item: Announcement, *, now: int, expected: int) -> Row:
    """Write the row of a job that nobody has seen: open, unclaimed, due when it should have ended."""
    key = item.ref.key
    wait = expected if item.expected is None else item.expected
    submitted = now if item.submitted_at is None else min(item.submitted_at, now)
    columns: dict[str, Value | None] = {
        "state": State.TRACKED.value,
        "token": 0,  # a claim needs one to be there
        "query_at": max(submitted + wait, now),
        "wanted": 0,
        "notified": 0,
        **first_sight(key, now, BY),
        **_said(item),
        "updated_at": now,
    }
    return {n: v for n, v in with_hints(key, {}, columns).items() if v is not None}


def plan(row: JobRow, item: Announcement, *, now: int) -> tuple[Change, list[When]]:
    """Decide what an announcement does to a known job; an empty change if the row says all of it.

    Who submitted a job knows where it is and writes: that goes before what a notification let guess.
    """
    said = _said(item) | ({"vouched_by": BY} if row.is_hearsay else {})
    new = {name: value for name, value in said.items() if value != row.text(name)}
    if not new:
        return {}, []
    when = row.as_read("state", "not_found_since", *new)
    if not _was_sought_elsewhere(row, new):
        completed: Change = {**new, "updated_at": now}
        digest = row.text("digest")
        if "media_id" not in new or digest is None:
            return completed, when
        # It was made known without its media. What is settled stays so; `effects_at` follows from `effects`.
        again = with_effects(row, [Effect("record", digest, 0, now)])
        when = row.as_read("token", "effects", "lease_until", "query_at", "deliver_at", *new)
        return with_hints(row.key, row.columns, {**completed, **again}), when
    # A mark: whoever is asking the vendor right now shall not conclude from the old place.
    mark: dict[str, Value | None] = {
        "wanted": row.count("wanted") + 1,
        "query_at": now,
        "updated_at": now,
        **AFRESH,
    }
    if row.state is State.UNKNOWN:
        mark |= {"state": State.TRACKED.value, "reason": None}
    # Of what is due when, only the lease: nothing but this query waits where nothing is settled.
    when += row.as_read("wanted", "token", "lease_until")
    return with_hints(row.key, row.columns, {**new, **mark}), when


def _was_sought_elsewhere(row: JobRow, new: Change) -> bool:
    """Tell whether the vendor did not find the job where it was asked before."""
    is_open = row.state in (State.TRACKED, State.RUNNING)
    not_found = row.state is State.UNKNOWN or (is_open and row.number("not_found_since") is not None)
    return not_found and not new.keys().isdisjoint(("region", "user_id"))


def _said(item: Announcement) -> dict[str, str]:
    said = {name: getattr(item, name) for name in ("region", "user_id", "output", "media_id")}
    return {name: value for name, value in said.items() if value is not None}


def _complete(services: Services, item: Announcement) -> Outcome:
    """Let the row of a known job say what the submit side knows."""
    written = Outcome.KNOWN
    for _ in range(services.policy.contention):
        row = read_job(services.ledger, item.ref.key)
        if row is None:
            raise OutcomeUnknownError("nobody knows whether its row was put", job=item.ref.key)
        change, when = plan(row, item, now=services.clock.now())
        if not change:
            return written
        try:
            if services.ledger.update(JOBS, (row.key,), change, when):
                return Outcome.COMPLETED
        except OutcomeUnknownError:
            written = Outcome.COMPLETED  # if the row says so now, whoever wrote it
    raise ContendedError("the row changed under every attempt to complete it", job=item.ref.key)


def _receipt(item: Announcement, outcome: Outcome) -> Receipt:
    return Receipt(outcome, _name(item), item.ref.key)


def _failed(item: Announcement, error: Exception) -> Receipt:
    """Give the receipt of a failure that is the item's own; raise what is about us, or a defect."""
    if isinstance(error, TemporaryError):
        return Receipt(Outcome.NOT_STORED, _name(item), item.ref.key, str(error))
    if isinstance(error, (PermanentError, ValueError)):
        return Receipt(Outcome.REFUSED, _name(item), item.ref.key, str(error))
    raise error


def _name(item: Announcement) -> str:
    return f"{item.ref.kind}/{item.ref.job_id}"
