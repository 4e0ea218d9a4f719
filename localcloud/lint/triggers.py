"""Checks the configuration of triggers, which ROS hands to Function Compute as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator

from localcloud.lint.cron import schedule_problem
from localcloud.lint.definitions import Definitions
from localcloud.lint.document import Mapping, Node, Path, Scalar, within_text
from localcloud.lint.findings import Finding, error
from localcloud.lint.names import Names
from localcloud.lint.values import ValueChecker
from localcloud.template import TRIGGER

# A topic's messages come by a subscription that MNS makes, in the name of a role (function-compute.md 2).
_FROM_A_SOURCE = ("cdn_events", "log", "mns_topic", "oss", "tablestore")


def check_triggers(names: Names, definitions: Definitions) -> Iterator[Finding]:
    """Check every trigger against the definition of its type."""
    for resource in names.resources_of(TRIGGER):
        trigger_type = names.known_text(resource.properties.get("TriggerType"))
        definition = definitions.trigger(trigger_type) if trigger_type else None
        config = resource.properties.get("TriggerConfig")
        if definition is None or config is None:
            continue
        path = (*resource.path, "TriggerConfig")
        if definition.properties:
            yield from ValueChecker(definition, names.defaults).properties(config, path)
        if trigger_type in _FROM_A_SOURCE and "SourceArn" not in resource.properties.by_key:
            yield error(
                resource.properties.at, resource.path, f"a trigger of type {trigger_type} needs SourceArn"
            )
        yield from _texts(trigger_type, config, names, path)


def _texts(trigger_type: str | None, config: Node, names: Names, path: Path) -> Iterator[Finding]:
    """Check the members whose text has a form of its own."""
    tree = within_text(config) if isinstance(config, Scalar) else config
    if not isinstance(tree, Mapping):
        return
    schedule = tree.get("cronExpression") if trigger_type == "timer" else None
    text = names.known_text(schedule)
    if schedule and text and (problem := schedule_problem(text)):
        yield error(schedule.at, (*path, "cronExpression"), problem)
    pattern = tree.get("eventRuleFilterPattern") if trigger_type == "eventbridge" else None
    if isinstance(pattern, Scalar) and not _is_json_object(pattern.text):
        yield error(
            pattern.at, (*path, "eventRuleFilterPattern"), "must be a JSON object in a string, such as '{}'"
        )


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
