"""The actions of ROS that a deployment needs: `CreateStack`, `UpdateStack`, `DeleteStack`, `GetStack`,
`ListStacks` and `ListStackEvents`, 2019-09-10, as the SDK package alibabacloud_ros20190910 3.7.0 names them.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from localcloud.media.wire import Action, Answer, RefusedError, Tree, required
from localcloud.ros.stacks import Failure, Stack
from localcloud.ros.templates import Blueprint, blueprint
from shared.adapters.signing import timestamp

if TYPE_CHECKING:
    from shared.ports import Clock

PRODUCT = "ros"
VERSION = "2019-09-10"

# What an update may begin from: https://www.alibabacloud.com/help/en/ros/user-guide/create-a-change-set
_UPDATABLE = (
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_FAILED",
    "ROLLBACK_COMPLETE",
    "ROLLBACK_FAILED",
)


@dataclass(kw_only=True, eq=False)
class Ros:
    """Keeps the stacks of one account and region.

    `pace_ms` is how long one resource takes. `newest_first` is the order of events, which the vendor does not
    tell.
    """

    clock: Clock
    account: str = "1000000000000001"
    region: str = "cn-shanghai"
    pace_ms: int = 1_000
    newest_first: bool = True
    seed: int = 0

    _stacks: dict[str, Stack] = field(default_factory=dict, init=False, repr=False)
    _tokens: dict[str, Stack] = field(default_factory=dict, init=False, repr=False)
    _failures: dict[str, Failure] = field(default_factory=dict, init=False, repr=False)
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._random = random.Random(f"{PRODUCT}/{self.seed}")

    def actions(self) -> tuple[Action, ...]:
        """List the operations for the gateway."""
        handlers = {
            "CreateStack": self._create,
            "UpdateStack": self._update,
            "DeleteStack": self._delete,
            "GetStack": self._get,
            "ListStacks": self._list,
            "ListStackEvents": self._events,
        }
        return tuple(Action(PRODUCT, VERSION, name, handle) for name, handle in handlers.items())

    def let_fail(self, resource: str, failure: Failure | None) -> None:
        """Let a resource fail whenever it is made or changed from now on; None lets it be."""
        if failure is None:
            self._failures.pop(resource, None)
        else:
            self._failures[resource] = failure

    def _create(self, params: Mapping[str, str]) -> Answer:
        self._check_region(params)
        name = required(params, "StackName")
        token = params.get("ClientToken", "")
        if token in self._tokens:
            return {"StackId": self._tokens[token].id}
        if any(one.name == name for one in self._alive()):
            raise RefusedError(409, "StackExists", f"The Stack ({name}) already exists.")
        stack_id = self._new_id()
        made = self._blueprint(params, name, stack_id, {})
        stack = self._stacks[stack_id] = Stack(stack_id, name, self.clock.now(), made)
        undo = params.get("DisableRollback", "false") != "true"
        stack.create(failures=self._failures, pace=self.pace_ms, undo=undo)
        self._remember(token, stack)
        return {"StackId": stack_id}

    def _update(self, params: Mapping[str, str]) -> Answer:
        stack = self._find(params)
        token = params.get("ClientToken", "")
        if token in self._tokens:
            return {"StackId": stack.id}
        status = self._settled(stack)
        if status not in _UPDATABLE:
            raise RefusedError(400, "NotSupported", f"Updating a stack in {status} is not supported.")
        before = stack.made.parameters if params.get("UsePreviousParameters") == "true" else {}
        to = self._blueprint(params, stack.name, stack.id, before)
        if to == stack.made and status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            raise RefusedError(400, "NotSupported", "Update the completely same stack is not supported.")
        stack.update(to, now=self.clock.now(), failures=self._failures, pace=self.pace_ms)
        self._remember(token, stack)
        return {"StackId": stack.id}

    def _delete(self, params: Mapping[str, str]) -> Answer:
        stack = self._find(params)
        self._settled(stack)
        stack.delete(now=self.clock.now(), pace=self.pace_ms)
        return {}

    def _get(self, params: Mapping[str, str]) -> Answer:
        stack = self._find(params)
        outputs: list[Tree] = []
        if self._status(stack) in _UPDATABLE:
            outputs = [
                {"OutputKey": name, "OutputValue": value, "Description": ""}
                for name, value in stack.made.outputs.items()
            ]
        parameters: list[Tree] = [
            {"ParameterKey": name, "ParameterValue": value} for name, value in stack.made.parameters.items()
        ]
        return {**self._described(stack), "Outputs": outputs, "Parameters": parameters}

    def _list(self, params: Mapping[str, str]) -> Answer:
        self._check_region(params)
        names = {value for name, value in params.items() if name.startswith("StackName.")}
        found = [one for one in self._alive() if not names or one.name in names]
        return _page([self._described(one) for one in found], params, "Stacks")

    def _events(self, params: Mapping[str, str]) -> Answer:
        stack = self._find(params)
        events: list[dict[str, Tree]] = [
            {
                "EventId": f"{stack.id}-{number}",
                "StackId": stack.id,
                "StackName": stack.name,
                "LogicalResourceId": one.resource,
                "PhysicalResourceId": "",
                "ResourceType": one.type,
                "Status": one.status,
                "StatusReason": one.reason,
                "CreateTime": _time(one.at),
            }
            for number, one in enumerate(stack.past(self.clock.now()))
        ]
        return _page(events[::-1] if self.newest_first else events, params, "Events")

    def _described(self, stack: Stack) -> dict[str, Tree]:
        state = stack.state(self.clock.now())
        return {
            "StackId": stack.id,
            "StackName": stack.name,
            "RegionId": self.region,
            "StackType": "ROS",
            "Status": state.status,
            "StatusReason": state.reason,
            "CreateTime": _time(stack.created),
        }

    def _blueprint(
        self, params: Mapping[str, str], name: str, stack_id: str, before: Mapping[str, str]
    ) -> Blueprint:
        given = {
            params[key]: params.get(key.replace("ParameterKey", "ParameterValue"), "")
            for key in params
            if key.startswith("Parameters.") and key.endswith(".ParameterKey")
        }
        pseudo = {
            "ALIYUN::Region": self.region,
            "ALIYUN::TenantId": self.account,
            "ALIYUN::StackName": name,
            "ALIYUN::StackId": stack_id,
        }
        text = required(params, "TemplateBody")
        return blueprint(text, {**before, **given}, pseudo=pseudo)

    def _find(self, params: Mapping[str, str]) -> Stack:
        self._check_region(params)
        stack_id = required(params, "StackId")
        if stack_id not in self._stacks:
            raise RefusedError(404, "StackNotFound", f"The Stack ({stack_id}) could not be found.")
        return self._stacks[stack_id]

    def _check_region(self, params: Mapping[str, str]) -> None:
        if required(params, "RegionId") != self.region:
            raise RefusedError(400, "InvalidRegionId", "The specified region does not exist.")

    def _settled(self, stack: Stack) -> str:
        status = self._status(stack)
        if status.endswith("_IN_PROGRESS"):
            raise RefusedError(
                409, "ActionInProgress", f"Stack {stack.name} already has an action in progress."
            )
        return status

    def _status(self, stack: Stack) -> str:
        return stack.state(self.clock.now()).status

    def _alive(self) -> list[Stack]:
        return [one for one in self._stacks.values() if self._status(one) != "DELETE_COMPLETE"]

    def _remember(self, token: str, stack: Stack) -> None:
        if token:
            self._tokens[token] = stack

    def _new_id(self) -> str:
        digits = f"{self._random.getrandbits(128):032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _page(found: list[dict[str, Tree]], params: Mapping[str, str], name: str) -> dict[str, Tree]:
    number, size = int(params.get("PageNumber", "1")), int(params.get("PageSize", "10"))
    if not (number >= 1 and 1 <= size <= 50):
        raise RefusedError(400, "InvalidParameter", "PageNumber starts at 1, and PageSize is at most 50.")
    shown = found[(number - 1) * size : number * size]
    return {"PageNumber": number, "PageSize": size, "TotalCount": len(found), name: list(shown)}


def _time(ms: int) -> str:
    """Write a time as ROS does: without the zone, which is UTC."""
    return timestamp(ms).rstrip("Z")
