"""Waits for what a stack is doing, and tells of its resources as it goes on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from cli.deploy.stacks import Event, Stack, Stacks
from shared.policy import SECOND
from shared.ports import Clock

_EVERY = 5 * SECOND


@dataclass
class Watch:
    """Gives the events of a stack that have not been seen."""

    stacks: Stacks
    stack_id: str
    region: str
    _seen: set[str] = field(default_factory=set)

    def fresh(self) -> list[Event]:
        """Read new events in the order of their times.

        The vendor does not say at which end of the list new ones stand: it is read from both, as far as there
        is something new.
        """
        first, pages = self.stacks.events(self.stack_id, region=self.region, page=1)
        found = self._unseen(first)
        read_to = 1
        if found:
            for read_to in range(2, pages + 1):
                if not self._read(read_to, found):
                    break
        for page in range(pages, read_to, -1):
            if not self._read(page, found):
                break
        return sorted(found, key=lambda one: (one.time, not one.status.endswith("_IN_PROGRESS")))

    def _read(self, page: int, found: list[Event]) -> bool:
        events, _ = self.stacks.events(self.stack_id, region=self.region, page=page)
        unseen = self._unseen(events)
        found += unseen
        return bool(unseen)

    def _unseen(self, events: list[Event]) -> list[Event]:
        unseen = [one for one in events if one.id not in self._seen]
        self._seen.update(one.id for one in unseen)
        return unseen


def wait(
    watch: Watch, *, clock: Clock, until: int, tell: Callable[[Event], None]
) -> tuple[Stack, tuple[Event, ...]]:
    """Wait until nothing is done with the stack, until that time, or until Ctrl-C: the stack does not mind.

    Give the stack and what failed first on each of its resources that failed.
    """
    failures: dict[str, Event] = {}
    stack = watch.stacks.get(watch.stack_id, region=watch.region)
    with suppress(KeyboardInterrupt):
        while True:
            for event in watch.fresh():
                tell(event)
                if _has_failed(event, stack):
                    failures.setdefault(event.resource, event)
            if not stack.is_moving or clock.now() >= until:
                break
            clock.sleep(_EVERY)
            stack = watch.stacks.get(watch.stack_id, region=watch.region)
    return stack, tuple(failures.values())


def _has_failed(event: Event, stack: Stack) -> bool:
    # The stack is in its own list of events, with nothing to say that its resources do not.
    return event.status.endswith("_FAILED") and event.resource != stack.name
