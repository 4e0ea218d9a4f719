"""The process of an instance from inside: its calls, its log lines, its frames."""

from __future__ import annotations

import io
import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.fc.contexts import new_context
from localcloud.fc.frames import read_frame, write_frame
from localcloud.fc.log_lines import LINE_LIMIT, forward, lines_to
from localcloud.fc.worker import LOG_WRITE_LIMIT, LogLines, Worker
from shared.toolkit.context import fake_context

FUNCTION = {
    "name": "own",
    "runtime": "python3.10",
    "memory": 128,
    "timeout": 3,
    "region": "cn-shanghai",
    "account_id": "42",
}


@contextmanager
def serving(concurrency: int) -> Iterator[socket.socket]:
    """Let a worker serve the other end of a socket, configured."""
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=Worker(theirs, LogLines()).serve)
    with theirs:
        with ours:
            thread.start()
            function = {**FUNCTION, "handler": "posixpath.basename"}
            write_frame(
                ours, {"id": 1, "kind": "configure", "function": function, "concurrency": concurrency}
            )
            yield ours
        thread.join()


def names(context: Any) -> dict[str, Any]:
    """Give the names in a context, with those inside of its members."""
    return {
        name: names(value) if isinstance(value, SimpleNamespace) else type(value)
        for name, value in vars(context).items()
        if name != "getLogger"
    }


@pytest.mark.parametrize("concurrency", [1, 2])
def test_a_call_is_answered_under_its_number(concurrency: int) -> None:
    call = {"id": 7, "kind": "initialize", "request_id": "a", "handler": "posixpath.isabs"}
    with serving(concurrency) as connection, connection.makefile("rb") as incoming:
        write_frame(connection, call)
        configured, answered = read_frame(incoming), read_frame(incoming)

    assert configured == ({"id": 1, "failed": False}, b"")
    assert answered
    assert answered[0] == {"id": 7, "failed": True}  # a context is no path
    assert b'"errorType": "TypeError"' in answered[1]


@given(
    st.lists(
        st.tuples(st.dictionaries(st.text(max_size=5), st.text(max_size=5)), st.binary(max_size=99)),
        max_size=9,
    )
)
def test_frames_arrive_whole_and_in_order(frames: list[tuple[dict[str, str], bytes]]) -> None:
    ours, theirs = socket.socketpair()
    with theirs, theirs.makefile("rb") as incoming:
        with ours:
            for head, body in frames:
                write_frame(ours, head, body)
        arrived = [read_frame(incoming) for _ in frames]
        end = read_frame(incoming)

    assert arrived == frames
    assert end is None


@pytest.mark.parametrize("sent", [b"", b"\0\0", b"\0\0\0\2\0\0\0\0{", b"\0\0\0\2\0\0\0\5{}abc"])
def test_a_frame_that_breaks_off_is_the_end(sent: bytes) -> None:
    assert read_frame(io.BytesIO(sent)) is None


def test_a_connection_that_was_reset_is_the_end() -> None:
    class Reset(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise ConnectionResetError

    assert read_frame(Reset()) is None


@pytest.mark.parametrize("shape", ["3.10", "3.12"])
def test_contexts_have_the_names_of_those_that_the_toolkit_fakes(shape: Literal["3.10", "3.12"]) -> None:
    told: Any = {**FUNCTION, "runtime": f"python{shape}", "handler": "index.handler"}

    assert names(new_context(request_id="a", environ={}, **told)) == names(fake_context(shape=shape))


def test_a_record_that_is_too_long_is_cut_between_characters() -> None:
    record = logging.LogRecord("a", logging.INFO, "", 0, "é" * LOG_WRITE_LIMIT, None, None)

    line = LogLines().format(record)

    assert LOG_WRITE_LIMIT - 1 <= len(line.encode()) <= LOG_WRITE_LIMIT


def test_lines_come_one_by_one_cut_after_the_name_of_their_function() -> None:
    reading, writing = os.pipe()
    written = io.StringIO()
    data = b"one\r\n" + b"x" * (3 * LINE_LIMIT) + b"\n" + b"y" * LINE_LIMIT + b"\nno end \xff"

    def send() -> None:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(data)

    sending = threading.Thread(target=send)
    sending.start()
    forward(os.fdopen(reading, "rb"), lines_to(written), "own")
    sending.join()

    long, full = "x" * LINE_LIMIT, "y" * LINE_LIMIT
    assert written.getvalue() == f"own: one\nown: {long}\nown: {full}\nown: no end \ufffd\n"
