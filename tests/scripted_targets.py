"""Targets of deliveries that follow a script, and what they have taken."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any

from shared.delivery.rules import DeliveryPlan
from shared.delivery.targets import Dispatch, Target
from shared.kinds import KINDS
from shared.ports import EventSender
from tests.faults import Faults


def plan_to(*targets: str, **rule: object) -> DeliveryPlan:
    """Give a plan that tells these targets of every record; lists narrow it, as in any rule."""
    tree = {
        "targets": {name: {"url": f"https://{name}.example/events"} for name in targets},
        "rules": [{"to": list(targets), **rule}],
    }
    return DeliveryPlan.parse(json.dumps(tree), kinds=KINDS)


class ScriptedTargets:
    """Takes every event, unless a target was told to answer else. `taken` is in the order of taking."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, Dispatch]] = []
        self.asked: list[tuple[str, int]] = []
        """Every attempt: target and deadline."""
        self._answers: defaultdict[str, deque[Exception | Callable[[], object] | None]] = defaultdict(deque)
        self._always: dict[str, Exception] = {}

    def say(self, target: str, *answers: Exception | Callable[[], object] | None) -> None:
        """Queue answers, each given once: an error, something that happens before it takes, or nothing."""
        self._answers[target].extend(answers)

    def be_away(self, target: str, error: Exception) -> None:
        """Answer with an error whenever nothing is queued."""
        self._always[target] = error

    def be_back(self, target: str) -> None:
        """Take events again."""
        del self._always[target]

    def send(self, target: Target, dispatch: Dispatch, *, deadline: int) -> None:
        """See `EventSender.send`."""
        self.asked.append((target.name, deadline))
        queue = self._answers[target.name]
        answer = queue.popleft() if queue else self._always.get(target.name)
        if isinstance(answer, Exception):
            raise answer.with_traceback(None)
        if answer is not None:
            answer()
        self.taken.append((target.name, dispatch))

    def events(self, target: str) -> list[dict[str, Any]]:
        """Give the events that a target has taken."""
        return [json.loads(dispatch.body) for name, dispatch in self.taken if name == target]

    def versions(self, target: str) -> list[int]:
        """Give the versions that a target has taken."""
        return [dispatch.version for name, dispatch in self.taken if name == target]

    def known(self, target: str) -> dict[str, str]:
        """Give the digest by job that a consumer knows who drops what is older than what it has."""
        newest: dict[str, tuple[int, str]] = {}
        for event in self.events(target):
            version, digest = event["data"]["version"], event["data"]["digest"]
            newest[event["subject"]] = max(newest.get(event["subject"], (0, "")), (version, digest))
        return {job: digest for job, (_, digest) in newest.items()}


class FaultySender:
    """A sender whose calls go through `faults`."""

    def __init__(self, inner: EventSender, faults: Faults) -> None:
        self._inner = inner
        self._faults = faults

    def send(self, target: Target, dispatch: Dispatch, *, deadline: int) -> None:
        """See `EventSender.send`."""
        with self._faults.around("send", target.name):
            self._inner.send(target, dispatch, deadline=deadline)
