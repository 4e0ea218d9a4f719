"""Topics, their subscriptions, and what a published message looks like to a subscriber."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from localcloud.media.wire import RefusedError, Tree
from localcloud.mns.queues import LARGEST_BODY, body_md5
from localcloud.mns.wire import to_xml

ContentFormat = Literal["XML", "JSON", "SIMPLIFIED"]
Strategy = Literal["BACKOFF_RETRY", "EXPONENTIAL_DECAY_RETRY"]

RETENTION_SECONDS = 86_400
_LONGEST_TAG = 16
_QUEUE = re.compile(r"acs:mns:[^:]*:[0-9]*:/?queues/(?P<name>.+)")
_LOOPBACK = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?(/\S*)?")


@dataclass(frozen=True)
class Subscription:
    """Who is told of what a topic publishes, and how.

    `dead_letters` names the queue for what could not be pushed.
    """

    topic: str
    name: str
    endpoint: str
    content_format: ContentFormat = "XML"
    strategy: Strategy = "BACKOFF_RETRY"
    filter_tag: str = ""
    dead_letters: str | None = None
    created_at: int = 0
    changed_at: int = 0

    @property
    def queue(self) -> str | None:
        """Name the queue that is the endpoint; None for an address."""
        found = _QUEUE.fullmatch(self.endpoint)
        return found["name"] if found else None


@dataclass(frozen=True)
class Published:
    """A message that a topic took."""

    topic: str
    message_id: str
    body: str
    tag: str
    published_at: int


@dataclass
class Topic:
    """One topic and its subscriptions by name."""

    name: str
    created_at: int
    changed_at: int
    maximum_message_size: int = LARGEST_BODY
    logging_enabled: bool = False
    published: int = 0
    subscriptions: dict[str, Subscription] = field(default_factory=dict)

    def publish(self, body: str, tag: str, *, draw: random.Random, now: int) -> Published:
        """Take a message; raise `RefusedError` for one that is empty or too long."""
        if not 0 < len(body.encode()) <= self.maximum_message_size:
            raise RefusedError(
                400,
                "InvalidArgument",
                f"The value of MessageBody should between 1 and {self.maximum_message_size} seconds/bytes.",
            )
        if len(tag) > _LONGEST_TAG:
            raise RefusedError(
                400, "InvalidArgument", "The length of message tag should be between 1 and 16."
            )
        self.published += 1
        return Published(self.name, f"{draw.getrandbits(128):032X}", body, tag, now)

    def subscribers(self, message: Published) -> list[Subscription]:
        """Give who is told of a message: all, or those whose tag it bears."""
        return [one for one in self.subscriptions.values() if one.filter_tag in ("", message.tag)]


def check_endpoint(endpoint: str) -> None:
    """Refuse what nothing can be pushed to from here: this imitation never leaves the machine."""
    if not (_QUEUE.fullmatch(endpoint) or _LOOPBACK.fullmatch(endpoint)):
        raise RefusedError(
            400,
            "InvalidArgument",
            "Endpoint must be acs:mns:<region>:<account>:queues/<name>, or http on the loopback interface.",
        )


def notification(message: Published, subscription: Subscription, *, account: str) -> str:
    """Write what a subscriber gets (media-jobs.md 2, "topic push formats")."""
    if subscription.content_format == "SIMPLIFIED":
        return message.body
    tree: dict[str, Tree] = {
        "TopicOwner": account,
        "TopicName": message.topic,
        "Subscriber": account,
        "SubscriptionName": subscription.name,
        "MessageId": message.message_id,
        "MessageMD5": body_md5(message.body),
        "Message": message.body,
        **_tagged(message.tag),
        "PublishTime": str(message.published_at),
    }
    if subscription.content_format == "JSON":
        return json.dumps(tree, ensure_ascii=False)
    return to_xml("Notification", tree).decode()


def _tagged(tag: str) -> Mapping[str, Tree]:
    return {"MessageTag": tag} if tag else {}
