"""What a ROS template says once its parameters are known: as much of its language as ours uses."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from operator import mul, sub
from typing import Any

from localcloud.template import Template

PSEUDO = {"ALIYUN::Region": "cn-shanghai", "ALIYUN::TenantId": "1000000000000001"}
CALCULATED = {"-": sub, "*": mul}
# Attributes that are no property of the same name.
ATTRIBUTES = {"Arn": "<arn of {}>", "UrlInternet": "https://{}.example"}
NAMES = {"ALIYUN::OSS::Bucket": "BucketName", "ALIYUN::SLS::Project": "Name"}


class Stack:
    """A stack of a template with these parameters, and the defaults of the others."""

    def __init__(self, template: Template, **parameters: object) -> None:
        tree: Any = template.tree
        self._resources = tree["Resources"]
        self._conditions = tree.get("Conditions", {})
        self._outputs = tree["Outputs"]
        defaults = {name: one["Default"] for name, one in tree["Parameters"].items() if "Default" in one}
        assert set(parameters) <= set(tree["Parameters"])
        self._values: dict[str, Any] = {**PSEUDO, **defaults, **parameters}

    def of_type(self, type_: str) -> dict[str, Any]:
        """Give the properties of the resources of a type that this stack has, by logical id."""
        return {
            name: self.properties(name)
            for name, one in self._resources.items()
            if one["Type"] == type_ and self._is_made(one)
        }

    def properties(self, name: str) -> Any:
        """Give a resource's properties."""
        return self.value(self._resources[name]["Properties"])

    def outputs(self) -> dict[str, Any]:
        """Give the stack's outputs."""
        return {name: self.value(one["Value"]) for name, one in self._outputs.items()}

    def grants(self, role: str) -> set[tuple[str, str]]:
        """Give what a role may do: action and resource, which may be a pattern."""
        own = self.properties(role)
        documents = [policy["PolicyDocument"] for policy in own["Policies"]]
        for policy in self.of_type("ALIYUN::RAM::ManagedPolicy").values():
            if own["RoleName"] in policy["Roles"]:
                documents.append(policy["PolicyDocument"])
        return {
            (action, resource)
            for document in documents
            for statement in document["Statement"]
            for action in statement["Action"]
            for resource in statement["Resource"]
        }

    def value(self, tree: Any) -> Any:
        """Work out a part of the template."""
        match tree:
            case {"Ref": name}:
                return self._ref(name)
            case {"Fn::GetAtt": [resource, attribute]}:
                return self._attribute(resource, attribute)
            case {"Fn::Sub": [text, names]}:
                return self._filled(self.value(text), self.value(names))
            case {"Fn::Sub": str(text)}:
                return self._filled(text, {})
            case {"Fn::Split": [separator, text]}:
                return self.value(text).split(separator)
            case {"Fn::Replace": [changes, text]}:
                told = self.value(text)
                for old, new in changes.items():
                    told = told.replace(old, new)
                return told
            case {"Fn::Calculate": [str(text), 0, [number]]}:
                _, operator, other = text.split()
                return CALCULATED[operator](int(self.value(number)), int(other))
            case {"Fn::Not": [condition]}:
                return not self.value(condition)
            case {"Fn::Equals": [one, other]}:
                return self.value(one) == self.value(other)
            case dict():
                assert not any(key.startswith("Fn::") for key in tree), f"a function unknown here: {tree}"
                return {key: self.value(one) for key, one in tree.items()}
            case list():
                return [self.value(one) for one in tree]
        return tree

    def _is_made(self, resource: Any) -> bool:
        return "Condition" not in resource or bool(self.value(self._conditions[resource["Condition"]]))

    def _ref(self, name: str) -> Any:
        if name in self._values:
            return self._values[name]
        return self.properties(name)[NAMES[self._resources[name]["Type"]]]

    def _attribute(self, resource: str, attribute: str) -> Any:
        if attribute in ATTRIBUTES:
            return ATTRIBUTES[attribute].format(resource)
        own = self._resources[resource]
        name = NAMES[own["Type"]] if attribute == "Name" else attribute
        return self.value(own["Properties"][name])

    def _filled(self, text: str, names: dict[str, Any]) -> str:
        def fill(found: re.Match[str]) -> str:
            name, _, attribute = found[1].partition(".")
            if name in names:
                return str(names[name])
            return str(self._attribute(name, attribute) if attribute else self._ref(name))

        return re.sub(r"\$\{([^}]+)\}", fill, text)


def covers(grant: tuple[str, str], use: tuple[str, str]) -> bool:
    """Tell whether a grant allows what was done: an action on a resource."""
    return grant[0] == use[0] and fnmatchcase(use[1], grant[1])
