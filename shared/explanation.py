"""Explain one job: what happened to it, in order of time, and what happens next and why.

Times are epoch milliseconds.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from shared import archive, evidence_rows, lost_callbacks
from shared.delivery.outbox import Delivery, Undelivered, heads
from shared.evidence import EvidenceRow
from shared.job_row import Effect, JobRow
from shared.jobs import State
from shared.policy import Policy
from shared.ports import Services
from shared.story_words import PHRASES
from shared.tables import INBOX, Row
from shared.toolkit.masking import Masker

_DELIVERY = ("transport", "received_at", "event_type", "claimed", "reason")
_PAGE = 1_000

Part = tuple[str, Mapping[str, object]]
"""A phrase of `story_words` by its name, and its values."""


@dataclass(frozen=True)
class Happening:
    """Something that happened, or will; `at` is None for what waits for a person.

    Values may quote strangers.
    """

    at: int | None
    parts: tuple[Part, ...]

    @property
    def what(self) -> str:
        """Tell it in English, without secrets."""
        told = (PHRASES[f"story.{name}"].format(**values) for name, values in self.parts)
        return Masker().text("".join(told))


@dataclass(frozen=True)
class Explanation:
    """A job's history and future; its `deliveries` are rows of the inbox, the earliest first."""

    row: JobRow
    history: tuple[Happening, ...]
    deliveries: tuple[Row, ...]
    evidence: tuple[EvidenceRow, ...]
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
        evidence=items,
        next=tuple(sorted(to_come, key=_in_time)),
    )


def what_next(row: JobRow, now: int, policy: Policy) -> Iterator[Happening]:
    """Say what will happen to a job, when, and because of what."""
    lease = row.number("lease_until")
    if row.is_leased(now):
        yield _happens(lease, _say("leased"))
    elif lease is not None:
        yield _happens(lease, _say("crashed"))
    at = row.number("query_at")
    if at is not None:
        yield _happens(at, _say("ask_again" if row.count("queries") else "ask"), _why(row, policy))
    for effect in row.effects:
        yield _happens(effect.next_at, *_effect(effect))
    for delivery in heads(row.outbox):
        yield _happens(delivery.next_at, *_delivery_to_come(delivery))
    job = name_to_type(row)
    for undelivered in row.undelivered:
        yield _happens(None, _never_taken(undelivered, job))
    if row.state is State.QUARANTINED:
        yield _happens(None, _say("until_released", job=job))
    elif row.state is State.UNKNOWN:
        yield _happens(None, _say("until_retried", job=job))
    elif at is None and not row.effects and not row.outbox and lease is None:
        yield _happens(None, _say("finished") if row.state.is_terminal else _say("stranded", job=job))


def name_to_type(row: JobRow) -> str:
    """Name a job as a command takes it; by its key, where a shell would read the id as more than a name."""
    name = f"{row.ref.kind}/{row.ref.job_id}"
    return name if shlex.quote(name) == name else row.key


def _say(name: str, /, **values: object) -> Part:
    return name, values


def _happens(at: int | None, *parts: Part) -> Happening:
    return Happening(at, parts)


