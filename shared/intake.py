"""Take in what a trigger brings: every message is kept, and what names a job marks it.

A delivery may be answered with success only after both the mark and the inbox row: they cannot be one
transaction, so an inbox row that is already there never skips the mark, and a crash between the two
leaves a due job and a redelivery. An error while settling never changes the answer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from shared import archive, settlement
from shared.documents.urls import without_query
from shared.errors import CorruptRowError, ParseError
from shared.inbound.notifications import Notification, SetAside, Unsorted, decide, read
from shared.job_row import read_job
from shared.jobs import JobRef
from shared.marks import Mark, mark, mark_for_others
from shared.ports import Services
from shared.record import digest
from shared.settlement import Outcome
from shared.tables import INBOX, Value, nameless_key
from shared.toolkit.message import Message

LOG = logging.getLogger(__name__)

T = TypeVar("T")

# Tablestore holds 2 MB in a column; MNS sends at most 64 KB (media-jobs.md 2). What is larger is no
# callback, and is quarantined.
MAX_BODY = 1024 * 1024


@dataclass(frozen=True)
class Receipt:
    """What came of one message. `job` is empty when it named none that this ledger keeps.

    `to_deliver` tells whether the job's outbox holds something that is due, `to_archive` whether a new
    version has evidence to be kept, `to_settle` whether somebody else is to settle the job now.
    """

    message_id: str
    was: str
    job: str | None = None
    did: str | None = None
    state: str | None = None
    reason: str | None = None
    notes: str | None = None
    to_deliver: bool = False
    to_archive: bool = False
    to_settle: bool = False


def take_in(services: Services, message: Message, *, settles: bool = True) -> Receipt:
    """Store one message and settle the job that it names; or leave that to somebody else.

    Raise when mark or inbox failed: then the sender must deliver it again.
    """
    try:
        if message.reason is not None:
            raise ParseError(message.reason, layer="trigger")
        if len(message.body) > MAX_BODY:
            raise ParseError("too large for a callback", layer="message", size=len(message.body))
        found = _sorted(services, message, read(message.body))
    except ParseError as error:
        return _quarantine(services, message, error)
    if isinstance(found, SetAside):
        return _set_aside(services, message, found)
    return receive(services, message, found) if settles else note(services, message, found)


def _sorted(
    services: Services, message: Message, found: Notification | SetAside | Unsorted
) -> Notification | SetAside:
    """Decide by what this ledger knows whether a message that does not say so is about a job of ours."""
    if not isinstance(found, Unsorted):
        return found
    policy = services.policy
    told = partial(
        decide,
        found,
        source=message.source,
        sources=policy.quality_sources,
        pipelines=policy.quality_pipelines,
    )
    # Queue or pipeline mostly say it: then no row needs to be read for it.
    by_settings = told(known=False)
    if isinstance(by_settings, Notification):
        return by_settings
    return told(known=_is_known(services, found.ref))


def _is_known(services: Services, ref: JobRef) -> bool:
    try:
        return read_job(services.ledger, ref.key) is not None
    except CorruptRowError:
        return True  # there is a row: `receive` keeps the message and says what is wrong with it


def receive(services: Services, message: Message, notification: Notification) -> Receipt:
    """Mark the job, and store the message beside settling the job.

    What the commit leaves to do is the timer's: the sender waits for nothing that it does not need.
    """
    ref, row = notification.ref, _told_by(notification)
    lease = _marked(services, message, notification, mark)
    tasks: list[Callable[[], Outcome | None]] = [lambda: _store(services, ref.key, message, row)]
    if lease is not None:
        tasks.append(lambda: settlement.settle_claimed(services, lease, by="callback"))
    stored, *settled = services.parallel.run(tasks)
    stored.result()
    outcome = settled[0].result() if settled else None
    if outcome is None:
        return Receipt(message.message_id, "notification", ref.key, "marked")
    return Receipt(
        message.message_id,
        "notification",
        ref.key,
        did=outcome.did,
        state=outcome.state.value,
        notes=outcome.notes,
        to_deliver=outcome.to_deliver,
        to_archive=outcome.to_archive,
    )


def note(services: Services, message: Message, notification: Notification) -> Receipt:
    """Mark the job and store the message; whoever settles the job is for the caller to find."""
    key = notification.ref.key
    to_settle = _marked(services, message, notification, mark_for_others)
    _store(services, key, message, _told_by(notification))
    return Receipt(message.message_id, "notification", key, "marked", to_settle=to_settle)


def _told_by(notification: Notification) -> dict[str, Value | None]:
    claimed = notification.claim.text if notification.claim else None
    return {"event_type": notification.event_type, "claimed": claimed}


def _marked(
    services: Services, message: Message, notification: Notification, mark: Callable[[Services, Mark], T]
) -> T:
    """Mark the job in one of the ways to do so."""
    try:
        return mark(services, _wish(message, notification))
    except CorruptRowError:
        # Delivering it again would not mend the row; what arrived is kept for whoever does.
        _store(services, notification.ref.key, message, _told_by(notification))
        raise


def _wish(message: Message, notification: Notification) -> Mark:
    return Mark(
        notification.ref,
        by=message.transport,
        is_notification=True,
        claim=notification.claim,
        region=notification.region or message.region,
        user_id=notification.user_id or message.account_id,
    )


def _store(services: Services, key: str, message: Message, row: Mapping[str, Value | None]) -> None:
    """Put the inbox row; one that is already there is the same delivery again."""
    columns: dict[str, Value | None] = {
        "transport": message.transport,
        "received_at": services.clock.now(),
        "body": message.body,
        **row,
    }
    services.ledger.insert(
        INBOX, (key, message.message_id), {n: v for n, v in columns.items() if v is not None}
    )


def _quarantine(services: Services, message: Message, error: ParseError) -> Receipt:
    """Keep a delivery that nobody can read, with the reason, where a person finds it."""
    key = archive.quarantine_key(message.body, services.clock.now())
    services.objects.put_new(key, message.body, content_type=archive.BYTES)
    reason = without_query(str(error))  # it may quote a key or a type, which may be anything
    row: dict[str, Value | None] = {"body": None, "body_key": key, "reason": reason}
    _store(services, nameless_key("unreadable", digest(message.body)), message, row)
    LOG.error("unreadable delivery: %s", reason, extra={"message_id": message.message_id})
    return Receipt(message.message_id, "unreadable", reason=reason)


def _set_aside(services: Services, message: Message, found: SetAside) -> Receipt:
    """Keep an event that is not about a job of ours; one of an unknown type is worth a warning."""
    row = {"event_type": without_query(found.event_type), "reason": without_query(found.reason)}
    _store(services, nameless_key("set_aside", digest(message.body)), message, row)
    level = logging.INFO if found.known else logging.WARNING
    LOG.log(level, "event set aside: %s", found.reason, extra={"message_id": message.message_id})
    return Receipt(message.message_id, "set_aside", reason=found.reason)
