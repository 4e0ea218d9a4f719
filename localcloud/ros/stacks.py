"""A stack and what is done with it: a plan of moments that lies in the future until the clock gets there.

Resources are made one after the other, in the template's order. One that a test lets fail ends the
operation, and what was done before is undone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from localcloud.ros.templates import Blueprint, Resource

STACK = "ALIYUN::ROS::Stack"


@dataclass(frozen=True)
class Moment:
    """At this time a resource, or the stack itself, came into this state."""

    at: int
    resource: str
    type: str
    status: str
    reason: str = ""


@dataclass(frozen=True)
class Failure:
    """How a resource fails; with `stays` what was done before cannot be undone either."""

    reason: str
    stays: bool = False


@dataclass
class Stack:
    """One stack. `made` is what its resources are by now, or will be when the plan is through."""

    id: str
    name: str
    created: int
    made: Blueprint
    moments: list[Moment] = field(default_factory=list)

    def past(self, now: int) -> list[Moment]:
        """Give what has happened, the first first."""
        return [one for one in self.moments if one.at <= now]

    def state(self, now: int) -> Moment:
        """Give the stack's own last moment."""
        return [one for one in self.past(now) if one.type == STACK][-1]

    def create(self, *, failures: Mapping[str, Failure], pace: int, undo: bool) -> None:
        """Plan to make every resource; with `undo`, to take them away again where one fails."""
        plan = _Plan(self, "CREATE", self.created, pace)
        failed = plan.change(self.made.resources.items(), failures)
        if failed is None or not undo:
            plan.end("CREATE", failed)
        else:
            plan.undo("CREATE_ROLLBACK", "DELETE", failed)

    def update(self, to: Blueprint, *, now: int, failures: Mapping[str, Failure], pace: int) -> None:
        """Plan to change what differs, and to change it back where one fails."""
        before, self.made = self.made, to
        plan = _Plan(self, "UPDATE", now, pace)
        differs = [item for item in to.resources.items() if before.resources.get(item[0]) != item[1]]
        failed = plan.change(differs, failures)
        gone = [item for item in before.resources.items() if item[0] not in to.resources]
        if failed is None:
            plan.delete(gone)
            plan.end("UPDATE", None)
        else:
            self.made = before
            plan.undo("ROLLBACK", "UPDATE", failed)

    def delete(self, *, now: int, pace: int) -> None:
        """Plan to take every resource away."""
        plan = _Plan(self, "DELETE", now, pace)
        plan.delete(reversed(list(self.made.resources.items())))
        plan.end("DELETE", None)


class _Plan:
    """Writes the moments of one operation into its stack."""

    def __init__(self, stack: Stack, operation: str, start: int, pace: int) -> None:
        self._stack = stack
        self._operation = operation
        self._at = start
        self._pace = pace
        self._done: list[tuple[str, Resource]] = []
        self._own(f"{operation}_IN_PROGRESS", f"Stack {operation} started")

    def change(
        self, resources: Iterable[tuple[str, Resource]], failures: Mapping[str, Failure]
    ) -> Failure | None:
        """Make or change resources until one fails; give its failure."""
        for name, resource in resources:
            failure = failures.get(name)
            self._step(self._operation, name, resource, failure)
            if failure:
                return failure
            self._done.append((name, resource))
        return None

    def delete(self, resources: Iterable[tuple[str, Resource]]) -> None:
        for name, resource in resources:
            self._step("DELETE", name, resource)

    def end(self, operation: str, failed: Failure | None) -> None:
        status = "COMPLETE" if failed is None else "FAILED"
        reason = f"Stack {operation} completed successfully"
        if failed:
            reason = f"Resource {operation} failed: {failed.reason}"
        self._own(f"{operation}_{status}", reason)

    def undo(self, operation: str, step: str, failed: Failure) -> None:
        why = f"Resource {self._operation} failed: {failed.reason}"
        self._own(f"{operation}_IN_PROGRESS", why)
        for name, resource in reversed(self._done):
            self._step(step, name, resource, failed if failed.stays else None)
        self._own(f"{operation}_FAILED" if failed.stays else f"{operation}_COMPLETE", why)

    def _step(self, verb: str, name: str, resource: Resource, failure: Failure | None = None) -> None:
        self._add(name, resource.type, f"{verb}_IN_PROGRESS", "state changed")
        self._at += self._pace
        if failure:
            self._add(name, resource.type, f"{verb}_FAILED", failure.reason)
        else:
            self._add(name, resource.type, f"{verb}_COMPLETE", "state changed")

    def _own(self, status: str, reason: str) -> None:
        self._add(self._stack.name, STACK, status, reason)

    def _add(self, resource: str, type_: str, status: str, reason: str) -> None:
        self._stack.moments.append(Moment(self._at, resource, type_, status, reason))