def _why(row: JobRow, policy: Policy) -> Part:
    """Give the reason of the next query: the most telling of what the row knows."""
    if row.state.is_terminal:
        return _say("to_confirm")
    if row.number("not_found_since") is not None:
        return _say("may_pass", minutes=policy.not_found_grace // 60_000)
    if row.count("failures"):
        return _say("asking_failed", count=row.count("failures"))
    if row.number("incomplete_since") is not None:
        return _say("waited_for", hours=policy.incomplete_for // 3_600_000)
    if not row.count("queries"):
        return _say("not_asked")
    if row.count("polls"):
        return _say("not_finished", status=row.text("vendor_status") or "no status")
    return _say("wanted")


def _effect(effect: Effect) -> Iterator[Part]:
    known = f"effect_{effect.name}"
    yield _say(known) if f"story.{known}" in PHRASES else _say("effect", name=effect.name)
    if effect.attempts:
        yield _say("failed", attempts=effect.attempts)


def _delivery_to_come(delivery: Delivery) -> Iterator[Part]:
    yield _say("to_deliver", version=delivery.version, target=delivery.target)
    if delivery.attempts and delivery.last:
        yield _say("after", attempts=delivery.attempts, last=delivery.last)
    elif delivery.attempts:
        yield _say("after_no_word", attempts=delivery.attempts)


def _never_taken(one: Undelivered, job: str) -> Part:
    return _say(
        "never_took",
        target=one.target,
        version=one.version,
        attempts=one.attempts,
        reason=one.reason,
        job=job,
    )


def _evidence_to_come(items: Sequence[EvidenceRow]) -> Iterator[Happening]:
    pending = [one for one in items if one.due_at is not None]
    if not pending:
        return
    first = min(pending, key=lambda one: one.due_at or 0)
    parts = [_say("to_keep", count=len(pending), all=len(items))]
    if first.attempts:
        parts.append(_say("first_failed", attempts=first.attempts, reason=first.reason))
    yield _happens(first.due_at, *parts)


def _evidence_so_far(items: Sequence[EvidenceRow]) -> Iterator[Happening]:
    for status in ("kept", "lost"):
        ended = [one for one in items if one.status == status]
        if ended:
            last = max(ended, key=lambda one: one.ended_at or 0)
            parts = [_say(status, count=len(ended), all=len(items))]
            if last.reason:
                parts.append(_say("last_because", reason=last.reason))
            yield _happens(last.ended_at, *parts)


def _history(row: JobRow, deliveries: tuple[Row, ...], items: Sequence[EvidenceRow]) -> list[Happening]:
    found = [
        _happens(row.number("first_seen_at"), _say("seen", by=row.text("first_seen_by") or "nobody")),
        *(_happens(_received(one), *_delivery(one)) for one in deliveries),
        *_said_since(row),
        *_settled(row),
        *_checked(row),
        *_evidence_so_far(items),
    ]
    if row.count("drifts"):
        last = row.text("drift") or "nobody said what"
        found.append(_happens(row.number("drift_at"), _say("drifted", count=row.count("drifts"), last=last)))
    if row.state in (State.QUARANTINED, State.UNKNOWN):
        reason = row.text("reason") or "no reason"
        found.append(_happens(row.number("updated_at"), _say(row.state.value, reason=reason)))
    return sorted(found, key=_in_time)


def _said_since(row: JobRow) -> Iterator[Happening]:
    for name, what in (("not_found_since", "not_found"), ("incomplete_since", "no_result")):
        if row.number(name) is not None:
            yield _happens(row.number(name), _say(what))


def _settled(row: JobRow) -> Iterator[Happening]:
    settled_at = row.number("settled_at")
    if settled_at is None:
        return
    parts = [_say("settled", state=row.state.value)]
    if row.text("suggestion"):
        parts.append(_say("with", verdict=row.text("suggestion")))
    if row.text("settled_by"):
        parts.append(_say("settled_by", by=row.text("settled_by")))
    yield _happens(settled_at, *parts)


def _checked(row: JobRow) -> Iterator[Happening]:
    """Tell what came of looking once more at a settled job."""
    checked_at, version = row.number("checked_at"), row.count("version")
    if checked_at is not None:
        differs = row.number("drift_at") == checked_at
        parts = [
            _say("asked_again", queries=row.count("queries")),
            _say("differed" if differs else "the_same"),
        ]
        if version > 1:
            parts.append(_say("as_version", version=version))
        yield _happens(checked_at, *parts)
    if row.number("lost_callback") is not None:
        came_late = row.number("lost_callback") == lost_callbacks.LATE
        yield _happens(row.number("lost_at"), _say("callback_late" if came_late else "callback_lost"))


def _in_time(one: Happening) -> tuple[bool, int]:
    return one.at is None, one.at or 0


def kept_at(row: JobRow) -> tuple[str, ...]:
    """Name the objects of a job: its raw answers, then the version that the row points at."""
    digest = row.text("digest")
    version = () if digest is None else (archive.version_key(row.ref, digest),)
    return (*(part.key for part in row.raw_parts), *version)


def _delivery(row: Row) -> Iterator[Part]:
    said = {name: value for name, value in row.items() if isinstance(value, str)}
    yield _say(
        "delivered", transport=said.get("transport", "?"), event=said.get("event_type", "no event type")
    )
    if "claimed" in said:
        yield _say("claims", claimed=said["claimed"])
    if said.get("reason"):
        yield _say("because", reason=said["reason"])


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
