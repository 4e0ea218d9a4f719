"""Texts of a template as a stack has them: parameters as given or by default, resources by names."""

from __future__ import annotations

import re

from localcloud.template import Properties, Template, TemplateError, Tree

_PLACEHOLDER = re.compile(r"\$\{([^}]+)\}")


class Texts:
    """Resolves `Ref`, `Fn::GetAtt` and `Fn::Sub`.

    An attribute of a resource is the property of that name, as QueueName is; what a property does not tell,
    such as the ARN of a role, cannot be resolved.
    """

    def __init__(self, template: Template, *, region: str, account: str) -> None:
        parameters = template.tree.get("Parameters")
        described = parameters if isinstance(parameters, dict) else {}
        self._known: dict[str, Tree] = {
            name: one["Default"]
            for name, one in described.items()
            if isinstance(one, dict) and "Default" in one
        }
        self._known |= {**template.parameters, "ALIYUN::Region": region, "ALIYUN::TenantId": account}
        resources = template.tree["Resources"]
        self._resources = resources if isinstance(resources, dict) else {}

    def text(self, value: Tree, where: str) -> str:
        """Resolve a value; raise `TemplateError` naming `where`."""
        match value:
            case bool():
                return str(value).lower()
            case str() | int():
                return str(value)
            case {"Ref": str(name)}:
                return self._named(name, where)
            case {"Fn::GetAtt": [str(resource), str(attribute)]}:
                return self._named(f"{resource}.{attribute}", where)
            case {"Fn::Sub": str(text)}:
                return _PLACEHOLDER.sub(lambda found: self._named(found[1], where), text)
        raise TemplateError(f"{where} must be text, a number, Ref, Fn::GetAtt or Fn::Sub")

    def tell(self, parent: Properties, name: str, where: str, *, default: str | None = None) -> str:
        """Resolve a member; without a `default` it must be there."""
        value = parent.get(name, default)
        if value is None:
            raise TemplateError(f"{where}: {name} is missing")
        return self.text(value, f"{where}: {name}")

    def number(self, parent: Properties, name: str, where: str, *, default: int) -> int:
        """Resolve a member that is a whole number."""
        text = self.tell(parent, name, where, default=str(default))
        if not (text.isascii() and text.isdigit()):
            raise TemplateError(f"{where}: {name} must be a whole number")
        return int(text)

    def flag(self, parent: Properties, name: str, where: str, *, default: bool) -> bool:
        """Resolve a member that is true or false."""
        text = self.tell(parent, name, where, default=str(default)).lower()
        if text not in ("true", "false"):
            raise TemplateError(f"{where}: {name} must be true or false")
        return text == "true"

    def within(self, parent: Properties, *path: str) -> Properties:
        """Give a mapping inside of mappings; what is left out is empty."""
        for name in path:
            inner = parent.get(name)
            parent = inner if isinstance(inner, dict) else {}
        return parent

    def _named(self, name: str, where: str) -> str:
        if name in self._known:
            return self.text(self._known[name], where)
        resource, _, attribute = name.partition(".")
        properties = self.within(self._resources, resource, "Properties")
        # What a reference to a whole resource gives is its name, whatever that property is called.
        names = [attribute] if attribute else [one for one in properties if one.endswith("Name")][:1]
        if not names or names[0] not in properties:
            raise TemplateError(f"{where}: {name} is known only when the stack is deployed")
        return self.text(properties[names[0]], where)
