"""XML turned into the tree that the same answer has in JSON.

The vendor's XML drops every trace of types: a list is a repeated element (one element looks like an
object), an empty element may be an empty text, list or object (reference: query-apis.md, quirk 58).
So the caller names the fields that are lists and those that are objects. The root is dropped,
namespaces are ignored; a document type is refused, and with it every entity of its own.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NoReturn

from shared.toolkit.parser import ParseError
from shared.toolkit.strict_json import MAX_BYTES, MAX_DEPTH, Tree

MAX_ELEMENTS = (
    1_000_000  # elements and attributes: XML spends about 20 bytes on the shortest that says something
)

_LAYER = "xml"
_NOTHING: frozenset[str] = frozenset()
_SPACE = " \t\r\n"  # what XML calls white space; a no-break space is text


def parse(
    data: bytes | str,
    *,
    lists: AbstractSet[str] = _NOTHING,
    containers: AbstractSet[str] = _NOTHING,
    max_bytes: int = MAX_BYTES,
    max_depth: int = MAX_DEPTH,
) -> Tree:
    """Decode one XML document; raise `ParseError` for anything that is not exactly one."""
    # Loaded here: most invocations never see XML.
    from xml.parsers import expat

    if len(data) > max_bytes:
        raise ParseError("too large", layer=_LAYER, size=len(data), limit=max_bytes)
    builder = _Builder(lists, containers, max_depth)
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = _refuse_document_type
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise ParseError(
            f"not XML: {expat.ErrorString(error.code)}", layer=_LAYER, line=error.lineno
        ) from None
    except (ValueError, LookupError):
        raise ParseError("not XML: unknown encoding, or text that is not Unicode", layer=_LAYER) from None
    return builder.tree


def _refuse_document_type(*_: object) -> NoReturn:
    """Refuse what entities are declared in: without it none can expand, and none can name a file."""
    raise ParseError("refused XML: it has a document type", layer=_LAYER)


@dataclass
class _Frame:
    """One open element."""

    members: dict[str, Tree] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    repeated: set[str] = field(default_factory=set)

    def add(self, name: str, value: Tree) -> None:
        if name not in self.members:
            self.members[name] = value
            return
        if name not in self.repeated:
            self.repeated.add(name)
            self.members[name] = [self.members[name]]
        self.items(name).append(value)

    def items(self, name: str) -> list[Tree]:
        found = self.members.setdefault(name, [])
        assert isinstance(found, list)
        return found


class _Builder:
    """Target of the parser: makes the tree while the document streams by."""

    def __init__(self, lists: AbstractSet[str], containers: AbstractSet[str], max_depth: int) -> None:
        self._lists = lists
        self._containers = containers
        self._max_depth = max_depth
        self._open: list[_Frame] = []
        self._elements = 0
        self.tree: Tree = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= self._max_depth:
            raise ParseError("nested too deep", layer=_LAYER, limit=self._max_depth)
        self._elements += 1 + len(attributes)
        if self._elements > MAX_ELEMENTS:
            raise ParseError("too many elements", layer=_LAYER, limit=MAX_ELEMENTS)
        frame = _Frame()
        for name, value in attributes.items():
            frame.add("@" + _local(name), value)
        self._open.append(frame)

    def data(self, text: str) -> None:
        self._open[-1].texts.append(text)

    def end(self, tag: str) -> None:
        name = _local(tag)
        value = self._value(name, self._open.pop())
        if not self._open:
            self.tree = value
        elif name in self._lists:
            self._open[-1].items(name).append(value)
        else:
            self._open[-1].add(name, value)

    def _value(self, name: str, frame: _Frame) -> Tree:
        text = "".join(frame.texts)
        if frame.members:
            if text.strip(_SPACE):
                frame.add("#text", text)
            return frame.members
        if not text.strip(_SPACE) and (name in self._containers or name in self._lists):
            # One empty element may be an empty list or a list of one empty object. It is read as the
            # latter: neither has a leaf, and among siblings it keeps its index.
            return {}
        return text


def _local(name: str) -> str:
    return name.rpartition("}")[2]
