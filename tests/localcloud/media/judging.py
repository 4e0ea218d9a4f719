"""How a judge is asked: the vendor's own client, in a process and an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from localcloud.media.gateway import Gateway
from localcloud.media.server import MediaApiServer
from localcloud.media.wire import Action, Answer
from shared.adapters.clocks import ManualClock
from tests.localcloud.media.worlds import new_gateway

ROOT = Path(__file__).parents[3]
ANSWERS = ROOT / "tests" / "data" / "answers"
PATIENCE_S = 120


def present() -> int:
    """Tell the time of the machine: from there the vendor's clients take their timestamps."""
    return time.time_ns() // 1_000_000


def verdict_of(judge: str, *arguments: str, environment: str, gateway: Gateway) -> dict[str, Any]:
    """Run a judge in an environment of the Makefile, and give what it reports about the gateway."""
    # The clients go to a proxy of the environment whatever no_proxy says (query-apis.md 7.1).
    variables = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    with MediaApiServer(gateway) as server:
        ran = subprocess.run(
            [
                *(_python(environment), "-m", f"tests.localcloud.media.{judge}"),
                *(server.endpoint.removeprefix("http://"), *arguments),
            ],
            cwd=ROOT,
            env=variables,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr
    report: dict[str, Any] = json.loads(ran.stdout)
    return report


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


def _python(environment: str) -> Path:
    variable = f"{environment.upper().replace('-', '_')}_PYTHON"
    named = os.environ.get(variable)
    python = Path(named) if named else ROOT / f".venv-{environment}" / "bin" / "python"
    if not python.exists():
        pytest.fail(
            f"no Python with the vendor's client at {python}: run `make test`, which makes it, or set"
            f" {variable} to one with requirements/{environment}.in installed",
            pytrace=False,
        )
    return python
