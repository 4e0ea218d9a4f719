"""What every kind does with an answer: decode it, take what must be there, list what was not understood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.documents.cursor import Node, Walk
from shared.errors import ParseError
from shared.record import Repair, Status, Unmapped
from shared.toolkit import strict_json, xml_tree
from shared.toolkit.strict_json import Tree
from shared.vendor import Part

# The last words of all four APIs, in any casing; what they say before is not told apart here. A word
# that no page knows keeps the job polling (query-apis.md 5.1).
_STATUS: Mapping[str, Status] = {"success": "succeeded", "fail": "failed"}
_NOT_YET = frozenset({"init", "submitted", "queuing", "processing", "analysing", "analyzing"})

NOTHING: frozenset[str] = frozenset()


def find_part(parts: Sequence[Part], name: str) -> Part:
    """Give the part of that name; raise `ParseError` when there is none."""
    for part in parts:
        if part.name == name:
            return part
    raise ParseError("the part is missing", layer="answer", part=name)


def decode(part: Part, *, lists: frozenset[str] = NOTHING, containers: frozenset[str] = NOTHING) -> Tree:
    """Decode a part as what it claims to be; raise `ParseError` when it is not."""
    if part.format == "xml":
        return xml_tree.parse(part.body, lists=lists, containers=containers)
    return strict_json.parse(part.body)


def required(node: Node, name: str, *, layer: str) -> str:
    """Take a text that every answer about a job has; raise `ParseError` when it is not there."""
    value = node.text(name)
    if value is None:
        raise ParseError("a field that every answer has is missing or not text", layer=layer, field=name)
    return value


def status_of(vendor_status: str) -> Status:
    """Read the vendor's word for how a job stands."""
    return _STATUS.get(vendor_status.casefold(), "running")


def is_known_status(vendor_status: str) -> bool:
    """Tell whether a page of any of the four APIs knows the word."""
    return vendor_status.casefold() in _STATUS.keys() | _NOT_YET


def unmapped(*walks: Walk) -> tuple[Unmapped, ...]:
    """List every leaf that nobody took, part by part."""
    return tuple(Unmapped(source=source, value=text) for walk in walks for source, text in walk.unmapped())


def repairs(repaired: Mapping[str, Sequence[str]]) -> tuple[Repair, ...]:
    """List where a document had to be read more kindly than its format allows, by source."""
    return tuple(Repair(source=at, what=what) for at, whats in sorted(repaired.items()) for what in whats)
