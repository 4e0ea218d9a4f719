"""What functions write, line by line, to whoever wants to see it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO, TextIO

LINE_LIMIT = 128 * 1024  # of one write; what a function prints is seen as lines (function-compute.md 1.3)

LogSink = Callable[[str, str], None]
"""Takes a function's name and one line without its end. Called by several threads; must not raise.

What a request writes may come after its answer; when an instance has ended, all of its lines have come.
"""


def no_log(function: str, line: str) -> None:
    """Drop a line."""


def lines_to(stream: TextIO, *, with_name: bool = True) -> LogSink:
    """Write every line to a stream, after the name of its function unless it is to be bare."""
    writing = threading.Lock()

    def write(function: str, line: str) -> None:
        with writing, suppress(OSError):  # who stopped reading does not hold functions up
            stream.write(f"{function}: {line}\n" if with_name else f"{line}\n")
            stream.flush()

    return write


def forward(pipe: BinaryIO, sink: LogSink, function: str) -> None:
    """Read lines to the end of a pipe; a line that is too long is cut."""
    with pipe:
        while part := pipe.readline(LINE_LIMIT):
            sink(function, part.decode(errors="replace").rstrip("\r\n"))
            while len(part) == LINE_LIMIT and not part.endswith(b"\n"):
                part = pipe.readline(LINE_LIMIT)
