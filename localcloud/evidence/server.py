"""The socket: one request a connection, answered by the file's name."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from socketserver import StreamRequestHandler, ThreadingTCPServer
from types import TracebackType
from urllib.parse import quote, unquote

from localcloud.evidence.answers import Answer, whole
from localcloud.evidence.pictures import picture

_LOOPBACK = "127.0.0.1"


class EvidenceServer:
    """Serves while its `with` block lasts; port 0 takes a free one.

    A name that `set` was never called with is a picture that differs from every other name's.
    """

    def __init__(self, *, port: int = 0) -> None:
        self._answers: dict[str, Answer] = {}
        self._asked: Counter[str] = Counter()
        self._heads: dict[str, list[str]] = {}
        self._server = _Server(self, port)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="evidence", daemon=True
        )

    @property
    def port(self) -> int:
        """Give the port."""
        return int(self._server.server_address[1])

    @property
    def host(self) -> str:
        """Give host and port, as `LEDGER_EVIDENCE_HOSTS` takes them."""
        return f"{_LOOPBACK}:{self.port}"

    def set(self, name: str, answer: Answer) -> None:
        """Have a file answered like this from now on."""
        self._answers[name] = answer

    def url(self, name: str, *, host: str = _LOOPBACK, query: str = "") -> str:
        """Give the address of a file, under this or another name of the server."""
        return f"http://{host}:{self.port}/{quote(name)}{query and '?'}{query}"

    def asked(self, name: str) -> int:
        """Tell how often a file was asked for."""
        return self._asked[name]

    def head(self, name: str) -> list[str]:
        """Give the lines of the last request for a file."""
        return self._heads[name]

    def answer(self, lines: list[str]) -> Answer:
        """Note a request, and say how it is answered."""
        name = unquote(lines[0].split(" ")[1].partition("?")[0].lstrip("/"))
        self._asked[name] += 1
        self._heads[name] = lines
        return self._answers.get(name) or whole(picture(name))

    def __enter__(self) -> EvidenceServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.end.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingTCPServer):
    # Every answer ends with the server, so its thread ends and can be waited for.
    daemon_threads = False
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, evidence: EvidenceServer, port: int) -> None:
        self.evidence = evidence
        self.end = threading.Event()
        super().__init__((_LOOPBACK, port), _Connection)

    # The type stubs also allow for datagram servers; hence the exception below.
    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exc_info()[1], OSError):  # a client may leave when it likes
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Connection(StreamRequestHandler):
    server: _Server
    disable_nagle_algorithm = True
    # A client that takes nothing any more, and does not leave either, would keep the server from ending.
    timeout = 5

    def handle(self) -> None:
        lines = []
        while line := self.rfile.readline().decode("latin-1").rstrip():
            lines.append(line)
        if not lines:
            return
        for piece in self.server.evidence.answer(lines)(self.server.end):
            if self.server.end.is_set():
                return
            self.connection.sendall(piece)
