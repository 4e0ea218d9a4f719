"""Explain one job: what happened to it, in order of time, and what happens next and why.

Times are epoch milliseconds. Texts may quote strangers: whoever shows them escapes them.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared import archive, evidence, evidence_rows, lost_callbacks
from shared.delivery.outbox import Delivery, Undelivered, heads
from shared.evidence import EvidenceRow
from shared.job_row import Effect, JobRow
from shared.jobs import State
from shared.policy import Policy
from shared.ports import Services
from shared.tables import INBOX, Row
from shared.toolkit.masking import Masker

_DELIVERY = ("transport", "received_at", "event_type", "claimed", "reason")
_PAGE = 1_000

_EFFECTS = {
    "record": "the current record is written under records/",
    "verify": "it is looked whether records/ still holds the current record; if not, that is written again",
    evidence.EFFECT: "archive is invoked: is all evidence kept or lost, and the manifest right?",
    "callback": "it is looked whether a callback has come; if not, it counts as lost",
}


@dataclass(frozen=True)
class Happening:
    """Something that happened, or will; `at` is None for what waits for a person."""

    at: int | None
    what: str


@dataclass(frozen=True)
class Explanation:
    """A job's history and future. `deliveries` are inbox rows, the earliest first."""

    row: JobRow
    history: tuple[Happening, ...]
    deliveries: tuple[Row, ...]
    next: tuple[Happening, ...]


def explain(services: Services, row: JobRow) -> Explanation:
    """Read what the inbox holds of a job, and tell its story."""
    deliveries = tuple(sorted(_deliveries(services, row.key), key=_received))
    items = tuple(evidence_rows.read_all(services.ledger, row.key).values()) if row.count("evidence") else ()
    to_come = (*what_next(row, services.clock.now(), services.policy), *_evidence_to_come(items))
    return Explanation(
        row,
        history=tuple(_history(row, deliveries, items)),
        deliveries=deliveries,
        next=tuple(sorted(to_come, key=_in_time)),
    )


def what_next(row: JobRow, now: int, policy: Policy) -> Iterator[Happening]:
    """Say what will happen to a job, when, and because of what."""
    lease = row.number("lease_until")
    if row.is_leased(now):
        yield Happening(lease, "somebody is settling it until then; a result ends that earlier")
    elif lease is not None:
        yield Happening(lease, "whoever was settling it has crashed; the next run of the timer takes over")
    at = row.number("query_at")
    if at is not None:
        yield Happening(
            at, f"the vendor is asked{' again' if row.count('queries') else ''}: {_why(row, policy)}"
        )
    for effect in row.effects:
        yield Happening(effect.next_at, _effect(effect))
    for delivery in heads(row.outbox):
        yield Happening(delivery.next_at, _delivery_to_come(delivery))
    job = name_to_type(row)
    for undelivered in row.undelivered:
        yield Happening(None, _never_taken(undelivered, job))
    if row.state is State.QUARANTINED:
        yield Happening(None, f"nothing asks about it until a person has looked: media-ledger release {job}")
    elif row.state is State.UNKNOWN:
        yield Happening(None, f"nothing asks about it until a callback comes, or: media-ledger retry {job}")
    elif at is None and not row.effects and not row.outbox and lease is None:
        yield Happening(None, "nothing: it is finished" if row.state.is_terminal else _stranded(job))


def name_to_type(row: JobRow) -> str:
    """Name a job as a command takes it; by its key, where a shell would read the id as more than a name."""
    name = f"{row.ref.kind}/{row.ref.job_id}"
    return name if shlex.quote(name) == name else row.key


def _stranded(job: str) -> str:
    return f"nothing, which must not be for a job that is not settled: media-ledger retry {job}"


def _why(row: JobRow, policy: Policy) -> str:
    """Give the reason of the next query: the most telling of what the row knows."""
    failures, missing = row.count("failures"), row.number("not_found_since")
    if row.state.is_terminal:
        return "once more after settling, to confirm, or because a callback says otherwise"
    if missing is not None:
        minutes = policy.not_found_grace // 60_000
        return (
            f"it did not know the job, which may pass; after {minutes} minutes of that it counts as unknown"
        )
    if failures:
        return f"asking failed {failures} times in a row"
    if row.number("incomplete_since") is not None:
        hours = policy.incomplete_for // 3_600_000
        return f"it has finished, but its answer has no result yet; that is waited for {hours} hours"
    if not row.count("queries"):
        return "it was not asked yet"
    if row.count("polls"):
        return f"it was not finished when it was asked last ({row.text('vendor_status') or 'no status'})"
    return "somebody wants it looked at"


def _effect(effect: Effect) -> str:
    what = _EFFECTS.get(effect.name, f"the effect {effect.name} is done")
    return f"{what}; it failed {effect.attempts} times" if effect.attempts else what


