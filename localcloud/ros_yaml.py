"""The YAML of ROS templates."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import yaml


class RosLoader(yaml.SafeLoader):
    """YAML with the short forms of ROS functions, where no key may stand twice.

    YAML libraries take the last of two equal keys without a word, and a trigger is gone.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                problem = f"the key {key.value!r} stands here twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)

    def long_form(self, suffix: str, node: Any) -> dict[str, Any]:
        """Read `!Sub x` as `{"Fn::Sub": "x"}`."""
        name = suffix if suffix == "Ref" else f"Fn::{suffix}"
        if isinstance(node, yaml.ScalarNode):
            text = self.construct_scalar(node)
            return {name: text.split(".", 1) if suffix == "GetAtt" else text}
        if isinstance(node, yaml.SequenceNode):
            return {name: self.construct_sequence(node, deep=True)}
        return {name: self.construct_mapping(node, deep=True)}


RosLoader.add_multi_constructor("!", RosLoader.long_form)
