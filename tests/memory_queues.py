"""`Queues` without a wire, over the engine of the local MNS, on a clock that is told to move."""

from __future__ import annotations

import random

from localcloud.media.wire import RefusedError
from localcloud.mns.account import Account
from localcloud.mns.queues import NewMessage, QueueAttributes, StoredMessage
from shared.adapters.clocks import ManualClock
from shared.queues import QueueMessage

_SECOND = 1_000


class MemoryQueues:
    """Queues of these names. Whoever waits for a message moves the clock."""

    def __init__(self, clock: ManualClock, *names: str, visibility_timeout: int = 30) -> None:
        self._clock = clock
        self.account = Account("1000000000000001", "cn-shanghai", random.Random(1))
        for name in names:
            attributes = QueueAttributes(visibility_timeout=visibility_timeout)
            self.account.add_queue(name, attributes, now=clock.now())

    def send(self, queue: str, body: str, *, deadline: int) -> None:
        """See `Queues.send`."""
        self.account.queue(queue).send(NewMessage(body), now=self._clock.now())

    def publish(self, topic: str, body: str, *, deadline: int) -> None:
        """See `Queues.publish`."""
        self.account.publish(self.account.topic(topic), body, "", now=self._clock.now())

    def receive(self, queue: str, *, limit: int, deadline: int, wait_seconds: int = 0) -> list[QueueMessage]:
        """See `Queues.receive`."""
        found = self.account.receive(queue, limit, now=self._clock.now())
        if not found and wait_seconds:
            self._clock.advance(wait_seconds * _SECOND)
            found = self.account.receive(queue, limit, now=self._clock.now())
        return [_read(message) for message in found]

    def hide(self, queue: str, receipt: str, *, seconds: int, deadline: int) -> bool:
        """See `Queues.hide`."""
        try:
            self.account.queue(queue).hide(receipt, seconds, now=self._clock.now())
        except RefusedError:
            return False
        return True

    def delete(self, queue: str, receipt: str, *, deadline: int) -> bool:
        """See `Queues.delete`."""
        try:
            self.account.queue(queue).delete(receipt, now=self._clock.now())
        except RefusedError:
            return False
        return True

    def count(self, queue: str) -> int:
        """Count the messages of a queue, those that are hidden too."""
        return sum(self.account.queue(queue).counts(now=self._clock.now()).values())


def _read(message: StoredMessage) -> QueueMessage:
    return QueueMessage(
        message.message_id, message.body, message.receipt, message.enqueued_at, message.received
    )
