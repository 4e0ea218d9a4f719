from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from shared.toolkit import configure_logging


@pytest.fixture(autouse=True)
def _root_logger() -> Iterator[None]:
    """Give the root logger back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


class LogLines:
    """What was logged since the test began."""

    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    @property
    def text(self) -> str:
        """Give all lines as they were written."""
        return self._stream.getvalue()

    def all(self) -> list[dict[str, Any]]:
        """Decode every line."""
        return [json.loads(line) for line in self.text.splitlines()]

    def named(self, message: str) -> list[dict[str, Any]]:
        """Decode the lines with that message."""
        return [line for line in self.all() if line["message"] == message]


@pytest.fixture
def log() -> LogLines:
    stream = io.StringIO()
    configure_logging(stream=stream)
    return LogLines(stream)
