"""Holds a property's value against its definition, at any depth."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from localcloud.lint.definitions import Definition, Properties, Schema
from localcloud.lint.document import Mapping, Node, Path, Scalar, Sequence, call, within_text
from localcloud.lint.findings import Finding, error, nearest

_SCALARS = ("string", "number", "boolean")
_NAMES = {Scalar: "a single value", Sequence: "a list", Mapping: "a mapping"}


class ValueChecker:
    """Checks values of one resource; `defaults` are the default values of parameters, by name."""

    def __init__(self, definition: Definition, defaults: dict[str, Scalar]) -> None:
        self._definition = definition
        self._defaults = defaults

    def properties(self, node: Node, path: Path) -> Iterator[Finding]:
        """Check all properties of the resource."""
        yield from self._object(node, self._definition.properties, path)

    def _object(self, node: Node, properties: Properties, path: Path) -> Iterator[Finding]:
        if isinstance(node, Scalar):
            node = within_text(node) or node
        if not isinstance(node, Mapping):
            yield error(node.at, path, f"must be a mapping, is {_NAMES[type(node)]}")
            return
        if call(node):
            return
        for entry in node.entries:
            own = (*path, entry.key)
            schema = properties.get(entry.key)
            if schema is None:
                yield error(entry.at, own, "there is no such property", nearest(entry.key, properties))
            elif _is_null(entry.value) and schema.required:
                yield error(entry.at, own, "is required, and empty")
            else:
                yield from self._value(entry.value, schema, own)
        for name, schema in properties.items():
            if schema.required and name not in node.by_key:
                yield error(node.at, path, f"the property {name} is required")

    def _value(self, node: Node, schema: Schema, path: Path) -> Iterator[Finding]:
        """Check one value; what a function gives is known to the stack only."""
        if schema.type == "any" or _is_null(node):
            return
        called = call(node)
        if called:
            yield from self._called(*called, schema, path)
        elif schema.type in _SCALARS:
            yield from _scalar(node, schema, path)
        elif schema.type == "list":
            yield from self._list(node, schema, path)
        elif schema.type == "object" and schema.of:
            yield from self._object(node, self._definition.types[schema.of], path)
        else:
            yield from self._map(node, path)

    def _called(self, name: str, argument: Node, schema: Schema, path: Path) -> Iterator[Finding]:
        if name == "Fn::If" and isinstance(argument, Sequence):
            for index, branch in enumerate(argument.items[1:], 1):
                yield from self._value(branch, schema, (*path, name, index))
        if name == "Ref" and isinstance(argument, Scalar) and schema.type in _SCALARS:
            default = self._defaults.get(argument.text)
            if default and default.text:
                for finding in _scalar(default, schema, path):
                    problem = f"the default of the parameter {argument.text} {finding.problem}"
                    yield error(argument.at, path, problem, finding.nearest)

    def _list(self, node: Node, schema: Schema, path: Path) -> Iterator[Finding]:
        if isinstance(node, Scalar):
            node = within_text(node) or node
        if not isinstance(node, Sequence):
            yield error(node.at, path, f"must be a list, is {_NAMES[type(node)]}")
            return
        # An element may be nothing, or a list of its own, once functions are done.
        if not any(call(item) for item in node.items):
            yield from _length(len(node.items), "elements", node, schema, path)
        if schema.items:
            for index, item in enumerate(node.items):
                yield from self._value(item, schema.items, (*path, index))

    def _map(self, node: Node, path: Path) -> Iterator[Finding]:
        inner = within_text(node) if isinstance(node, Scalar) else node
        if not isinstance(inner, Mapping):
            yield error(node.at, path, f"must be a mapping, is {_NAMES[type(node)]}")


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


def _scalar(node: Node, schema: Schema, path: Path) -> Iterator[Finding]:
    """Check a value without parts. ROS turns text into numbers and back, so both are taken for either."""
    if not isinstance(node, Scalar):
        yield error(node.at, path, f"must be a {schema.type}, is {_NAMES[type(node)]}")
        return
    if schema.type == "boolean" and node.text.lower() not in ("true", "false"):
        yield error(node.at, path, f"must be true or false, is {node.text!r}")
    elif schema.type == "number":
        yield from _number(node, schema, path)
    if schema.values and not {node.text, str(node.value)} & set(schema.values):
        near = nearest(node.text, schema.values) if schema.type == "string" else None
        yield error(node.at, path, f"{node.text!r} is none of: {', '.join(schema.values)}", near)
    if schema.type == "string":
        yield from _length(len(node.text), "characters", node, schema, path)
        if schema.pattern and not re.search(schema.pattern, node.text):
            yield error(node.at, path, f"does not match {schema.pattern}")


def _number(node: Scalar, schema: Schema, path: Path) -> Iterator[Finding]:
    try:
        number = None if isinstance(node.value, bool) else Decimal(str(node.value).strip())
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        yield error(node.at, path, f"must be a number, is {node.text!r}")
        return
    low, high = schema.min, schema.max
    if low is not None and number < Decimal(str(low)):
        yield error(node.at, path, f"{node.text} is less than {low}, the least allowed")
    if high is not None and number > Decimal(str(high)):
        yield error(node.at, path, f"{node.text} is more than {high}, the most allowed")
    if schema.multiple_of and number % schema.multiple_of:
        yield error(node.at, path, f"{node.text} is no multiple of {schema.multiple_of}")


def _length(length: int, unit: str, node: Node, schema: Schema, path: Path) -> Iterator[Finding]:
    if schema.min_length is not None and length < schema.min_length:
        yield error(node.at, path, f"has {length} {unit}; at least {schema.min_length} are needed")
    if schema.max_length is not None and length > schema.max_length:
        yield error(node.at, path, f"has {length} {unit}; at most {schema.max_length} are allowed")
