"""How new events are found, whatever order the vendor has them in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cli.deploy import calls
from cli.deploy.progress import Watch
from cli.deploy.stacks import Stacks
from localcloud.media.rendering import render
from shared.adapters.clocks import ManualClock
from shared.vendor import ApiAnswer, ApiRequest, Part


@dataclass
class EventList:
    """A `MediaApi` with the events of one stack in pages."""

    newest_first: bool
    count: int = 0
    asked: int = field(default=0)

    def call(self, request: ApiRequest, *, deadline: int) -> ApiAnswer:
        """Give the page that is asked for."""
        self.asked += 1
        number = int(request.params["PageNumber"])
        events: Sequence[Any] = [
            {"EventId": str(one), "CreateTime": f"{one:05}"}
            for one in (reversed(range(self.count)) if self.newest_first else range(self.count))
        ]
        shown = list(events[(number - 1) * calls.PAGE_SIZE : number * calls.PAGE_SIZE])
        body = render({"TotalCount": self.count, "Events": shown}, root="", answer_format="json")
        return ApiAnswer(Part("answer", "json", body))


def watching(api: EventList) -> Watch:
    """Watch a stack's events."""
    return Watch(Stacks(api, clock=ManualClock(0), random=Random(1)), "stack", "cn-shanghai")


@given(st.lists(st.integers(0, 120), max_size=4), st.booleans())
def test_every_event_is_given_once_and_in_order(steps: list[int], newest_first: bool) -> None:
    api = EventList(newest_first)
    watch = watching(api)
    seen: list[str] = []
    for step in steps:
        api.count += step
        seen += [event.id for event in watch.fresh()]

    assert seen == [str(one) for one in range(api.count)]


@given(st.booleans())
def test_a_long_history_is_read_once(newest_first: bool) -> None:
    api = EventList(newest_first, count=20 * calls.PAGE_SIZE)
    watch = watching(api)
    watch.fresh()
    before = api.asked
    watch.fresh()

    assert api.asked - before <= 2
