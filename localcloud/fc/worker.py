"""The process of an instance: the platform's Python runtime, as far as code can tell
(function-compute.md 1.3).

    python -m localcloud.fc.worker <file descriptor of a socket>

The host sends calls over the socket, `configure` first, and each is answered when it ends. Standard output
and error are the function's log. The process ends when the socket does, whatever it was doing: nothing
survives its host.

It holds nothing of this project but what it needs to talk to the host, so that the code directory is what
is imported: `localcloud.fc.frames`, `handlers`, `contexts`, and this.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import sys
import sysconfig
import threading
import time
import traceback
from functools import partial
from typing import Any

from localcloud.fc.contexts import new_context
from localcloud.fc.frames import read_frame, write_frame
from localcloud.fc.handlers import HandlerFailedError, Handlers, error_body

LOG_WRITE_LIMIT = 128 * 1024
EXIT_AT_TIMEOUT = 143
_MARKS = {"initialize": "Initialize", "invoke": "Invoke", "pre_stop": "PreStop"}


class Worker:
    """Answers the calls of a host: in the main thread one at a time, else in a thread for each."""

    def __init__(self, connection: socket.socket, logs: LogLines) -> None:
        self._connection = connection
        self._answering = threading.Lock()
        self._handlers = Handlers()
        self._logs = logs
        self._function: dict[str, Any] = {}
        self._concurrency = 1

    def serve(self) -> None:
        """Answer calls until the host is gone."""
        incoming = self._connection.makefile("rb")
        while (call := read_frame(incoming)) is not None:
            head, body = call
            if head["kind"] == "configure":
                self._function, self._concurrency = head["function"], head["concurrency"]
                self._answer(head, b"")
            elif self._concurrency == 1:
                self._run(head, body)
            else:
                threading.Thread(target=self._run_in_thread, args=call, daemon=True).start()

    def _run_in_thread(self, head: dict[str, Any], body: bytes) -> None:
        try:
            self._run(head, body)
        except BaseException:  # what ends a process, a thread would survive
            traceback.print_exc()
            os._exit(1)

    def _run(self, head: dict[str, Any], body: bytes) -> None:
        request_id = self._logs.request_id = head["request_id"]
        context = new_context(
            **self._function,
            request_id=request_id,
            environ=os.environ,
            get_logger=partial(self._logs.logger_of, request_id),
        )
        arguments = (body, context) if head["kind"] == "invoke" else (context,)
        mark = _MARKS[head["kind"]]
        self._logs.mark(f"FC {mark} Start RequestId: {request_id}")
        try:
            result, ending = self._handlers.call(head["handler"], *arguments), ""
        except HandlerFailedError as error:
            result = error_body(error.message, errorType=error.error_type, stackTrace=error.stack)
            logging.getLogger().error(result.decode())
            ending = ", Error: Unhandled function error"
        self._logs.mark(f"FC {mark} End RequestId: {request_id}{ending}")
        self._answer(head, result, failed=bool(ending))

    def _answer(self, call: dict[str, Any], body: bytes, *, failed: bool = False) -> None:
        with self._answering:
            write_frame(self._connection, {"id": call["id"], "failed": failed}, body)


class LogLines(logging.Formatter):
    """Writes the records of the root logger as the platform does, each under the id of the latest request.

    With several requests at a time those ids mix, as they do there; a context's own logger keeps them apart.
    """

    def __init__(self) -> None:
        form = "%(asctime)s.%(msecs)03dZ %(fc_request_id)s [%(levelname)s] %(message)s"
        super().__init__(form, "%Y-%m-%dT%H:%M:%S")
        self.converter = time.gmtime
        self.request_id = ""
        self._stream = sys.stdout

    def install(self) -> None:
        """Put this in the place of every handler of the root logger, and say that the runtime is there."""
        self._stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # it is the one of the start
        handler = logging.StreamHandler(self._stream)
        handler.setFormatter(self)
        root = logging.getLogger()
        root.handlers[:] = [handler]
        root.setLevel(logging.INFO)
        self.mark("FunctionCompute python3 runtime inited.")

    def mark(self, line: str) -> None:
        """Write a line of the runtime itself."""
        self._stream.write(line + "\n")

    def logger_of(self, request_id: str) -> logging.LoggerAdapter[logging.Logger]:
        """Give a logger whose lines bear this id."""
        return logging.LoggerAdapter(logging.getLogger(), {"fc_request_id": request_id})

    def format(self, record: logging.LogRecord) -> str:
        """Write a record, cut at the limit of one write."""
        record.__dict__.setdefault("fc_request_id", self.request_id)
        written = super().format(record).encode(errors="replace")
        return written[:LOG_WRITE_LIMIT].decode(errors="ignore")


def import_from(code: str) -> None:
    """Put the code directory and the layers' first on the path, in the platform's order."""
    # The first entry is where this module came from; no function has it by being run here.
    version = sysconfig.get_python_version()
    sys.path[:1] = [code, f"/opt/python/lib/python{version}/site-packages", "/opt/python"]
    os.chdir(code)


def main(connection: socket.socket) -> None:
    """Serve the host at the other end of a connection, as the only thing this process does."""
    os.set_inheritable(connection.fileno(), False)  # or what a function starts would keep it open
    threading.Thread(target=_end_with_host, args=[connection.fileno()], daemon=True).start()
    signal.signal(signal.SIGTERM, _end_at_timeout)
    import_from(os.environ["FC_FUNC_CODE_PATH"])
    logs = LogLines()
    logs.install()
    Worker(connection, logs).serve()
    _end_group()


def _end_with_host(descriptor: int) -> None:
    hung_up = select.poll()
    hung_up.register(descriptor, 0)
    hung_up.poll()
    _end_group()


def _end_group() -> None:
    """End this process and what the function started."""
    os.killpg(0, signal.SIGKILL)


def _end_at_timeout(*_: object) -> None:
    """Log where every thread is, and exit; without a lock, since this may have interrupted who holds it."""
    lines = ["Dumping stack trace after function timeout\n"]
    main_thread = threading.main_thread().ident
    for ident, frame in sys._current_frames().items():
        name = "Main thread" if ident == main_thread else f"Thread {ident}"
        lines += [f"{name}:\n", *traceback.format_stack(frame)]
    os.write(1, "".join(lines).encode(errors="replace"))
    os._exit(EXIT_AT_TIMEOUT)


if __name__ == "__main__":
    # Open to the very end: when it closes, the host takes the process for gone.
    HOST = socket.socket(fileno=int(sys.argv[1]))
    main(HOST)
