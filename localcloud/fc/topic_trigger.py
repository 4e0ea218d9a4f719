"""Topic triggers: what the local MNS pushes to a function becomes an asynchronous invocation."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from localcloud.mns.account import Account
from localcloud.mns.pushing import Post, http_post
from localcloud.mns.topics import Strategy, Subscription
from shared.errors import PermanentError

ContentFormat = Literal["STREAM", "JSON"]

_TAKEN, _TOO_LARGE = 204, 413
_OWN_FIELDS = {
    *("TopicOwner", "TopicName", "Subscriber", "SubscriptionName"),
    *("MessageId", "MessageMD5", "Message", "PublishTime"),
}


@dataclass(frozen=True)
class TopicTrigger:
    """Messages of a topic become asynchronous invocations."""

    function: str
    name: str
    topic: str
    content_format: ContentFormat
    strategy: Strategy
    filter_tag: str


class TopicPushes:
    """Posts for an `MnsService`: to functions that are connected, anything else to `otherwise`.

    MNS asks again for what is not taken, as the trigger's strategy says; a task that was taken is the
    asynchronous queue's.
    """

    def __init__(self, otherwise: Post = http_post) -> None:
        self._otherwise = otherwise
        self._connected: dict[str, Callable[[bytes], None]] = {}

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """Post, as `Post` says."""
        take = self._connected.get(url)
        if take is None:
            return self._otherwise(url, headers, body)
        try:
            take(body)
        except PermanentError:  # with its wrapping it may be too long for an asynchronous invocation
            return _TOO_LARGE
        return _TAKEN

    def connect(self, trigger: TopicTrigger, account: Account, accept: Callable[[bytes], object]) -> None:
        """Subscribe a function to a topic that is there; `accept` takes its events."""
        endpoint = f"acs:fc:{account.region}:{account.number}:functions/{trigger.function}#{trigger.name}"

        def take(notification: bytes) -> None:
            accept(topic_event(notification, trigger.content_format))

        self._connected[endpoint] = take
        account.topic(trigger.topic).subscriptions[trigger.name] = Subscription(
            trigger.topic,
            trigger.name,
            endpoint,
            content_format="JSON",  # from which both forms of an event are made
            strategy=trigger.strategy,
            filter_tag=trigger.filter_tag,
        )


def topic_event(notification: bytes, content_format: ContentFormat) -> bytes:
    """Make the event of a function out of what MNS pushes as JSON (function-compute.md 2).

    Attributes stand beside the other fields, or beside the body; without any, STREAM is the body alone.
    """
    fields: dict[str, Any] = json.loads(notification)
    if content_format == "JSON":
        return _json({**fields, "PublishTime": int(fields["PublishTime"])})
    attributes = {name: value for name, value in fields.items() if name not in _OWN_FIELDS}
    message: str = fields["Message"]
    return _json({"body": message, "attrs": attributes}) if attributes else message.encode()


def _json(tree: dict[str, Any]) -> bytes:
    return json.dumps(tree, ensure_ascii=False).encode()
