"""What `read` makes of a body, by what is expected of it."""

from __future__ import annotations

import json
from typing import Any

from shared.errors import ParseError
from shared.inbound.notifications import Notification, SetAside, Unsorted, read


def body_of(fields: dict[str, Any]) -> bytes:
    """Write a body; a field of the value `(absent)` is left out."""
    return json.dumps({name: value for name, value in fields.items() if value != "(absent)"}).encode()


def notification(body: bytes) -> Notification:
    """Read a body that names a job."""
    found = read(body)
    assert isinstance(found, Notification)
    return found


def set_aside(body: bytes) -> SetAside:
    """Read a body that is no business of ours."""
    found = read(body)
    assert isinstance(found, SetAside)
    return found


def unsorted(body: bytes) -> Unsorted:
    """Read a body that does not say itself what it is about."""
    found = read(body)
    assert isinstance(found, Unsorted)
    return found


def readable(body: bytes) -> Notification | SetAside | Unsorted | None:
    """Read a body that may be unreadable; any other error is a defect."""
    try:
        return read(body)
    except ParseError:
        return None
