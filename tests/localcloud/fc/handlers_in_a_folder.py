"""Functions whose code is written into a folder by a test, and what they log."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localcloud.fc.functions import LocalFunctions
from localcloud.template import FunctionSpec, Template


@dataclass
class Lines:
    """A log, which tells a test when something was written."""

    written: list[str] = field(default_factory=list)
    on: dict[str, Callable[[], None]] = field(default_factory=dict)
    """What to do when a line begins so."""

    def __call__(self, function: str, line: str) -> None:
        """See `LogSink`."""
        self.written.append(line)
        for beginning, act in self.on.items():
            if line.startswith(beginning):
                act()

    def when(self, beginning: str) -> threading.Event:
        """Give an event that comes with such a line."""
        event = threading.Event()
        self.on[beginning] = event.set
        return event

    def with_text(self, text: str) -> list[str]:
        """Give the lines that contain it."""
        return [line for line in self.written if text in line]


def spec(handler: str, **changes: Any) -> FunctionSpec:
    """Make a function that is named after the last part of its handler."""
    name = handler.rpartition(".")[2]
    given: dict[str, Any] = {
        "runtime": "python3.10",
        "timeout": 30,
        "memory": 512,
        "environment": {},
        "triggers": (),
    }
    return FunctionSpec(name, handler, **given | changes)


@contextmanager
def running(folder: Path, source: str, *specs: FunctionSpec, **options: Any) -> Iterator[LocalFunctions]:
    """Run functions whose handlers are in `index.py`."""
    (folder / "index.py").write_text(source, encoding="utf-8")
    template = Template({one.name: one for one in specs}, {})
    with LocalFunctions(template, options.pop("environment", {}), code=folder, **options) as functions:
        yield functions
