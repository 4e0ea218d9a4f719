"""Whose HTTP callbacks are taken in, and how each is recognised: by the end of the path that it calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from shared.errors import RefusedRequestError
from shared.inbound.signatures import KeyedSender, Product
from shared.policy import MINUTE

SenderName = Literal["vod", "ice", "mns"]

PATHS: Mapping[str, SenderName] = {
    "vod": "vod",
    "ice": "ice",
    "mns": "mns",
    # Where MNS pushes to an address without a path (media-jobs.md 2).
    "notifications": "mns",
}


@dataclass(frozen=True)
class Topic:
    """A topic whose pushes are taken in."""

    region: str
    account: str
    name: str


@dataclass(frozen=True)
class Senders:
    """Who may send: VOD and ICE by their keys, MNS by its topics. `window` is in milliseconds."""

    keyed: Mapping[Product, KeyedSender] = field(default_factory=dict)
    topics: tuple[Topic, ...] = ()
    window: int = 5 * MINUTE
    """How far the time of a signature may be off: VOD's own advice (media-jobs.md 1.1)."""

    def topic(self, account: str | None, name: str | None) -> Topic:
        """Find the topic of a push; raise `RefusedRequestError` for a stranger's, which MNS signs as well."""
        for topic in self.topics:
            if (topic.account, topic.name) == (account, name):
                return topic
        raise RefusedRequestError("a topic that is none of ours", why="topic")


def sender_of(path: str) -> SenderName:
    """Tell who calls a path; raise `RefusedRequestError` for one that nobody does."""
    last = path.rpartition("/")[2]
    if last not in PATHS:
        raise RefusedRequestError("no sender has this path", why="path", status=404)
    return PATHS[last]
