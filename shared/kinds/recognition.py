"""Tell which query API gave an answer, by the fields that no other answer has. Pure.

For answers that come without their question: stored ones. What is not surely one of the kinds is none of
them; whoever knows better says the kind.
"""

from __future__ import annotations

from collections.abc import Mapping

from shared.errors import ParseError
from shared.kinds import ice_production, mts_production, mts_video_quality, vod_media_audit
from shared.kinds.reading import decode
from shared.toolkit.strict_json import Tree
from shared.vendor import Format, Part

_LAYER = "stored answer"

# The two operations named QueryIProductionJob differ in their word for how a job stands
# (query-apis.md 2.3, 2.4).
_FIELDS: Mapping[str, frozenset[str]] = {
    vod_media_audit.NAME: frozenset({"MediaAuditJob"}),
    mts_video_quality.NAME: frozenset({"Job"}),
    mts_production.NAME: frozenset({"JobId", "State", "FunctionName"}),
    ice_production.NAME: frozenset({"JobId", "Status", "FunctionName"}),
}
# What a callback has and an answer has not: it is a hint, never the truth.
_OF_A_NOTIFICATION = frozenset({"EventType", "EventTime"})


def format_of(body: bytes) -> Format:
    """Tell what an answer is written in by its first byte."""
    return "xml" if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") else "json"


def kind_of(answer: Part) -> str:
    """Name the kind of an answer; raise `ParseError` saying why it is none, or may be of more than one."""
    tree = decode(answer)
    names = tree.keys() if isinstance(tree, dict) else frozenset[str]()
    if names & _OF_A_NOTIFICATION:
        raise ParseError("a notification: only what the vendor answers is recorded", layer=_LAYER)
    found = [kind for kind, fields in _FIELDS.items() if fields <= names]
    if len(found) != 1:
        raise ParseError(_why(tree, found), layer=_LAYER)
    return found[0]


def _why(tree: Tree, found: list[str]) -> str:
    if found:
        return f"it may be one of {' and '.join(found)}: say the kind"
    if isinstance(tree, dict) and isinstance(tree.get("body"), dict):
        return "what an SDK wraps an answer in: take the answer out of its `body`"
    return "not an answer of a known kind: say the kind"
