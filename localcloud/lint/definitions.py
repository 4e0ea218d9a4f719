"""What the vendor's packages say of resource types; `localcloud.lint.extract` takes it from them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).with_name("definitions.json")


@dataclass(frozen=True)
class Schema:
    """What a value must be; a limit that is None is not set.

    `type` is string, number, boolean, any, map (of any keys), list (of `items`) or object (`of` a name
    in `Definition.types`).
    """

    type: str
    required: bool = False
    of: str | None = None
    items: Schema | None = None
    values: tuple[str, ...] | None = None
    min: float | None = None
    max: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    multiple_of: int | None = None
    pattern: str | None = None

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Schema:
        """Build a schema from the data."""
        known = dict(raw)
        if "items" in known:
            known["items"] = cls.parse(known["items"])
        if "values" in known:
            known["values"] = tuple(str(one) for one in known["values"])
        return cls(**known)


Properties = Mapping[str, Schema]


@dataclass(frozen=True)
class Definition:
    """A resource type or a trigger's configuration: properties, the types they use, attributes to get."""

    properties: Properties
    types: Mapping[str, Properties]
    attributes: frozenset[str]

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Definition:
        """Build a definition from the data."""
        types = {name: _properties(members) for name, members in raw.get("types", {}).items()}
        return cls(_properties(raw["properties"]), types, frozenset(raw.get("attributes", ())))


class Definitions:
    """Everything that is known; a type is built when it is first asked for."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data
        self.sources: Mapping[str, str] = data["sources"]
        self.functions = frozenset(data["functions"])
        self.pseudo_parameters = frozenset(data["pseudo_parameters"])
        self.resource_types = frozenset(data["resources"])
        self.trigger_types = frozenset(data["triggers"])

    def resource(self, type_name: str) -> Definition | None:
        """Give the definition of a resource type, None for one that is not known."""
        raw = self._data["resources"].get(type_name)
        return Definition.parse(raw) if raw else None

    def trigger(self, trigger_type: str) -> Definition | None:
        """Give the definition of a trigger's configuration, None for a type that is not known."""
        raw = self._data["triggers"].get(trigger_type)
        return Definition.parse(raw) if raw else None


@lru_cache(maxsize=1)
def load_definitions() -> Definitions:
    """Read the definitions that come with this package."""
    return Definitions(json.loads(DATA.read_text(encoding="utf-8")))


def _properties(raw: Mapping[str, Any]) -> Properties:
    return {name: Schema.parse(one) for name, one in raw.items()}
