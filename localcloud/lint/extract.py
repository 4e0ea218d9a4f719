"""Takes the definitions of ROS resource types out of the vendor's packages.

    python -m localcloud.lint.extract FOLDER

FOLDER holds the wheels of requirements/ros-cdk.txt, as `pip download --no-deps` leaves them; nothing of
theirs is run. A `ros-cdk-*` wheel carries JavaScript "Generated from the AliCloud ROS Resource
Specification", of so regular a form that a few patterns read it; the client of Function Compute carries
a class for each trigger's configuration. What neither says stands in `additions`.
"""

from __future__ import annotations

import argparse
import ast
import io
import json
import re
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from localcloud.lint.additions import TRIGGER_TYPES, with_additions
from localcloud.lint.definitions import DATA

Schema: TypeAlias = "dict[str, Any]"
Types = dict[str, dict[str, Schema]]

CLIENT = "alibabacloud_fc20230330"

_FUNCTION = re.compile(r"^function (\w+)\(properties[^)]*\) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_CLASS = re.compile(r"^class (Ros\w+) extends ros\.RosResource \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_TYPE_NAME = re.compile(r'^(Ros\w+)\.ROS_RESOURCE_TYPE_NAME = "([^"]+)";', re.MULTILINE)
_ATTRIBUTE = re.compile(r"this\.getAtt\('([^']+)'\)")
_RENDERED_BY = re.compile(r"return (ros\w+ToRosTemplate)\(props")
_RENDERED = re.compile(r"^        '([^']+)': .*\(properties\.(\w+)\),$", re.MULTILINE)
_VALIDATED_BY = re.compile(r"\b(Ros\w+Validator)\(properties\)\.assertSuccess")
_CHECK = re.compile(
    r"ros\.propertyValidator\('(\w+)', (.+?)\)\((?:properties\.\w+\)\);|\{\n(.*?)^ +\}\)\);)", re.M | re.S
)
_LIMIT = re.compile(r"^ +(min|max|allowedValues|reg): (.+?),?$", re.MULTILINE)
_NESTED = re.compile(r"(?:ros\.(list|hash)Validator\()?((?:ros\.)?\w+)\)?")
_KINDS = {
    "ros.validateString": "string",
    "ros.validateNumber": "number",
    "ros.validateBoolean": "boolean",
    "ros.validateAny": "any",
    "ros.validateAnyDict": "map",
}
_TAG = {"type": "object", "of": "Tag"}


def main(arguments: Sequence[str]) -> None:
    """Write the definitions from the wheels in a folder."""
    parser = argparse.ArgumentParser(prog="python -m localcloud.lint.extract")
    parser.add_argument("folder", type=Path, help="where the wheels of requirements/ros-cdk.txt are")
    wheels = sorted(parser.parse_args(arguments).folder.glob("*.whl"))
    DATA.write_text(as_text(with_additions(definitions(wheels))), encoding="utf-8")


def definitions(wheels: Sequence[Path]) -> dict[str, Any]:
    """Read every definition out of these wheels; the client and `ros-cdk-core` must be among them."""
    sources: dict[str, str] = {}
    found: dict[str, Any] = {"sources": sources, "functions": [], "pseudo_parameters": [], "resources": {}}
    for wheel in wheels:
        name, version = wheel.name.split("-")[:2]
        sources[name.replace("_", "-")] = version
        with zipfile.ZipFile(wheel) as archive:
            if name == CLIENT:
                found["triggers"] = trigger_types(_models(archive), TRIGGER_TYPES)
                continue
            scripts = dict(_scripts(archive))
        if name == "ros_cdk_core":
            found["functions"] = sorted({*re.findall(r"\bFn::\w+", scripts["ros-fn.js"]), "Ref"})
            found["pseudo_parameters"] = re.findall(r'"(ALIYUN::\w+)"', scripts["ros-pseudo.js"])
        for text in (text for name, text in scripts.items() if name.endswith(".generated.js")):
            found["resources"].update(resource_types(text))
    return found


def as_text(found: Mapping[str, Any]) -> str:
    """Write definitions with one line for each resource type, so that a new version can be compared."""
    lines = []
    for key, value in sorted(found.items()):
        if key in ("resources", "triggers"):
            entries = (f"{json.dumps(name)}:{_compact(one)}" for name, one in sorted(value.items()))
            lines.append(f"{json.dumps(key)}:{{\n" + ",\n".join(entries) + "\n}")
        else:
            lines.append(f"{json.dumps(key)}:{_compact(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _compact(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _scripts(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Give the scripts of a package, by name; data sources of another folder are left out."""
    bundle = next(name for name in archive.namelist() if name.endswith(".jsii.tgz"))
    with tarfile.open(fileobj=io.BytesIO(archive.read(bundle))) as files:
        for member in files:
            match = re.fullmatch(r"package/lib/([\w.-]+\.js)", member.name)
            content = files.extractfile(member) if match else None
            if match and content:
                yield match[1], content.read().decode("utf-8")


# --- the generated JavaScript ------------------------------------------------------------------


def resource_types(script: str) -> dict[str, Any]:
    """Read the resource types of one generated script."""
    bodies = dict(_FUNCTION.findall(script))
    classes = dict(_CLASS.findall(script))
    return {
        type_name: _resource(classes[class_name], bodies)
        for class_name, type_name in _TYPE_NAME.findall(script)
    }


def _resource(class_body: str, bodies: Mapping[str, str]) -> dict[str, Any]:
    rendered_by = _RENDERED_BY.search(class_body)
    if rendered_by is None:
        raise ValueError(f"a class of another form: {class_body[:200]}")
    types: Types = {}
    properties = _properties(bodies[rendered_by[1]], bodies, types)
    resource: dict[str, Any] = {
        "attributes": sorted(set(_ATTRIBUTE.findall(class_body))),
        "properties": properties,
    }
    return {**resource, "types": types} if types else resource


def _properties(rendering: str, bodies: Mapping[str, str], types: Types) -> dict[str, Schema]:
    """Pair each property's name in the template with the checks of its name in JavaScript."""
    validator = _VALIDATED_BY.search(rendering)
    if validator is None:
        raise ValueError(f"a rendering of another form: {rendering[:200]}")
    checks: dict[str, Schema] = {}
    for name, check, limits in _CHECK.findall(bodies[validator[1]]):
        checks.setdefault(name, {}).update(_checked(check, limits, bodies, types))
    return {name: checks[own] for name, own in _RENDERED.findall(rendering)}


def _checked(check: str, limits: str, bodies: Mapping[str, str], types: Types) -> Schema:
    """Say as a schema what one check of a property asks for."""
    if check == "ros.requiredValidator":
        return {"required": True}
    if limits:
        given = {key: value for key, value in _LIMIT.findall(limits) if value != "undefined"}
        match check:
            case "ros.validateLength":
                return {f"{key}_length": json.loads(value) for key, value in given.items()}
            case "ros.validateRange":
                return {key: json.loads(value) for key, value in given.items()}
            case "ros.validateAllowedValues":
                return {"values": json.loads(given["allowedValues"])}
            case "ros.validateAllowedPattern":
                return {"pattern": _pattern(given["reg"])}
    nested = _NESTED.fullmatch(check)
    if nested is None:
        raise ValueError(f"a check of another form: {check}")
    collection, name = nested.groups()
    if collection == "hash":
        return {"type": "map"}
    schema = _named(name, bodies, types)
    return {"type": "list", "items": schema} if collection == "list" else schema


def _named(name: str, bodies: Mapping[str, str], types: Types) -> Schema:
    if name in _KINDS:
        return {"type": _KINDS[name]}
    if name == "ros.validateRosTag":
        types["Tag"] = {"Key": {"type": "string", "required": True}, "Value": {"type": "string"}}
        return _TAG
    short = name.partition("_")[2].removesuffix("PropertyValidator")
    if short not in types:
        types[short] = {}  # before its own properties, which may be of the same type
        rendering = next(body for body in bodies.values() if f" {name}(properties).assertSuccess" in body)
        types[short] = _properties(rendering, bodies, types)
    return {"type": "object", "of": short}


def _pattern(literal: str) -> str:
    pattern = literal[1 : literal.rindex("/")]
    re.compile(pattern)
    return pattern


# --- the client of Function Compute ------------------------------------------------------------


def _models(archive: zipfile.ZipFile) -> dict[str, ast.ClassDef]:
    prefix = f"{CLIENT}/models/_"
    modules = [name for name in archive.namelist() if name.startswith(prefix)]
    nodes = [node for name in modules for node in ast.parse(archive.read(name)).body]
    return {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}


def trigger_types(models: Mapping[str, ast.ClassDef], wanted: Mapping[str, str | None]) -> dict[str, Any]:
    """Read the configuration of each wanted type of trigger out of the client's classes."""
    triggers: dict[str, Any] = {}
    for trigger, model in wanted.items():
        types: Types = {}
        triggers[trigger] = {"properties": _model_properties(model, models, types) if model else {}}
        if types:
            triggers[trigger]["types"] = types
    return triggers


def _model_properties(model: str, models: Mapping[str, ast.ClassDef], types: Types) -> dict[str, Schema]:
    """Read the members of a class: types from `__init__`, names on the wire from `to_map`."""
    methods = {node.name: node for node in models[model].body if isinstance(node, ast.FunctionDef)}
    annotations = {
        argument.arg: ast.unparse(argument.annotation)
        for argument in methods["__init__"].args.args
        if argument.annotation
    }
    names = re.findall(r"result\['(\w+)'\] = self\.(\w+)", ast.unparse(methods["to_map"]))
    return {wire: _annotated(annotations[member], models, types) for wire, member in names}


def _annotated(annotation: str, models: Mapping[str, ast.ClassDef], types: Types) -> Schema:
    simple = {"str": "string", "int": "number", "float": "number", "bool": "boolean"}
    if annotation in simple:
        return {"type": simple[annotation]}
    if annotation.startswith("List["):
        return {"type": "list", "items": _annotated(annotation[5:-1], models, types)}
    if annotation.startswith("Dict["):
        return {"type": "map"}
    model = annotation.removeprefix("main_models.")
    if model not in types:
        types[model] = {}
        types[model] = _model_properties(model, models, types)
    return {"type": "object", "of": model}


if __name__ == "__main__":
    main(sys.argv[1:])