def _delivery_to_come(delivery: Delivery) -> str:
    what = f"version {delivery.version} is delivered to {delivery.target}"
    if not delivery.attempts:
        return what
    last = delivery.last or "the last attempt has not ended with a word yet"
    return Masker().text(f"{what}, after {delivery.attempts} attempts; {last}")


def _never_taken(one: Undelivered, job: str) -> str:
    return Masker().text(
        f"{one.target} never took version {one.version}, in {one.attempts} attempts: {one.reason};"
        f" media-ledger redeliver --job {job}"
    )


def _evidence_to_come(items: Sequence[EvidenceRow]) -> Iterator[Happening]:
    pending = [one for one in items if one.due_at is not None]
    if pending:
        first = min(pending, key=lambda one: one.due_at or 0)
        failed = f"; the first failed {first.attempts} times: {first.reason}" if first.attempts else ""
        yield Happening(first.due_at, f"{len(pending)} of {len(items)} pictures are to be kept{failed}")


def _evidence_so_far(items: Sequence[EvidenceRow]) -> Iterator[Happening]:
    for status in ("kept", "lost"):
        ended = [one for one in items if one.status == status]
        if ended:
            last = max(ended, key=lambda one: one.ended_at or 0)
            why = f", the last because of {last.reason}" if last.reason else ""
            yield Happening(last.ended_at, f"{len(ended)} of {len(items)} pictures {status} by then{why}")


def _history(row: JobRow, deliveries: tuple[Row, ...], items: Sequence[EvidenceRow]) -> list[Happening]:
    found = [Happening(row.number("first_seen_at"), f"first seen by {row.text('first_seen_by') or 'nobody'}")]
    found += [Happening(_received(one), _delivery(one)) for one in deliveries]
    since = {
        "not_found_since": "the vendor said that it does not know the job, and has not said else since",
        "incomplete_since": "the vendor said that it has finished, without a result",
    }
    found += [
        Happening(row.number(name), what) for name, what in since.items() if row.number(name) is not None
    ]
    settled_at = row.number("settled_at")
    if settled_at is not None:
        by = row.text("settled_by")
        verdict = row.text("suggestion")
        what = f"settled as {row.state.value}" + (f" with {verdict}" if verdict else "")
        found.append(Happening(settled_at, what + (f", by the {by}" if by else "")))
    found += _checked(row)
    found += _evidence_so_far(items)
    if row.count("drifts"):
        times = row.count("drifts")
        last = row.text("drift") or "nobody said what"
        found.append(Happening(row.number("drift_at"), f"a later word differed, {times} times; last: {last}"))
    if row.state in (State.QUARANTINED, State.UNKNOWN):
        found.append(
            Happening(row.number("updated_at"), f"{row.state.value}: {row.text('reason') or 'no reason'}")
        )
    return sorted((Happening(one.at, Masker().text(one.what)) for one in found), key=_in_time)


def _checked(row: JobRow) -> Iterator[Happening]:
    """Tell what came of looking once more at a settled job."""
    checked_at, version = row.number("checked_at"), row.count("version")
    if checked_at is not None:
        differs = row.number("drift_at") == checked_at
        said = "something differed" if differs else "the record is what it says"
        yield Happening(
            checked_at,
            f"the vendor was asked again, {row.count('queries')} times in all: {said}"
            + (f", as version {version}" if version > 1 else ""),
        )
    if row.number("lost_callback") is not None:
        came_late = row.number("lost_callback") == lost_callbacks.LATE
        what = "it counted as lost, and came late" if came_late else "it counts as lost"
        yield Happening(row.number("lost_at"), f"no callback had come: {what}")


def _in_time(one: Happening) -> tuple[bool, int]:
    return one.at is None, one.at or 0


def kept_at(row: JobRow) -> tuple[str, ...]:
    """Name the objects of a job: its raw answers, then the version that the row points at."""
    digest = row.text("digest")
    version = () if digest is None else (archive.version_key(row.ref, digest),)
    return (*(part.key for part in row.raw_parts), *version)


def _delivery(row: Row) -> str:
    said = {name: value for name, value in row.items() if isinstance(value, str)}
    parts = [
        f"delivered by {said.get('transport', '?')}: {said.get('event_type', 'no event type')}",
        f"it claims {said['claimed']}" if "claimed" in said else "",
        said.get("reason", ""),
    ]
    return ", ".join(filter(None, parts))


def _deliveries(services: Services, key: str) -> Iterator[Row]:
    after: Row | None = None
    while True:
        page = services.ledger.under(INBOX, key, columns=_DELIVERY, limit=_PAGE, after=after)
        yield from page.rows
        after = page.after
        if after is None:
            return


def _received(row: Row) -> int:
    at = row.get("received_at")
    return at if isinstance(at, int) else 0
