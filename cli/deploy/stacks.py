"""What ROS says of a stack, and what it is asked to do with it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cli.deploy import calls
from cli.deploy.release import Release, StackName
from shared.errors import ParseError, PermanentError, TemporaryError
from shared.policy import SECOND
from shared.ports import Clock, MediaApi
from shared.toolkit import strict_json
from shared.toolkit.masking import Masker
from shared.vendor import ApiAnswer, ApiRequest

_TRIES = 5
_FIRST_WAIT = 2 * SECOND
_LONGEST_CALL = 30 * SECOND


@dataclass(frozen=True)
class Stack:
    """A stack as it is now; `outputs` by name."""

    id: str
    name: str
    status: str
    reason: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_moving(self) -> bool:
        """Tell whether something is being done with it."""
        return self.status.endswith("_IN_PROGRESS")


@dataclass(frozen=True)
class Event:
    """One thing that happened to a resource; `time` is UTC, without a zone."""

    id: str
    time: str
    resource: str
    type: str
    status: str
    reason: str


class Stacks:
    """Asks ROS, again where that may help: after a lost answer with the same token."""

    def __init__(self, api: MediaApi, *, clock: Clock, random: random.Random) -> None:
        self._api = api
        self._clock = clock
        self._random = random

    def find(self, stack: StackName) -> Stack | None:
        """Find the stack of that name; None where there is none, or none any more."""
        answer = self._ask(calls.find_stack(stack))
        found = [_stack(one) for one in _objects(answer, "Stacks")]
        alive = (one for one in found if one.name == stack.name and one.status != "DELETE_COMPLETE")
        return next(alive, None)

    def create(self, release: Release) -> str:
        """Begin to create the stack, and give its id."""
        answer = self._ask(calls.create_stack(release, token=self._token()))
        return _text(answer, "StackId")

    def update(self, release: Release, stack_id: str) -> bool:
        """Begin to update the stack; False when it is in that state already."""
        try:
            self._ask(calls.update_stack(release, stack_id, token=self._token()))
        except PermanentError as error:
            # It has no code of its own. `Update the completely same stack is not supported` are the words
            # that a tool of the vendor looks for (docs/deploy.md, what nobody could try).
            if error.details.get("vendor_code") == "NotSupported" and "same stack" in error.message:
                return False
            raise
        return True

    def get(self, stack_id: str, *, region: str) -> Stack:
        """Give the stack as it is now."""
        return _stack(self._ask(calls.get_stack(region, stack_id)))

    def events(self, stack_id: str, *, region: str, page: int) -> tuple[list[Event], int]:
        """Give a page of events, and how many pages there are."""
        answer = self._ask(calls.list_events(region, stack_id, page=page))
        pages = -(-int(_text(answer, "TotalCount") or 0) // calls.PAGE_SIZE)
        return [_event(one) for one in _objects(answer, "Events")], pages

    def _token(self) -> str:
        return f"{self._random.getrandbits(128):032x}"

    def _ask(self, request: ApiRequest) -> dict[str, Any]:
        answer = self._tried(lambda: self._api.call(request, deadline=self._clock.now() + _LONGEST_CALL))
        tree = strict_json.parse(answer.part.body)
        if not isinstance(tree, dict):
            raise ParseError("not an object", layer=request.action)
        return tree

    def _tried(self, call: Callable[[], ApiAnswer]) -> ApiAnswer:
        for wait in (_FIRST_WAIT * 2**tries for tries in range(_TRIES - 1)):
            try:
                return call()
            except TemporaryError as error:
                self._clock.sleep(error.retry_after_ms or wait)
        return call()


def _stack(tree: Mapping[str, Any]) -> Stack:
    return Stack(
        id=_text(tree, "StackId"),
        name=_text(tree, "StackName"),
        status=_text(tree, "Status"),
        reason=Masker().text(_text(tree, "StatusReason")),
        outputs={_text(one, "OutputKey"): _text(one, "OutputValue") for one in _objects(tree, "Outputs")},
    )


def _event(tree: Mapping[str, Any]) -> Event:
    return Event(
        id=_text(tree, "EventId"),
        time=_text(tree, "CreateTime"),
        resource=_text(tree, "LogicalResourceId"),
        type=_text(tree, "ResourceType"),
        status=_text(tree, "Status"),
        reason=Masker().text(_text(tree, "StatusReason")),
    )


def _objects(tree: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = tree.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _text(tree: Mapping[str, Any], name: str) -> str:
    """Give a member that is text, or a number as text."""
    found = tree.get(name)
    return found if isinstance(found, str) else ""
