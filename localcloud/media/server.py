"""A gateway behind a real socket on the loopback interface."""

from __future__ import annotations

import socket
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from localcloud.media.gateway import Gateway
from localcloud.media.wire import WireReply, WireRequest

_LOOPBACK = "127.0.0.1"
_MAX_BODY_BYTES = 1024 * 1024


class MediaApiServer:
    """Serves a gateway while its `with` block lasts; port 0 takes a free one."""

    def __init__(self, gateway: Gateway, *, port: int = 0) -> None:
        self._server = _Server(gateway, port)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="media-api", daemon=True
        )

    @property
    def endpoint(self) -> str:
        """Give the address, as an endpoint override takes it."""
        return f"http://{_LOOPBACK}:{self._server.server_port}"

    def __enter__(self) -> MediaApiServer:
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

    def __init__(self, gateway: Gateway, port: int) -> None:
        self.gateway = gateway
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

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        """Write no log: its lines would hold signed queries."""

    def _answer(self) -> None:
        length = self.headers.get("content-length") or "0"
        if not length.isdigit() or int(length) > _MAX_BODY_BYTES:
            self.close_connection = True
            self._reply(WireReply(413, b""))
            return
        request = WireRequest(
            self.command, self.path, headers=self._lower_headers(), body=self.rfile.read(int(length))
        )
        self._reply(self.server.gateway.answer(request))

    def _lower_headers(self) -> dict[str, str]:
        # The standard library reads headers as Latin-1; clients write and sign UTF-8.
        return {
            name.lower(): value.encode("latin-1").decode(errors="replace")
            for name, value in self.headers.items()
        }

    def _reply(self, reply: WireReply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)
