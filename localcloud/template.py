"""Reads `template.yml`, the one place that says which functions exist and what triggers them.

What only a deployed stack knows (an account id, a name given at deployment) stays as `${...}` in the
text. This checks what a runner needs; it is no validator of templates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from operator import add, mul, sub
from pathlib import Path
from typing import TypeAlias

import yaml

from localcloud.ros_yaml import RosLoader
from shared.errors import MisconfiguredError

FORMAT = "2015-09-01"
FUNCTION = "ALIYUN::FC3::Function"
TRIGGER = "ALIYUN::FC3::Trigger"
CONCURRENCY = "ALIYUN::FC3::ConcurrencyConfig"

Tree: TypeAlias = "bool | int | float | str | list[Tree] | dict[str, Tree] | None"
Properties = Mapping[str, Tree]

# The dotted form is the one that every loader of the runtime understands (style.md 5.2); its second
# part is the function's folder.
_HANDLER = re.compile(r"functions\.(?P<folder>[a-z][a-z0-9_]*)\.handler\.[a-z_][a-z0-9_]*")
_PLACEHOLDER = re.compile(r"\$\{([^}]+)\}")
_CALCULATION = re.compile(r"(?P<one>\d+) *(?P<operator>[-+*]) *(?P<other>\d+)")
_OPERATORS = {"-": sub, "+": add, "*": mul}


class TemplateError(MisconfiguredError):
    """The template is not what a runner can read; names the file and the line or the resource."""


@dataclass(frozen=True)
class TriggerSpec:
    """What starts a function: `type` and `config` are those of the Function Compute API."""

    name: str
    type: str
    config: Properties


@dataclass(frozen=True)
class HookSpec:
    """What an instance runs once, at its start or at its end; timeout in seconds."""

    handler: str
    timeout: int


@dataclass(frozen=True)
class FunctionSpec:
    """One function; `name` is its folder in `functions/`. Timeout in seconds, memory in MB.

    `concurrency` is how many requests one instance takes at a time, `reserved` how many instances there may
    be; without it, as many as the account has.
    """

    name: str
    handler: str
    runtime: str
    timeout: int
    memory: int
    environment: Mapping[str, str]
    triggers: tuple[TriggerSpec, ...]
    concurrency: int = 1
    reserved: int | None = None
    initializer: HookSpec | None = None
    pre_stop: HookSpec | None = None


@dataclass(frozen=True)
class Template:
    """A parsed template: its functions by name, and the whole document with the long forms.

    `parameters` are the values that were given, before the defaults.
    """

    functions: Mapping[str, FunctionSpec]
    tree: Mapping[str, Tree]
    parameters: Mapping[str, str] = field(default_factory=dict)

    def resources(self, type_: str) -> dict[str, Properties]:
        """Give the properties of every resource of that type, by logical id."""
        return {name: properties for name, own, properties in _resources(self.tree) if own == type_}


def read_template(path: Path, *, parameters: Mapping[str, str] | None = None) -> Template:
    """Read and parse a template file, with these values before the defaults of its parameters.

    Raise `TemplateError` naming the file.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(f"{path}: cannot be read as text: {error}") from error
    return parse_template(text, source=str(path), parameters=parameters)


def parse_template(text: str, *, source: str, parameters: Mapping[str, str] | None = None) -> Template:
    """Parse a template, as `read_template` does; raise `TemplateError` naming `source`."""
    try:
        tree = yaml.load(text, Loader=RosLoader)  # a SafeLoader: it builds plain values only
        return _Reader(tree, parameters or {}).read()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise TemplateError(f"{source}, line {line}: {error.problem}") from None
    except (yaml.YAMLError, _WrongError) as error:
        raise TemplateError(f"{source}: {error}") from None


class _WrongError(Exception):
    """Says what is wrong; `parse_template` adds the file."""


