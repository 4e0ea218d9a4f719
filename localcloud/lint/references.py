"""Checks calls of functions, and that the parameters, resources and conditions they name exist."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter

from localcloud.lint.definitions import Definitions
from localcloud.lint.document import Entry, Mapping, Node, Path, Position, Scalar, Sequence, call, walk
from localcloud.lint.findings import Finding, error, nearest, nearest_of_kind, note
from localcloud.lint.names import PLACEHOLDER, Names

# How many arguments a function takes, where it takes a list of them
# (https://www.alibabacloud.com/help/en/ros/user-guide/functions).
_ARGUMENTS = {
    "Fn::Equals": (2, 2),
    "Fn::FindInMap": (3, 4),
    "Fn::GetAtt": (2, 2),
    "Fn::GetJsonValue": (2, 2),
    "Fn::If": (3, 3),
    "Fn::Join": (2, 2),
    "Fn::Select": (2, 3),
    "Fn::Split": (2, 2),
}
_COUNTED = re.compile(r"\[[^\]]*\]$")


class ReferenceChecker:
    """Checks the references of one template; remembers what is used, and which resource needs which."""

    def __init__(self, root: Mapping, names: Names, definitions: Definitions) -> None:
        self._root = root
        self._names = names
        self._definitions = definitions
        self._used: set[str] = set()
        self._needs: dict[str, list[str]] = {name: [] for name in names.resources}

    def check(self) -> Iterator[Finding]:
        """Check the whole template."""
        for section in ("Conditions", "Rules", "Locals", "Resources", "Outputs"):
            node = self._root.get(section)
            if node:
                yield from self._tree(node, (section,))
        yield from self._conditions()
        for entry in self._names.resources.values():
            yield from self._waited_for(entry)
        yield from self._unused()
        yield from self._circles()

    def _tree(self, node: Node, path: Path) -> Iterator[Finding]:
        for own, one in walk(node, path):
            called = call(one)
            if called:
                yield from self._call(*called, one.at, own)
            elif isinstance(one, Mapping):
                yield from self._crowded(one, own)
            elif isinstance(one, Scalar) and "Fn::Sub" not in own[-2:]:
                yield from self._unsubstituted(one, own)

    def _call(self, name: str, argument: Node, at: Position, path: Path) -> Iterator[Finding]:
        if name not in self._definitions.functions:
            near = nearest_of_kind(name, self._definitions.functions)
            if near:
                yield error(at, path, f"there is no function {name}", near)
            else:
                yield note(at, path, f"{name} is a function that is not known: not checked")
            return
        yield from _argument_count(name, argument, path)
        match name, argument:
            case "Ref", Scalar():
                yield from self._ref(argument, path)
            case "Fn::GetAtt", Sequence(items=(Scalar() as resource, Scalar() as attribute)):
                yield from self._attribute(resource.text, attribute.text, argument.at, path)
            case "Fn::Sub", Scalar():
                yield from self._substitution(argument, frozenset(), path)
            case "Fn::Sub", Sequence(items=(Scalar() as template, Mapping() as own)):
                yield from self._substitution(template, own.by_key.keys(), path)
            case "Fn::If", Sequence(items=(Scalar() as condition, *_)):
                yield from self._condition(condition, path)
            case "Fn::FindInMap", Sequence(items=(Scalar() as mapping, *keys)):
                yield from self._mapping(mapping, keys, path)

    def _ref(self, target: Scalar, path: Path) -> Iterator[Finding]:
        name = _COUNTED.sub("", target.text)
        self._used.add(name)
        known = {*self._names.parameters, *self._names.resources, *self._names.locals}
        known |= self._definitions.pseudo_parameters
        self._need(name, path)
        if name not in known:
            yield error(target.at, path, f"nothing here is called {name}", nearest(name, known))

    def _attribute(self, resource: str, attribute: str, at: Position, path: Path) -> Iterator[Finding]:
        name = _COUNTED.sub("", resource)
        if name not in self._names.resources:
            yield error(at, path, f"no resource is called {name}", nearest(name, self._names.resources))
            return
        self._need(name, path)
        type_name = self._names.type_of(name)
        definition = self._definitions.resource(type_name) if type_name else None
        # `ARN.WithSlash` is an attribute, `Outputs.Url` is inside one.
        if definition and definition.attributes.isdisjoint({attribute, attribute.partition(".")[0]}):
            problem = f"{type_name} has no attribute {attribute}"
            yield error(at, path, problem, nearest(attribute, definition.attributes))

    def _substitution(self, template: Scalar, own: Iterable[str], path: Path) -> Iterator[Finding]:
        for name in PLACEHOLDER.findall(template.text):
            resource, dot, attribute = name.strip().partition(".")
            self._used.add(resource)
            if name in own:
                continue
            if dot:
                yield from self._attribute(resource, attribute, template.at, path)
                continue
            known = {*self._names.parameters, *self._names.resources, *own}
            known |= self._definitions.pseudo_parameters
            self._need(resource, path)
            if _COUNTED.sub("", resource) not in known:
                problem = f"nothing here is called {resource}"
                yield error(template.at, path, problem, nearest(resource, known))

    def _unsubstituted(self, scalar: Scalar, path: Path) -> Iterator[Finding]:
        """Find text that was meant for Fn::Sub; a plain `${name}` may belong to a shell or a log."""
        for name in PLACEHOLDER.findall(scalar.text):
            resource, dot, _ = name.partition(".")
            if name in self._definitions.pseudo_parameters or (dot and resource in self._names.resources):
                yield error(scalar.at, path, f"${{{name}}} stays as it is without Fn::Sub")

    def _crowded(self, node: Mapping, path: Path) -> Iterator[Finding]:
        for entry in node.entries if len(node.entries) > 1 else ():
            if entry.key in self._definitions.functions - {"Ref"}:
                yield error(entry.at, (*path, entry.key), f"{entry.key} must be the only key of its mapping")

    # --- conditions, mappings, dependencies ----------------------------------------------------

    def _condition(self, name: Scalar, path: Path) -> Iterator[Finding]:
        if name.text not in self._names.conditions:
            near = nearest(name.text, self._names.conditions)
            yield error(name.at, path, f"no condition is called {name.text}", near)

    def _conditions(self) -> Iterator[Finding]:
        """Check where conditions are named without Fn::If."""
        for section in ("Resources", "Outputs"):
            entries = self._root.get(section)
            for entry in entries.entries if isinstance(entries, Mapping) else ():
                named = entry.value.get("Condition") if isinstance(entry.value, Mapping) else None
                if isinstance(named, Scalar):
                    yield from self._condition(named, (section, entry.key, "Condition"))
        for path, node in walk(self._root.get("Conditions") or Mapping((), self._root.at), ("Conditions",)):
            match call(node):
                case ("Fn::And" | "Fn::Or" | "Fn::Not", argument):
                    items = argument.items if isinstance(argument, Sequence) else (argument,)
                    for named in (one for one in items if isinstance(one, Scalar)):
                        yield from self._condition(named, path)

    def _mapping(self, name: Scalar, keys: list[Node], path: Path) -> Iterator[Finding]:
        entry = self._names.mappings.get(name.text)
        if entry is None:
            near = nearest(name.text, self._names.mappings)
            yield error(name.at, path, f"no mapping is called {name.text}", near)
            return
        node: Node | None = entry.value
        for key in keys[:2]:
            if not isinstance(key, Scalar) or not isinstance(node, Mapping):
                return
            if key.text not in node.by_key:
                problem = f"the mapping {name.text} has no key {key.text}"
                yield error(key.at, path, problem, nearest(key.text, node.by_key))
                return
            node = node.get(key.text)

    def _waited_for(self, entry: Entry) -> Iterator[Finding]:
        node = entry.value.get("DependsOn") if isinstance(entry.value, Mapping) else None
        path: Path = ("Resources", entry.key, "DependsOn")
        for one in node.items if isinstance(node, Sequence) else (node,):
            if not isinstance(one, Scalar) or one.value is None:
                continue
            name = _COUNTED.sub("", one.text)
            self._need(name, path)
            if name not in self._names.resources:
                near = nearest(name, self._names.resources)
                yield error(one.at, path, f"no resource is called {name}", near)

    def _need(self, name: str, path: Path) -> None:
        if path[0] == "Resources" and name in self._needs:
            self._needs[str(path[1])].append(name)

    def _circles(self) -> Iterator[Finding]:
        try:
            TopologicalSorter(self._needs).prepare()
        except CycleError as circle:
            # It is given from what is needed to what needs it.
            names = list(reversed(circle.args[1]))
            entry = self._names.resources[names[0]]
            problem = f"resources wait for each other: {', '.join(names)}"
            yield error(entry.at, ("Resources", entry.key), problem)

    def _unused(self) -> Iterator[Finding]:
        """Find parameters that nothing uses; the filters of other parameters may use one, too."""
        for entry in self._names.parameters.values():
            for _, node in walk(entry.value):
                if isinstance(node, Scalar):
                    self._used.update(PLACEHOLDER.findall(node.text))
        for name, entry in self._names.parameters.items():
            if name not in self._used:
                yield error(entry.at, ("Parameters", name), "nothing uses this parameter")


def _argument_count(name: str, argument: Node, path: Path) -> Iterator[Finding]:
    if name not in _ARGUMENTS or call(argument):
        return
    least, most = _ARGUMENTS[name]
    count = len(argument.items) if isinstance(argument, Sequence) else 1
    if not least <= count <= most:
        needed = str(least) if least == most else f"{least} to {most}"
        yield error(argument.at, path, f"{name} takes a list of {needed}, not of {count}")
