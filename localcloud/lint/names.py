"""The names that a template defines, and the text that its values come to before anything is deployed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from localcloud.lint.document import Entry, Mapping, Node, Path, Scalar, Sequence, call

PLACEHOLDER = re.compile(r"\$\{([^}!][^}]*)\}")


@dataclass(frozen=True)
class Resource:
    """The properties of one resource, and their path."""

    properties: Mapping
    path: Path


class Names:
    """What the sections of a template define, by name."""

    def __init__(self, root: Mapping) -> None:
        self.parameters = _section(root, "Parameters")
        self.resources = _section(root, "Resources")
        self.conditions = _section(root, "Conditions")
        self.mappings = _section(root, "Mappings")
        self.locals = _section(root, "Locals")
        self.defaults = dict(_defaults(self.parameters))

    def type_of(self, resource: str) -> str | None:
        """Tell the type of a resource as it is written."""
        entry = self.resources.get(resource)
        kind = entry.value.get("Type") if entry and isinstance(entry.value, Mapping) else None
        return kind.text if isinstance(kind, Scalar) else None

    def resources_of(self, type_name: str) -> Iterator[Resource]:
        """Give every resource of a type whose properties are a mapping."""
        for name, entry in self.resources.items():
            properties = entry.value.get("Properties") if isinstance(entry.value, Mapping) else None
            if self.type_of(name) == type_name and isinstance(properties, Mapping):
                yield Resource(properties, ("Resources", name, "Properties"))

    def known_text(self, node: Node | None) -> str | None:
        """Give the text of a value if it is known now: written here, or by a parameter's default."""
        if isinstance(node, Scalar) and node.value is not None:
            return node.text
        match call(node) if node else None:
            case ("Ref", Scalar() as name) if name.text in self.defaults:
                return self.defaults[name.text].text
        return None

    def least_text(self, node: Node) -> str:
        """Give what is known of a value's text now; what only the stack knows counts as nothing."""
        match call(node):
            case ("Fn::Sub", Scalar() as template):
                defaults = {name: default.text for name, default in self.defaults.items()}
                return PLACEHOLDER.sub(lambda found: defaults.get(found[1], ""), template.text)
            case ("Fn::Sub", Sequence(items=(Scalar() as template, *_))):
                return PLACEHOLDER.sub("", template.text)
        return self.known_text(node) or ""


def _section(root: Mapping, name: str) -> dict[str, Entry]:
    section = root.get(name)
    return section.by_key if isinstance(section, Mapping) else {}


def _defaults(parameters: dict[str, Entry]) -> Iterator[tuple[str, Scalar]]:
    """Give the default value of each parameter that has one without parts."""
    for name, entry in parameters.items():
        default = entry.value.get("Default") if isinstance(entry.value, Mapping) else None
        if isinstance(default, Scalar) and default.value is not None:
            yield name, default
