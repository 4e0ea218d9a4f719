"""What one account has in one region: its queues, its topics, and what is on its way to subscribers."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from localcloud.media.wire import RefusedError
from localcloud.mns.queues import NewMessage, Queue, QueueAttributes, StoredMessage, move_dead
from localcloud.mns.topics import Published, Subscription, Topic, notification

_SECOND = 1_000
# After a failed push (media-jobs.md 2, "retry"); the short ones are drawn from between their ends.
_SHORT_WAITS = ((10, 20),) * 3
_LONG_WAITS = tuple((2**power, 2**power) for power in range(9)) + ((512, 512),) * 167


@dataclass(frozen=True)
class Push:
    """A message on its way to a subscriber: `attempts` failed, the next one is due at `due_at`."""

    subscription: Subscription
    message: Published
    due_at: int
    attempts: int = 0


class Account:
    """Queues and topics by name. The caller holds a lock."""

    def __init__(self, number: str, region: str, draw: random.Random) -> None:
        self.number = number
        self.region = region
        self.draw = draw
        self.queues: dict[str, Queue] = {}
        self.topics: dict[str, Topic] = {}
        self.dropped: list[Published] = []
        """What was pushed in vain for as long as its strategy goes, and had no dead-letter queue."""
        self._pushes: list[Push] = []

    def arn(self, queue: str) -> str:
        """Name a queue for those outside of it."""
        return f"acs:mns:{self.region}:{self.number}:/queues/{queue}"

    def add_queue(self, name: str, attributes: QueueAttributes, *, now: int) -> None:
        """Make a queue, in the place of one of that name."""
        self.queues[name] = Queue(name, self.arn(name), attributes, draw=self.draw, now=now)

    def queue(self, name: str) -> Queue:
        """Give a queue, or refuse."""
        if name not in self.queues:
            raise RefusedError(404, "QueueNotExist", "The queue name you provided is not exist.")
        return self.queues[name]

    def topic(self, name: str) -> Topic:
        """Give a topic, or refuse."""
        if name not in self.topics:
            raise RefusedError(404, "TopicNotExist", "The topic name you provided is not exist.")
        return self.topics[name]

    def receive(self, name: str, limit: int, *, now: int) -> list[StoredMessage]:
        """Hand out messages of a queue, after what died anywhere was moved."""
        move_dead(self.queues, now=now)
        return self.queue(name).receive(limit, now=now)

    def publish(self, topic: Topic, body: str, tag: str, *, now: int) -> Published:
        """Take a message for all subscribers of a topic; those that are queues have it at once."""
        message = topic.publish(body, tag, draw=self.draw, now=now)
        for subscription in topic.subscribers(message):
            push = Push(subscription, message, due_at=now)
            if not (subscription.queue and self._into_queue(push, now=now)):
                self._pushes.append(push)
        return message

    def take_due(self, *, now: int) -> list[Push]:
        """Take the pushes that are due to addresses; those to queues are made here."""
        due = [push for push in self._pushes if push.due_at <= now]
        self._pushes = [push for push in self._pushes if push.due_at > now]
        for push in due:
            if push.subscription.queue and not self._into_queue(push, now=now):
                self.put_off(push, now=now)
        return [push for push in due if not push.subscription.queue]

    def put_off(self, push: Push, *, now: int) -> None:
        """Try a push that failed later, or give it up."""
        waits = _SHORT_WAITS if push.subscription.strategy == "BACKOFF_RETRY" else _LONG_WAITS
        if push.attempts < len(waits):
            wait = self.draw.uniform(*waits[push.attempts])
            later = replace(push, attempts=push.attempts + 1, due_at=now + int(wait * _SECOND))
            self._pushes.append(later)
        elif push.subscription.dead_letters in self.queues:
            self._send(push.subscription.dead_letters, push, now=now)
        else:
            self.dropped.append(push.message)

    def _into_queue(self, push: Push, *, now: int) -> bool:
        name = push.subscription.queue
        return name in self.queues and self._send(name, push, now=now)

    def _send(self, name: str | None, push: Push, *, now: int) -> bool:
        body = notification(push.message, push.subscription, account=self.number)
        try:
            self.queue(name or "").send(NewMessage(body), now=now)
        except RefusedError:  # with its wrapping the message may be too long for the queue
            return False
        return True
