"""What a stack is made from: resources and outputs of a template whose parameters have values.

Parameters are filled in; what only a real resource knows stays as it is written. Conditions are not looked
at: every resource counts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.lint import document
from localcloud.lint.document import Node, Scalar, read_document
from localcloud.lint.names import PLACEHOLDER, Names
from localcloud.media.wire import RefusedError
from localcloud.template import TemplateError


@dataclass(frozen=True)
class Resource:
    """A resource as the stack shall have it; `content` differs where anything of it differs."""

    type: str
    content: str


@dataclass(frozen=True)
class Blueprint:
    """All that a stack is made from. Two that are equal make the same stack."""

    text: str
    parameters: Mapping[str, str]
    resources: Mapping[str, Resource]
    outputs: Mapping[str, str]


def blueprint(text: str, given: Mapping[str, str], *, pseudo: Mapping[str, str]) -> Blueprint:
    """Fill a template in; refuse the call in the vendor's words where it cannot be."""
    try:
        root = read_document(text, source="TemplateBody").root
    except TemplateError as error:
        raise RefusedError(400, "InvalidTemplate", str(error)) from None
    names = Names(root)
    if not names.resources:
        raise RefusedError(400, "InvalidTemplate", "Resources must be defined in the template.")
    values = _values(names, given)
    known = {**pseudo, **values}
    section = root.get("Outputs")
    outputs: Any = _plain(section) if section else {}
    return Blueprint(
        text=text,
        parameters=values,
        resources={
            name: Resource(names.type_of(name) or "", json.dumps(_filled(_plain(entry.value), known)))
            for name, entry in names.resources.items()
        },
        outputs={name: _as_text(_filled(one.get("Value"), known)) for name, one in outputs.items()},
    )


def _values(names: Names, given: Mapping[str, str]) -> dict[str, str]:
    for name in given:
        if name not in names.parameters:
            raise RefusedError(
                400, "StackValidationFailed", f"The Parameter ({name}) was not defined in template."
            )
    values = {name: default.text for name, default in names.defaults.items()} | dict(given)
    for name in names.parameters:
        if name not in values:
            raise RefusedError(400, "StackValidationFailed", f"The Parameter ({name}) was not provided.")
    return values


def _plain(node: Node) -> Any:
    """Give a node's value without its place in the file."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, document.Mapping):
        return {entry.key: _plain(entry.value) for entry in node.entries}
    return [_plain(item) for item in node.items]


def _filled(tree: Any, known: Mapping[str, str]) -> Any:
    match tree:
        case {"Ref": str(name)} if name in known:
            return known[name]
        case {"Fn::Sub": str(text)}:
            return PLACEHOLDER.sub(lambda found: known.get(found[1], found[0]), text)
        case dict():
            return {key: _filled(one, known) for key, one in tree.items()}
        case list():
            return [_filled(one, known) for one in tree]
    return tree


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
