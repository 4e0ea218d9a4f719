"""Checks the frame of a template: its sections, and the fields of each parameter, resource and output.

A field that is not known may be newer than this list: it is a mistake where it nearly is a known one.
Lists: https://www.alibabacloud.com/help/en/ros/user-guide/template-structure and the pages below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from localcloud.lint.definitions import Definitions
from localcloud.lint.document import Document, Entry, Mapping, Node, Path, Scalar, Sequence
from localcloud.lint.findings import Finding, error, nearest, nearest_of_kind, note
from localcloud.lint.names import Names
from localcloud.lint.values import ValueChecker
from localcloud.template import FORMAT

SECTIONS = frozenset((
    "ROSTemplateFormatVersion", "Transform", "Description", "Metadata", "Parameters", "Mappings",
    "Conditions", "Rules", "Locals", "Resources", "Outputs",
))  # fmt: skip
PARAMETER = frozenset((
    "Type", "Default", "AllowedValues", "AllowedPattern", "MinLength", "MaxLength", "MinValue", "MaxValue",
    "NoEcho", "Description", "ConstraintDescription", "Label", "AssociationProperty",
    "AssociationPropertyMetadata", "Confirm", "TextArea", "Required", "Placeholder",
))  # fmt: skip
PARAMETER_TYPES = frozenset((
    "String", "Number", "Boolean", "Json", "CommaDelimitedList", "ALIYUN::OOS::Parameter::Value",
    "ALIYUN::OOS::SecretParameter::Value",
))  # fmt: skip
RESOURCE = frozenset((
    "Type", "Properties", "DependsOn", "Condition", "Count", "DeletionPolicy", "Metadata", "Description",
))  # fmt: skip
OUTPUT = frozenset(("Value", "Description", "Condition", "Label"))


def check_repeated(document: Document) -> Iterator[Finding]:
    """Find keys that stand twice in one mapping, of which only the last would count."""
    for path, entry, first in document.repeated:
        yield error(entry.at, (*path, entry.key), f"this key stands in line {first.line} already")


def check_sections(root: Mapping) -> Iterator[Finding]:
    """Check the top level."""
    yield from _fields(root, SECTIONS, ())
    version = root.get("ROSTemplateFormatVersion")
    if not isinstance(version, Scalar) or version.text != FORMAT:
        at = version.at if version else root.at
        yield error(at, ("ROSTemplateFormatVersion",), f"must be '{FORMAT}'")
    if not isinstance(root.get("Resources"), Mapping):
        yield error(root.at, ("Resources",), "a template needs resources")
    for name in ("Parameters", "Mappings", "Conditions", "Outputs"):
        section = root.get(name)
        if section and not isinstance(section, Mapping) and not _is_empty(section):
            yield error(section.at, (name,), "must be a mapping")


def check_parameters(names: Names) -> Iterator[Finding]:
    """Check each parameter's fields, and its default against its own limits."""
    for name, entry in names.parameters.items():
        path: Path = ("Parameters", name)
        if not isinstance(entry.value, Mapping):
            yield error(entry.at, path, "must be a mapping")
            continue
        yield from _fields(entry.value, PARAMETER, path)
        kind = entry.value.get("Type")
        if kind is None:
            yield error(entry.at, path, "the field Type is required")
        elif isinstance(kind, Scalar) and kind.text not in PARAMETER_TYPES:
            problem = f"{kind.text!r} is no type of parameter"
            yield error(kind.at, (*path, "Type"), problem, nearest(kind.text, PARAMETER_TYPES))
        yield from _default(entry.value, (*path, "Default"))


def _default(parameter: Mapping, path: Path) -> Iterator[Finding]:
    """Hold a default against the parameter's limits; it may be a secret, so that it is never shown."""
    default = parameter.get("Default")
    if not isinstance(default, Scalar) or default.value is None:
        return
    allowed = parameter.get("AllowedValues")
    if isinstance(allowed, Sequence):
        texts = [one.text for one in allowed.items if isinstance(one, Scalar)]
        if default.text not in texts:
            yield error(default.at, path, "the default is none of AllowedValues")
    pattern = parameter.get("AllowedPattern")
    if isinstance(pattern, Scalar) and not _matches(pattern.text, default.text):
        yield error(default.at, path, "the default does not match AllowedPattern")
    for field, size in (
        ("MinValue", default.value),
        ("MaxValue", default.value),
        ("MinLength", len(default.text)),
        ("MaxLength", len(default.text)),
    ):
        limit = parameter.get(field)
        if isinstance(limit, Scalar) and _is_beyond(size, limit.value, low=field.startswith("Min")):
            yield error(default.at, path, f"the default is beyond {field}, {limit.text}")


def _is_beyond(size: object, limit: object, *, low: bool) -> bool:
    """Compare numbers; a default or a limit that is none is for another check, or for the stack."""
    if isinstance(size, bool) or isinstance(limit, bool):
        return False
    if not isinstance(size, (int, float)) or not isinstance(limit, (int, float)):
        return False
    return size < limit if low else size > limit


def _matches(pattern: str, text: str) -> bool:
    try:
        return re.match(pattern, text) is not None
    except re.error:  # written for another engine, which may well take it
        return True


def check_resources(names: Names, definitions: Definitions) -> Iterator[Finding]:
    """Check each resource's fields, and its properties if its type is known."""
    for name, entry in names.resources.items():
        path: Path = ("Resources", name)
        if not isinstance(entry.value, Mapping):
            yield error(entry.at, path, "must be a mapping")
            continue
        yield from _fields(entry.value, RESOURCE, path)
        policy = entry.value.get("DeletionPolicy")
        if isinstance(policy, Scalar) and policy.text not in ("Delete", "Retain"):
            own = (*path, "DeletionPolicy")
            yield error(
                policy.at, own, "must be Delete or Retain", nearest(policy.text, ("Delete", "Retain"))
            )
        yield from _typed(entry, entry.value, names, definitions)


def _typed(entry: Entry, body: Mapping, names: Names, definitions: Definitions) -> Iterator[Finding]:
    path: Path = ("Resources", entry.key)
    kind = body.get("Type")
    if not isinstance(kind, Scalar):
        yield error(entry.at, path, "the field Type is required")
        return
    definition = definitions.resource(kind.text)
    if definition is None:
        near = nearest_of_kind(kind.text, definitions.resource_types)
        if near:
            yield error(kind.at, (*path, "Type"), f"{kind.text} is no resource type", near)
        else:
            yield note(kind.at, (*path, "Type"), f"{kind.text} is not among the definitions: not checked")
        return
    properties = body.get("Properties") or Mapping((), entry.at)
    yield from ValueChecker(definition, names.defaults).properties(properties, (*path, "Properties"))


def check_outputs(root: Mapping) -> Iterator[Finding]:
    """Check each output's fields."""
    outputs = root.get("Outputs")
    for entry in outputs.entries if isinstance(outputs, Mapping) else ():
        path: Path = ("Outputs", entry.key)
        if not isinstance(entry.value, Mapping):
            yield error(entry.at, path, "must be a mapping")
            continue
        yield from _fields(entry.value, OUTPUT, path)
        if "Value" not in entry.value.by_key:
            yield error(entry.at, path, "the field Value is required")


def _fields(node: Mapping, known: frozenset[str], path: Path) -> Iterator[Finding]:
    for entry in node.entries:
        if entry.key in known:
            continue
        near = nearest(entry.key, known)
        if near:
            yield error(entry.at, (*path, entry.key), "there is no such field", near)
        else:
            yield note(entry.at, (*path, entry.key), "a field that is not known: not checked")


def _is_empty(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None
