"""What a trigger event turns out to be."""

from __future__ import annotations

import hashlib
import re
from typing import Literal, NamedTuple

Transport = Literal["mns-topic", "mns-queue", "http"]

UNSIGNED: Transport = "http"
"""What brings bodies that nobody vouches for: anybody may have written them."""

REGION_PATTERN = r"[a-z0-9]{1,20}(-[a-z0-9]{1,20}){0,4}"
"""What the name of a region looks like."""

ACCOUNT_PATTERN = r"[0-9]{1,32}"
"""What the number of an account looks like."""

# MNS gives 32 hex digits or such with dashes. Longer or blank ones could not be a key of a table.
_USABLE_ID = re.compile(r"[!-~]{1,128}")


class Message(NamedTuple):
    """One delivered message, with every wrapping taken off its body.

    `source` names the topic or queue that its sender put it into, where the transport tells: a message
    that a topic pushed into a queue is the topic's. Where `reason` is set, this one could not be
    unwrapped: `body` is then what was left of it. `region` and `account_id` are None where what is
    told does not look like one.
    """

    message_id: str
    transport: Transport
    body: bytes
    region: str | None = None
    account_id: str | None = None
    source: str | None = None
    reason: str | None = None


class Messages(NamedTuple):
    """All messages of one event, in their order."""

    messages: tuple[Message, ...]


class TimerTick(NamedTuple):
    """A timer has come round. `time` and `payload` are as the trigger wrote them."""

    name: str
    time: str
    payload: str


Trigger = Messages | TimerTick


def identify(transport: Transport, body: bytes, *given: str | None) -> str:
    """Name a message: by the first usable id that its transport gave, else by its content."""
    for candidate in given:
        if candidate and _USABLE_ID.fullmatch(candidate):
            return candidate
    return hashlib.sha256(transport.encode() + b"\0" + body).hexdigest()