class _Reader:
    def __init__(self, tree: Tree, given: Mapping[str, str]) -> None:
        if not isinstance(tree, dict) or str(tree.get("ROSTemplateFormatVersion")) != FORMAT:
            raise _WrongError(f"not a ROS template: ROSTemplateFormatVersion must be '{FORMAT}'")
        self._tree = tree
        parameters = _mapping(tree, "Parameters", "the template") if "Parameters" in tree else {}
        described = {name: _mapping(parameters, name, "Parameters") for name in parameters}
        defaults = {name: str(p["Default"]) for name, p in described.items() if "Default" in p}
        self._given = given
        self._values = {**defaults, **given}

    def read(self) -> Template:
        resources = tuple(_resources(self._tree))
        triggers: dict[str, list[TriggerSpec]] = {}
        reserved: dict[str, int] = {}
        for name, type_, properties in resources:
            if type_ == TRIGGER:
                triggers.setdefault(_target(properties, name), []).append(self._trigger(properties, name))
            elif type_ == CONCURRENCY:
                reserved[_target(properties, name)] = self._integer(properties, "ReservedConcurrency", name)
        own = {name: properties for name, type_, properties in resources if type_ == FUNCTION}
        if strange := sorted((triggers.keys() | reserved.keys()) - own.keys()):
            raise _WrongError(f"triggers or instances of functions that do not exist: {', '.join(strange)}")
        functions: dict[str, FunctionSpec] = {}
        for name, properties in own.items():
            spec = self._function(properties, name, tuple(triggers.get(name, ())), reserved.get(name))
            if functions.setdefault(spec.name, spec) is not spec:
                raise _WrongError(f"{name}: a second resource for the function {spec.name}")
        return Template(functions, self._tree, self._given)

    def _function(
        self, properties: Properties, where: str, triggers: tuple[TriggerSpec, ...], reserved: int | None
    ) -> FunctionSpec:
        handler = self._text(properties, "Handler", where)
        match = _HANDLER.fullmatch(handler)
        if match is None:
            raise _WrongError(f"{where}: Handler must look like functions.<name>.handler.<callable>")
        key = "EnvironmentVariables"
        variables = _mapping(properties, key, where) if key in properties else {}
        return FunctionSpec(
            name=match["folder"],
            handler=handler,
            runtime=self._text(properties, "Runtime", where),
            timeout=self._integer(properties, "Timeout", where),
            memory=self._integer(properties, "MemorySize", where),
            environment={name: self._text(variables, name, where) for name in variables},
            triggers=triggers,
            concurrency=self._integer({"InstanceConcurrency": 1, **properties}, "InstanceConcurrency", where),
            reserved=reserved,
            initializer=self._hook(properties, "Initializer", where),
            pre_stop=self._hook(properties, "PreStop", where),
        )

    def _hook(self, properties: Properties, name: str, where: str) -> HookSpec | None:
        key = "InstanceLifecycleConfig"
        hooks = _mapping(properties, key, where) if key in properties else {}
        if name not in hooks:
            return None
        hook = _mapping(hooks, name, where)
        return HookSpec(self._text(hook, "Handler", where), self._integer(hook, "Timeout", where))

    def _trigger(self, properties: Properties, where: str) -> TriggerSpec:
        return TriggerSpec(
            name=self._text(properties, "TriggerName", where),
            type=self._text(properties, "TriggerType", where),
            config=_mapping(properties, "TriggerConfig", where),
        )

    def _integer(self, parent: Properties, name: str, where: str) -> int:
        text = self._text(parent, name, where)
        if not (text.isascii() and text.isdigit()):
            raise _WrongError(f"{where}: {name} must be a whole number")
        return int(text)

    def _text(self, parent: Properties, name: str, where: str) -> str:
        match parent.get(name):
            case str() | int() as value if not isinstance(value, bool):
                return str(value)
            case {"Ref": str(referred)}:
                return self._filled(f"${{{referred}}}")
            case {"Fn::GetAtt": [str(resource), str(attribute)]}:
                return f"${{{resource}.{attribute}}}"
            case {"Fn::Sub": str(text)}:
                return self._filled(text)
            case {"Fn::Calculate": [str(text), 0, list(numbers)]}:
                for index, number in enumerate(numbers):
                    text = text.replace(f"{{{index}}}", self._text({name: number}, name, where))
                return _calculated(text)
        raise _WrongError(f"{where}: {name} must be text, a whole number, Ref, Fn::GetAtt or Fn::Sub")

    def _filled(self, text: str) -> str:
        return _PLACEHOLDER.sub(lambda found: self._values.get(found[1], found[0]), text)


def _calculated(text: str) -> str:
    """Work out an operation on two whole numbers; anything else stays as it is written."""
    found = _CALCULATION.fullmatch(text)
    if found is None:
        return text
    return str(_OPERATORS[found["operator"]](int(found["one"]), int(found["other"])))


def _resources(tree: Mapping[str, Tree]) -> Iterator[tuple[str, str, Properties]]:
    """Give logical id, type and properties of each resource."""
    resources = _mapping(tree, "Resources", "the template")
    for name in resources:
        resource = _mapping(resources, name, "Resources")
        properties = _mapping(resource, "Properties", name) if "Properties" in resource else {}
        yield name, str(resource.get("Type")), properties


def _target(properties: Properties, where: str) -> str:
    """Tell the logical id of the function that a trigger refers to."""
    match properties.get("FunctionName"):
        case {"Ref": str(target)} | {"Fn::GetAtt": [str(target), "FunctionName"]}:
            return target
    raise _WrongError(f"{where}: FunctionName must refer to a function, as in !GetAtt X.FunctionName")


def _mapping(parent: Properties, name: str, where: str) -> Properties:
    value = parent.get(name)
    if not isinstance(value, dict):
        raise _WrongError(f"{where}: {name} must be a mapping")
    return value
