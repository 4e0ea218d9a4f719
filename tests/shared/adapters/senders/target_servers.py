"""Web servers on the loopback interface that take events, each in its own way."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

HOST = "target.example"
"""The name in `CERTIFICATE`; nothing resolves it but the resolver of a test."""

Serve = Callable[[socket.socket, "Received"], object]
"""Answers one request over a connection."""


@dataclass
class Received:
    """What a server was sent: the head and the body of every request."""

    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def headers(self) -> dict[str, str]:
        """Give the headers of the last request, their names in lower case."""
        pairs = [line.split(": ", 1) for line in self.heads[-1].splitlines()[1:]]
        return {name.lower(): value for name, value in pairs}


@contextmanager
def serving(
    serve: Serve, *, host: str = "127.0.0.1", tls: Path | None = None
) -> Iterator[tuple[int, Received]]:
    """Serve connections one after the other until the block ends; give the port and what came."""
    received = Received()
    with socket.create_server(
        (host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET
    ) as listener:
        thread = threading.Thread(target=_accept, args=(listener, serve, received, tls))
        thread.start()
        try:
            yield listener.getsockname()[1], received
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def answering(answer: bytes) -> Serve:
    """Take a request and answer with these bytes."""

    def serve(connection: socket.socket, received: Received) -> None:
        take(connection, received)
        connection.sendall(answer)

    return serve


def answer(status: str, *headers: str, body: bytes = b"") -> bytes:
    """Give a whole answer."""
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers])
    return f"{head}\r\n\r\n".encode() + body


def take(connection: socket.socket, received: Received) -> None:
    """Read a whole request."""
    stream = connection.makefile("rb")
    lines = []
    while (line := stream.readline()) not in (b"\r\n", b""):
        lines.append(line.decode().rstrip())
    if not lines:
        raise ConnectionError("the client left without a word")
    received.heads.append("\n".join(lines))
    received.bodies.append(stream.read(int(received.headers()["content-length"])))


def until_hung_up(connection: socket.socket) -> None:
    """Wait until the client leaves."""
    while connection.recv(65536):
        continue


def _accept(listener: socket.socket, serve: Serve, received: Received, tls: Path | None) -> None:
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:
            return
        # A client that leaves in the middle is what some tests are about.
        with plain, suppress(OSError):
            if tls is None:
                serve(plain, received)
                continue
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls)
            with context.wrap_socket(plain, server_side=True) as secured:
                serve(secured, received)


# It protects nothing. Made with `openssl ca -selfsign`: for the name alone, from 2020 to 2120.
CERTIFICATE = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgc2xCE1Zjo+j88Q55
Qolyr0RPFHvSmC4f5vbrQ895A9ChRANCAAThq8XO1+ZxFNAJac/ilHc11wCe7DX3
p642NAxCv2ruQXdw5vXDtIjPwcmQY6EA4WhXeZ6I187izDDbTwifXc5A
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBfjCCASOgAwIBAgIBATAKBggqhkjOPQQDAjAZMRcwFQYDVQQDDA50YXJnZXQu
ZXhhbXBsZTAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowGTEXMBUG
A1UEAwwOdGFyZ2V0LmV4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATh
q8XO1+ZxFNAJac/ilHc11wCe7DX3p642NAxCv2ruQXdw5vXDtIjPwcmQY6EA4WhX
eZ6I187izDDbTwifXc5Ao1owWDAZBgNVHREEEjAQgg50YXJnZXQuZXhhbXBsZTAP
BgNVHRMBAf8EBTADAQH/MAsGA1UdDwQEAwIChDAdBgNVHQ4EFgQUTDRMEkzWNoSd
/DSp1kKBdqf7wCYwCgYIKoZIzj0EAwIDSQAwRgIhALy4J8Q91/zVUWzZ98UM0CQb
qUaVCtgNTV9npdpl11wMAiEAh5E9DgkgYiY6gKnbXDJB68VKKIHzXbjv2swXYEwS
guM=
-----END CERTIFICATE-----
"""
