"""Queues and their messages, in memory. What a queue does with time is here; nothing knows HTTP.

Every method is called under the account's lock and is given the time.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from localcloud.media.wire import RefusedError, Tree

_SECOND = 1_000
_USUAL_PRIORITY = 8

LARGEST_BODY = 64 * 1024  # media-jobs.md 2


@dataclass(frozen=True)
class DeadLetterPolicy:
    """Into which queue a message goes that was received so often and never deleted."""

    queue: str
    most_receives: int


@dataclass(frozen=True)
class QueueAttributes:
    """What can be set on a queue. All times in seconds."""

    visibility_timeout: int = 30
    maximum_message_size: int = LARGEST_BODY
    message_retention_period: int = 345_600
    delay_seconds: int = 0
    polling_wait_seconds: int = 0
    logging_enabled: bool = False
    dead_letters: DeadLetterPolicy | None = None


@dataclass(frozen=True)
class NewMessage:
    """A message as it is sent. `properties` come back as they are, with every receive."""

    body: str
    delay_seconds: int | None = None
    priority: int = _USUAL_PRIORITY
    properties: Mapping[str, Tree] = field(default_factory=dict)


@dataclass(frozen=True)
class StoredMessage:
    """A message in a queue. `receipt` is that of the last receive, valid until `visible_at`."""

    message_id: str
    body: str
    enqueued_at: int
    expires_at: int
    visible_at: int
    priority: int
    properties: Mapping[str, Tree]
    first_received_at: int = 0
    received: int = 0
    receipt: str = ""

    @property
    def md5(self) -> str:
        """Give the digest that answers carry, of the body as it was sent."""
        return body_md5(self.body)


def body_md5(body: str) -> str:
    """Write the MD5 of a body as MNS does."""
    return hashlib.md5(body.encode()).hexdigest().upper()


class Queue:
    """One queue. `arn` names it to those who find its messages elsewhere."""

    def __init__(
        self, name: str, arn: str, attributes: QueueAttributes, *, draw: random.Random, now: int
    ) -> None:
        self.name = name
        self.arn = arn
        self.attributes = attributes
        self.created_at = now
        self.changed_at = now
        self._draw = draw
        self._messages: dict[str, StoredMessage] = {}

    def change(self, attributes: QueueAttributes, *, now: int) -> None:
        """Set other attributes; messages keep what they were sent with."""
        self.attributes, self.changed_at = attributes, now

    def send(self, new: NewMessage, *, now: int) -> StoredMessage:
        """Take a message in; raise `RefusedError` for a body that is empty or too long."""
        size = len(new.body.encode())
        if not 0 < size <= self.attributes.maximum_message_size:
            raise RefusedError(
                400,
                "InvalidArgument",
                "The value of MessageBody should between 1 and"
                f" {self.attributes.maximum_message_size} seconds/bytes.",
            )
        delay = self.attributes.delay_seconds if new.delay_seconds is None else new.delay_seconds
        return self._keep(
            StoredMessage(
                self._new_id(),
                new.body,
                enqueued_at=now,
                expires_at=now + self.attributes.message_retention_period * _SECOND,
                visible_at=now + delay * _SECOND,
                priority=new.priority,
                properties=new.properties,
            )
        )

    def visible(self, limit: int, *, now: int) -> list[StoredMessage]:
        """Give what could be received, the most urgent and oldest first."""
        found = [one for one in self._alive(now) if one.visible_at <= now]
        return sorted(found, key=lambda one: one.priority)[:limit]

    def receive(self, limit: int, *, now: int) -> list[StoredMessage]:
        """Hand messages out and hide each for the queue's visibility timeout."""
        until = now + self.attributes.visibility_timeout * _SECOND
        return [
            self._keep(
                replace(
                    one,
                    visible_at=until,
                    first_received_at=one.first_received_at or now,
                    received=one.received + 1,
                    receipt=self._new_receipt(one),
                )
            )
            for one in self.visible(limit, now=now)
        ]

    def hide(self, receipt: str, seconds: int, *, now: int) -> StoredMessage:
        """Hide a message from now on for so long, under a new receipt."""
        held = self._held(receipt, now=now)
        return self._keep(replace(held, visible_at=now + seconds * _SECOND, receipt=self._new_receipt(held)))

    def delete(self, receipt: str, *, now: int) -> None:
        """Take a message away that is held by this receipt."""
        del self._messages[self._held(receipt, now=now).message_id]

    def take_dead(self, most_receives: int, *, now: int) -> list[StoredMessage]:
        """Take away what was received that often and is in sight again."""
        dead = [one for one in self._alive(now) if one.visible_at <= now and one.received >= most_receives]
        for one in dead:
            del self._messages[one.message_id]
        return dead

    def bury(self, dead: StoredMessage, *, source: str, now: int) -> None:
        """Take in a message that died elsewhere; its time goes on (media-jobs.md 2, "DLQ")."""
        told: dict[str, Tree] = {
            "SystemPropertyValue": [
                _property("DLQSourceArn", source),
                _property("DLQOriginMessageId", dead.message_id),
            ]
        }
        self._keep(
            StoredMessage(
                self._new_id(),
                dead.body,
                enqueued_at=now,
                expires_at=dead.expires_at,
                visible_at=now,
                priority=dead.priority,
                properties={**dead.properties, "SystemProperties": told},
            )
        )

    def counts(self, *, now: int) -> dict[str, int]:
        """Count messages in sight, held by somebody, and delayed."""
        alive = self._alive(now)
        hidden = [one for one in alive if one.visible_at > now]
        delayed = sum(not one.received for one in hidden)
        return {
            "ActiveMessages": len(alive) - len(hidden),
            "InactiveMessages": len(hidden) - delayed,
            "DelayMessages": delayed,
        }

    def _alive(self, now: int) -> list[StoredMessage]:
        for one in list(self._messages.values()):
            if one.expires_at <= now:
                del self._messages[one.message_id]
        return list(self._messages.values())

    def _held(self, receipt: str, *, now: int) -> StoredMessage:
        message_id, _, rest = receipt.partition("-")
        if not rest:
            raise RefusedError(400, "ReceiptHandleError", "The receipt handle you provide is not valid.")
        one = self._messages.get(message_id)
        if one is None or one.receipt != receipt or one.visible_at <= now:
            raise message_not_exist()
        return one

    def _keep(self, message: StoredMessage) -> StoredMessage:
        self._messages[message.message_id] = message
        return message

    def _new_id(self) -> str:
        return f"{self._draw.getrandbits(128):032X}"

    def _new_receipt(self, message: StoredMessage) -> str:
        return f"{message.message_id}-{message.received + 1}-{self._draw.getrandbits(64):016x}"


def move_dead(queues: Mapping[str, Queue], *, now: int) -> None:
    """Move what died in these queues to where their policies say; what has no such queue stays."""
    for queue in queues.values():
        policy = queue.attributes.dead_letters
        if policy is not None and policy.queue in queues:
            for dead in queue.take_dead(policy.most_receives, now=now):
                queues[policy.queue].bury(dead, source=queue.arn, now=now)


def message_not_exist() -> RefusedError:
    """Refuse for want of a message."""
    return RefusedError(404, "MessageNotExist", "Message not exist.")


def _property(name: str, value: str) -> dict[str, Tree]:
    return {"Name": name, "Value": value, "Type": "STRING"}
