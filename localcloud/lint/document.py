"""Reads YAML or JSON into nodes that know where they stand, without losing what a mapping says twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from localcloud.template import TemplateError

# A template has a few thousand nodes; one that has this many refers to its own parts many times over.
_MOST_NODES = 50_000


@dataclass(frozen=True)
class Position:
    """A place in the file, counted from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Scalar:
    """A value without parts; `text` is how it is written."""

    value: str | int | float | bool | None
    text: str
    at: Position


@dataclass(frozen=True)
class Sequence:
    """A list of nodes."""

    items: tuple[Node, ...]
    at: Position


@dataclass(frozen=True)
class Entry:
    """A key of a mapping, where it stands, and its value."""

    key: str
    at: Position
    value: Node


@dataclass(frozen=True)
class Mapping:
    """Keys with values, in the order of the file; of equal keys, the last."""

    entries: tuple[Entry, ...]
    at: Position
    by_key: dict[str, Entry] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_key", {entry.key: entry for entry in self.entries})

    def get(self, key: str) -> Node | None:
        """Give the value of a key, None where there is none."""
        entry = self.by_key.get(key)
        return entry.value if entry else None


Node: TypeAlias = "Scalar | Sequence | Mapping"
Path: TypeAlias = "tuple[str | int, ...]"


@dataclass(frozen=True)
class Document:
    """A whole file: its root, and every (path, key, first place) of a key that stands twice."""

    root: Mapping
    repeated: tuple[tuple[Path, Entry, Position], ...]


def read_document(text: str, *, source: str) -> Document:
    """Read a template's text; raise `TemplateError` naming `source` and the line when it is none."""
    if text.lstrip().startswith("{"):
        # JSON may be indented with tabs, which YAML forbids; in its strings they are escaped.
        text = text.replace("\t", " ")
    try:
        loader = yaml.SafeLoader(text)
        try:
            tree = loader.get_single_node()
        finally:
            loader.dispose()
        builder = _Builder()
        root = builder.node(tree, ()) if tree else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise TemplateError(f"{source}, line {line}: {error.problem}") from None
    except yaml.YAMLError as error:
        raise TemplateError(f"{source}: {error}") from None
    except RecursionError:
        raise TemplateError(f"{source}: nested too deeply, or a part of itself") from None
    if not isinstance(root, Mapping):
        raise TemplateError(f"{source}: a template is a mapping")
    return Document(root, tuple(builder.repeated))


class _Builder:
    """Turns YAML nodes into ours; short forms of functions become long ones."""

    def __init__(self) -> None:
        self.repeated: list[tuple[Path, Entry, Position]] = []
        self._scalars = yaml.constructor.SafeConstructor()
        self._left = _MOST_NODES

    def node(self, node: yaml.Node, path: Path) -> Node:
        self._left -= 1
        if self._left < 0:
            raise yaml.YAMLError(
                f"a template of more than {_MOST_NODES} values, or with parts of itself in itself"
            )
        if node.tag.startswith("!") and node.tag != "!":
            return self._short_form(node, path)
        return self._plain(node, path)

    def _short_form(self, node: yaml.Node, path: Path) -> Node:
        """Read `!Sub x` as `{"Fn::Sub": x}`."""
        short = node.tag[1:]
        name = "Ref" if short == "Ref" else f"Fn::{short}"
        at = _position(node)
        argument = self._plain(node, (*path, name))
        if name == "Fn::GetAtt" and isinstance(argument, Scalar):
            parts = argument.text.split(".", 1)
            argument = Sequence(tuple(Scalar(part, part, at) for part in parts), at)
        return Mapping((Entry(name, at, argument),), at)

    def _plain(self, node: yaml.Node, path: Path) -> Node:
        at = _position(node)
        if isinstance(node, yaml.SequenceNode):
            return Sequence(tuple(self.node(one, (*path, i)) for i, one in enumerate(node.value)), at)
        if isinstance(node, yaml.MappingNode):
            return Mapping(tuple(self._entries(node, path)), at)
        return Scalar(self._value(node), node.value, at)

    def _value(self, node: yaml.Node) -> str | int | float | bool | None:
        kind = node.tag.rpartition(":")[2]
        if kind not in ("int", "float", "bool", "null"):
            return str(node.value)
        try:
            value: int | float | bool | None = self._scalars.construct_object(node)
        except ValueError:  # such as 0b_, which only looks like a number
            return str(node.value)
        return value

    def _entries(self, node: yaml.MappingNode, path: Path) -> Iterator[Entry]:
        seen: dict[str, Position] = {}
        for key, value in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                yield from self._merged(value, path)
                continue
            name = key.value if isinstance(key, yaml.ScalarNode) else "?"
            entry = Entry(name, _position(key), self.node(value, (*path, name)))
            if name in seen:
                self.repeated.append((path, entry, seen[name]))
            seen.setdefault(name, entry.at)
            yield entry

    def _merged(self, value: yaml.Node, path: Path) -> Iterator[Entry]:
        merged = value.value if isinstance(value, yaml.SequenceNode) else [value]
        for one in merged:
            node = self.node(one, path)
            if isinstance(node, Mapping):
                yield from node.entries


def _position(node: yaml.Node) -> Position:
    return Position(node.start_mark.line + 1, node.start_mark.column + 1)


def call(node: Node) -> tuple[str, Node] | None:
    """Give name and argument where a node calls a function: a mapping of `Ref` or `Fn::...` alone."""
    if isinstance(node, Mapping) and len(node.entries) == 1:
        entry = node.entries[0]
        if entry.key == "Ref" or entry.key.startswith("Fn::"):
            return entry.key, entry.value
    return None


def walk(node: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Give a node and every node in it, each with its path."""
    yield path, node
    if isinstance(node, Mapping):
        for entry in node.entries:
            yield from walk(entry.value, (*path, entry.key))
    elif isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            yield from walk(item, (*path, index))


def within_text(scalar: Scalar) -> Node | None:
    """Read JSON that stands in a string, every part at the string's place; None where it is none."""
    try:
        return _placed(json.loads(scalar.text), scalar.at)
    except (ValueError, RecursionError):
        return None


def _placed(value: Any, at: Position) -> Node:
    if isinstance(value, dict):
        return Mapping(tuple(Entry(key, at, _placed(one, at)) for key, one in value.items()), at)
    if isinstance(value, list):
        return Sequence(tuple(_placed(one, at) for one in value), at)
    return Scalar(value, value if isinstance(value, str) else json.dumps(value), at)
