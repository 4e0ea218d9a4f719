"""The bodies of callbacks: which product sent it, which job it is about, what it claims.

A notification is a hint that a job changed, never the truth; so little of it is read. What is no
business of this version is set aside with a reason, and only what nobody can read is an error.
"""

from __future__ import annotations

from shared.errors import ParseError
from shared.inbound.fields import required_text
from shared.inbound.notifications import ice, mts, vod
from shared.inbound.notifications.mts import decide
from shared.inbound.notifications.notification import Claim, Notification, SetAside, Unsorted
from shared.toolkit import strict_json
from shared.toolkit.parser import Layer
from shared.toolkit.strict_json import Tree

__all__ = ["Claim", "Notification", "SetAside", "Unsorted", "decide", "read"]

_LAYER = "notification"


def _of_any_product(tree: Tree) -> Notification | SetAside | Unsorted:
    """Tell the dialects apart by their keys (media-jobs.md 1).

    ICE has `EventType` beside `MessageBody`, in any casing; VOD has `EventType` alone; MPS has none.
    """
    if not isinstance(tree, dict):
        raise ParseError("not a JSON object", layer=_LAYER)
    if "EventType" in tree and "MessageBody" not in tree:
        return vod.read(required_text(tree, "EventType", layer=_LAYER), tree)
    names = {name.lower() for name in tree}
    if names >= {"eventtype", "messagebody"}:
        return ice.read(tree)
    if "eventtype" in names:  # neither product's: not to be guessed at
        raise ParseError("EventType is missing, but in another casing", layer=_LAYER, field="EventType")
    return mts.read(tree)


read: Layer[bytes, Notification | SetAside | Unsorted] = strict_json.document >> Layer(
    _LAYER, _of_any_product
)
"""Read a body; raises `ParseError`, with layer and reason, for what is no notification."""
