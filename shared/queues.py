"""Queues and topics, as far as the product writes to them and reads what died there.

Times are epoch milliseconds, UTC, as in `shared/ports.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from shared.errors import SettingError


@dataclass(frozen=True)
class QueueMessage:
    """A message that was received, and is hidden from others for a while.

    `body` is the text as it lies there, often base64. `source` names the queue or subscription in which a
    dead letter died, where MNS tells.
    """

    message_id: str
    body: str
    receipt: str
    enqueued_at: int
    received: int
    source: str | None = None


class Queues(Protocol):
    """Queues and topics of one account and region. Bodies are text of at most 64 KB (media-jobs.md 2).

    Every method may raise `StoreUnavailableError`, one that changes something `OutcomeUnknownError`, and
    `SettingError` for a queue or topic that does not exist.
    """

    def send(self, queue: str, body: str, *, deadline: int) -> None:
        """Put a message into a queue; raise `PermanentError` for one that it never takes."""
        ...

    def publish(self, topic: str, body: str, *, deadline: int) -> None:
        """Publish a message to a topic; raise `PermanentError` for one that it never takes."""
        ...

    def receive(self, queue: str, *, limit: int, deadline: int, wait_seconds: int = 0) -> list[QueueMessage]:
        """Receive at most so many messages, 16 or fewer, and hide them for as long as the queue says.

        With `wait_seconds`, 30 or fewer, wait for the first. Who does not delete a message gets it again.
        """
        ...

    def hide(self, queue: str, receipt: str, *, seconds: int, deadline: int) -> bool:
        """Hide a received message for so long from now on, at least a second, under a new receipt.

        False when it is not held by this receipt any more.
        """
        ...

    def delete(self, queue: str, receipt: str, *, deadline: int) -> bool:
        """Take a received message away; False when it is not held by this receipt any more."""
        ...


class NoQueues:
    """Reaches no queue: what services have where none are set."""

    def send(self, queue: str, body: str, *, deadline: int) -> None:
        """See `Queues.send`."""
        raise _no_queues(queue)

    def publish(self, topic: str, body: str, *, deadline: int) -> None:
        """See `Queues.publish`."""
        raise _no_queues(topic)

    def receive(self, queue: str, *, limit: int, deadline: int, wait_seconds: int = 0) -> list[QueueMessage]:
        """See `Queues.receive`."""
        raise _no_queues(queue)

    def hide(self, queue: str, receipt: str, *, seconds: int, deadline: int) -> bool:
        """See `Queues.hide`."""
        raise _no_queues(queue)

    def delete(self, queue: str, receipt: str, *, deadline: int) -> bool:
        """See `Queues.delete`."""
        raise _no_queues(queue)


def _no_queues(name: str) -> SettingError:
    return SettingError(
        "no queues can be reached from here: set LEDGER_MNS, such as"
        " https://<account>.mns.<region>.aliyuncs.com",
        name=name,
    )
