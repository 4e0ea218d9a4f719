"""The bodies of callbacks: which product sent it, which job it is about, what it claims.

A notification is a hint that a job changed, never the truth; so little of it is read. What is no
business of this version is set aside with a reason, and only what nobody can read is an error.
"""

from __future__ import annotations

from shared.documents import strict_json
from shared.documents.strict_json import Tree
from shared.errors import UnreadableError
from shared.inbound.fields import required_text
from shared.inbound.notifications import vod
from shared.inbound.notifications.notification import Claim, Notification, SetAside

__all__ = ["Claim", "Notification", "SetAside", "read"]

_LAYER = "notification"
_SPEECH_FIELDS = {"jobId", "requestId", "result"}  # media-jobs.md 1.2 (b): it alone has no type


def read(body: bytes) -> Notification | SetAside:
    """Read a body; raise `UnreadableError`, with layer and reason, for what is no notification.

    The dialects are told apart by their keys (media-jobs.md 1): ICE has `EventType` beside
    `MessageBody`, VOD has `EventType` alone, MPS has `Type` in either casing.
    """
    tree = strict_json.parse(body)
    if not isinstance(tree, dict):
        raise UnreadableError("not a JSON object", layer=_LAYER)
    if "EventType" not in tree:
        return _set_aside_mps(tree)
    event_type = required_text(tree, "EventType", layer=_LAYER)
    if "MessageBody" in tree:
        return SetAside(event_type, "an event of ICE, which this version does not read", known=False)
    return vod.read(event_type, tree)


def _set_aside_mps(tree: dict[str, Tree]) -> SetAside:
    type_field = next((name for name in ("Type", "type") if name in tree), None)
    if type_field:
        event_type = required_text(tree, type_field, layer=_LAYER)
    elif tree.keys() >= _SPEECH_FIELDS:
        event_type = "TextToSpeech"
    else:
        raise UnreadableError("EventType is missing", layer=_LAYER, field="EventType")
    return SetAside(event_type, "a message of MPS, which this version does not read", known=False)
