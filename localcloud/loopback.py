"""A local server's sockets: HTTP on the loopback interface alone, for services that answer whole requests.

It can also do what goes wrong on a network: hang up instead of answering, or in the middle of a body.
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class HttpRequest:
    """A request as it arrived. `target` is the path with its query; header names are lower-case."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class HttpReply:
    """What goes back. `cut_at` hangs up after so many bytes of the body."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_at: int | None = None


Service = Callable[[HttpRequest], "HttpReply | None"]
"""Answers a request; None hangs up without a word. Called by several threads at once."""


class LoopbackServer:
    """Serves while its `with` block lasts; port 0 takes a free one."""

    def __init__(self, service: Service, *, name: str, port: int = 0, max_body_bytes: int) -> None:
        self._server = _Server(service, port, max_body_bytes)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name=name, daemon=True
        )

    @property
    def endpoint(self) -> str:
        """Give the address, as an endpoint override takes it."""
        return f"http://{_LOOPBACK}:{self._server.server_port}"

    def slow_down(self, wait: Callable[[], object]) -> None:
        """Have every request wait before it is answered, as if the service were far away."""
        self._server.wait = wait

    def __enter__(self) -> LoopbackServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    # Every connection is closed on the way out, so its thread ends and can be waited for.
    daemon_threads = False
    # Many clients connect at the same moment. Beyond the default of 5 the kernel drops what the accepted
    # side still waits for, and both wait for the other.
    request_queue_size = 64

    def __init__(self, service: Service, port: int, max_body_bytes: int) -> None:
        self.service = service
        self.max_body_bytes = max_body_bytes
        self.wait: Callable[[], object] = lambda: None
        self._open: set[socket.socket] = set()
        super().__init__((_LOOPBACK, port), _Handler)

    # The type stubs also allow for datagram servers and other addresses; a TCP server has sockets only,
    # hence the three exceptions below.

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):  # a client may leave when it likes
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def server_close(self) -> None:
        for connection in tuple(self._open):
            # A kept-alive connection waits for its next request: end the waiting.
            with suppress(OSError):  # the client may be faster
                connection.shutdown(socket.SHUT_RDWR)
        super().server_close()


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    # With Nagle's algorithm an answer in two writes waits 40 ms (local-servers.md 2.3).
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        """Write no log: its lines would hold signed queries."""

    def _answer(self) -> None:
        try:
            body = self._body()
        except ValueError:  # a length that is no number
            self._refuse(400)
            return
        if body is None:
            self._refuse(413)
            return
        self.server.wait()
        reply = self.server.service(HttpRequest(self.command, self.path, self._lower_headers(), body))
        if reply is None:
            self.close_connection = True
        else:
            self._reply(reply)

    def _refuse(self, status: int) -> None:
        """Answer what cannot be read to its end; nothing that follows it could be."""
        self.close_connection = True
        self._reply(HttpReply(status))

    def _body(self) -> bytes | None:
        """Read the body; None when it is longer than anything is read."""
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            return self._chunked_body()
        length = self.headers.get("content-length") or "0"
        if not length.isdigit() or int(length) > self.server.max_body_bytes:
            return None
        return self.rfile.read(int(length))

    def _chunked_body(self) -> bytes | None:
        body = bytearray()
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            if len(body) + size > self.server.max_body_bytes:
                return None
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return bytes(body)

    def _lower_headers(self) -> dict[str, str]:
        # The standard library reads headers as Latin-1; clients write and sign UTF-8.
        return {
            name.lower(): value.encode("latin-1").decode(errors="replace")
            for name, value in self.headers.items()
        }

    def _reply(self, reply: HttpReply) -> None:
        self.send_response(reply.status)
        headers = {"content-length": str(len(reply.body)), **reply.headers}
        for name, value in headers.items():
            self.send_header(name, value.encode().decode("latin-1"))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body[: reply.cut_at])
        if reply.cut_at is not None:
            self.close_connection = True
