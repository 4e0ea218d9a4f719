"""W3C Trace Context: which trace a call belongs to, as two headers say it.

The rules are those of https://www.w3.org/TR/trace-context-1/; section numbers below are of that page.
What cannot be read is no trace: a wrong header never fails a call.
"""

from __future__ import annotations

import json
import re

TYPE_CHECKING = False  # as `typing` has it, which would take 2 ms to import
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

# 3.2.2: lower case only; what follows the flags is for versions that are not known yet.
_TRACEPARENT = (
    r"(?s)(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<parent>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})"
    r"(?P<more>-.*)?"
)
_SAMPLED = 0x01  # 3.2.2.5: the only flag that is defined; the others are sent as zero

# 3.3.1.3. A value may hold blanks and not end in one.
_STATE_MEMBER = (
    r"(?:[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})"
    r"=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)
_MAX_STATE_MEMBERS = 32
# 3.3.1.5: at least this much is to be passed on; when it is more, long members go first.
_STATE_ROOM = 512
_LONG_STATE_MEMBER = 128

_NAMES = ("traceparent", "tracestate")
# To read an event twice costs time and memory. A larger one is a body, not a caller's headers.
_MAX_EVENT = 1 << 20


class Trace:
    """A position in a trace: `span_id` is the span that calls made here have as their parent."""

    __slots__ = ("sampled", "span_id", "state", "trace_id")

    def __init__(self, trace_id: str, span_id: str, sampled: bool = False, state: str = "") -> None:
        self.trace_id: Final = trace_id
        self.span_id: Final = span_id
        self.sampled: Final = sampled
        self.state: Final = state

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Trace) and self.headers() == other.headers()

    def __hash__(self) -> int:
        return hash((self.trace_id, self.span_id))

    def __repr__(self) -> str:
        return f"Trace({self.headers()})"

    def headers(self) -> dict[str, str]:
        """Give what an outgoing request carries."""
        headers = {"traceparent": f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"}
        if self.state:
            headers["tracestate"] = self.state
        return headers


def trace_of(carrier: Mapping[str, str]) -> Trace | None:
    """Read the caller's trace from its headers, whatever case their names are in."""
    given: dict[str, list[str]] = {name: [] for name in _NAMES}
    for name, value in carrier.items():
        if name.lower() in given:
            given[name.lower()].append(value.strip(" \t"))
    # 3.2.1: one traceparent; with two, nobody can tell which is right.
    parent = re.fullmatch(_TRACEPARENT, given["traceparent"][0]) if len(given["traceparent"]) == 1 else None
    if parent is None or parent["version"] == "ff" or (parent["version"] == "00" and parent["more"]):
        return None
    if not parent["trace"].strip("0") or not parent["parent"].strip("0"):
        return None
    sampled = bool(int(parent["flags"], 16) & _SAMPLED)
    return Trace(parent["trace"], parent["parent"], sampled, _state(",".join(given["tracestate"])))


def carrier_of(event: bytes) -> Mapping[str, str] | None:
    """Find the headers of a trace in an event of Function Compute.

    They may stand in the headers of an HTTP event, in a CloudEvent, in the attributes of an MNS
    message (function-compute.md 2). A batch has a trace when all of it has the same. Costs next to
    nothing when there is none.
    """
    # Header names come in any case: without the first letter, how HTTP and Go spell it, and all capitals.
    if len(event) > _MAX_EVENT or not (b"raceparent" in event or b"RACEPARENT" in event):
        return None
    try:
        return _carrier_in(json.loads(event))
    except (ValueError, RecursionError):
        return None


def _carrier_in(document: object) -> dict[str, str] | None:
    if isinstance(document, str):
        document = json.loads(document)  # a queue may give the elements of a batch as text
    if isinstance(document, list):
        found = [_carrier_in(element) for element in document]
        return found[0] if found and all(each == found[0] for each in found) else None
    if not isinstance(document, dict):
        return None
    attributes = document.get("attrs")
    for place in (document.get("headers"), document, attributes, _extended(attributes)):
        carrier = _headers_in(place)
        if carrier:
            return carrier
    return None


def _extended(attributes: object) -> object:
    """Decode the attributes that MNS hands over as one text, named `Extend`."""
    text = attributes.get("Extend") if isinstance(attributes, dict) else None
    return json.loads(text) if isinstance(text, str) else None


def _headers_in(place: object) -> dict[str, str] | None:
    if not isinstance(place, dict):
        return None
    headers = {}
    for name, value in place.items():
        if name.lower() in _NAMES:
            # Some gateways give a repeated header as a list; joined, two parents are no valid one.
            values = value if isinstance(value, list) else [value]
            headers[name] = ",".join(each for each in values if isinstance(each, str))
    return headers or None


def _state(header: str) -> str:
    """Give the tracestate to pass on; nothing of it when it breaks the rules (3.3.1)."""
    members = [member.strip(" \t") for member in header.split(",")]
    members = [member for member in members if member]
    keys = {member.partition("=")[0] for member in members}
    valid = all(re.fullmatch(_STATE_MEMBER, member) for member in members)
    if not valid or len(members) > _MAX_STATE_MEMBERS or len(keys) < len(members):
        return ""
    for member in [each for each in reversed(members) if len(each) > _LONG_STATE_MEMBER]:
        if len(",".join(members)) > _STATE_ROOM:
            members.remove(member)
    while len(",".join(members)) > _STATE_ROOM:
        members.pop()
    return ",".join(members)
