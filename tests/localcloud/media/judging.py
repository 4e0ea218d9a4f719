"""The local media APIs before a judge: the vendor's own client."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from localcloud.media.gateway import Gateway
from localcloud.media.server import MediaApiServer
from localcloud.media.wire import Action, Answer
from shared.adapters.clocks import ManualClock
from tests.judges import ROOT, python_of, report_of
from tests.localcloud.media.worlds import new_gateway

ANSWERS = ROOT / "tests" / "data" / "answers"


def present() -> int:
    """Tell the time of the machine: from there the vendor's clients take their timestamps."""
    return time.time_ns() // 1_000_000


def verdict_of(judge: str, *arguments: str, environment: str, gateway: Gateway) -> dict[str, Any]:
    """Run a judge in an environment of the Makefile, and give what it reports about the gateway."""
    with MediaApiServer(gateway) as server:
        return report_of(
            [
                *(python_of(environment), "-m", f"tests.localcloud.media.{judge}"),
                *(server.endpoint.removeprefix("http://"), *arguments),
            ]
        )


def judged_gateway(actions: Iterable[Action], *, clock: ManualClock, version: str) -> Gateway:
    """Put a gateway before actions, with a door through which the judge moves the clock."""

    def advance_clock(params: Mapping[str, str]) -> Answer:
        clock.advance(int(params["Milliseconds"]))
        return {}

    door = Action("test", version, "AdvanceClock", advance_clock)
    return new_gateway([*actions, door], clock=clock)


def without_empty_lists(value: Any) -> Any:
    """Undo what a model adds: a list where the answer has none (query-apis.md 7.2)."""
    if isinstance(value, dict):
        return {name: without_empty_lists(member) for name, member in value.items() if member != []}
    if isinstance(value, list):
        return [without_empty_lists(item) for item in value]
    return value
