"""Stacks without a socket, for the tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.media.wire import Action
from localcloud.ros.service import Ros
from shared.adapters.clocks import ManualClock
from tests.localcloud.ros.sample import REGION, TEMPLATE

START = 1_800_000_000_000


class Desk:
    """Calls the actions of a local ROS, as the gateway does."""

    def __init__(self, **changes: Any) -> None:
        self.clock = ManualClock(START)
        self.ros = Ros(clock=self.clock, **changes)
        self._actions: Mapping[str, Action] = {one.name: one for one in self.ros.actions()}

    def call(self, action: str, **params: str) -> Any:
        """Call an action in the stacks' region."""
        return self._actions[action].handle({"RegionId": REGION, **params})

    def change(self, action: str, parameters: Mapping[str, str], **params: str) -> str:
        """Create or update with a template and its parameters; give the stack's id."""
        numbered = {
            f"Parameters.{number}.Parameter{part}": text
            for number, item in enumerate(parameters.items(), start=1)
            for part, text in zip(("Key", "Value"), item, strict=True)
        }
        answer = self.call(action, **{"TemplateBody": TEMPLATE, **numbered, **params})
        return str(answer["StackId"])

    def create(self, **params: str) -> str:
        """Create a stack."""
        return self.change("CreateStack", {"Code": "1.zip"}, StackName="media", **params)

    def status(self, stack_id: str) -> str:
        """Tell the stack's state."""
        return str(self.call("GetStack", StackId=stack_id)["Status"])

    def life(self, stack_id: str, steps: int = 10) -> list[str]:
        """Let time pass, and give the states that the stack goes through."""
        seen: list[str] = []
        for _ in range(steps):
            status = self.status(stack_id)
            seen += [status] if seen[-1:] != [status] else []
            self.clock.advance(1_000)
        return seen
