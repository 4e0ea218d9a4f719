"""The sockets of local servers."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from urllib.parse import urlsplit

import pytest

from localcloud.loopback import HttpReply, HttpRequest, LoopbackServer, Service


def echo(request: HttpRequest) -> HttpReply:
    """Answer with what was asked."""
    return HttpReply(
        200, request.body or request.target.encode(), {"x-told": request.headers.get("x-told", "")}
    )


def serving(service: Service = echo) -> LoopbackServer:
    return LoopbackServer(service, name="loopback-test", max_body_bytes=1_000)


def connect(server: LoopbackServer) -> http.client.HTTPConnection:
    address = urlsplit(server.endpoint)
    return http.client.HTTPConnection(str(address.hostname), address.port, timeout=5)


def ask(server: LoopbackServer, method: str = "GET", **more: object) -> tuple[int, bytes]:
    connection = connect(server)
    try:
        connection.request(method, "/path?q=1", **more)  # type: ignore[arg-type]  # as the caller says
        with connection.getresponse() as response:
            return response.status, response.read()
    finally:
        connection.close()


def test_it_listens_on_the_loopback_interface_alone() -> None:
    with serving() as server:
        assert urlsplit(server.endpoint).hostname == "127.0.0.1"


def test_a_server_that_is_slowed_down_waits_before_each_answer() -> None:
    happened: list[str] = []

    def service(request: HttpRequest) -> HttpReply:
        happened.append("answered")
        return HttpReply(200)

    with serving(service) as server:
        server.slow_down(lambda: happened.append("waited"))
        ask(server)
        ask(server)

    assert happened == ["waited", "answered"] * 2


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
def test_every_method_arrives_with_path_query_and_body(method: str) -> None:
    with serving() as server:
        assert ask(server, method) == (200, b"/path?q=1")
        assert ask(server, method, body=b"body") == (200, b"body")


def test_a_head_is_answered_without_a_body() -> None:
    with serving() as server:
        connection = connect(server)
        connection.request("HEAD", "/four")
        with connection.getresponse() as response:
            length, body = response.headers["content-length"], response.read()
        connection.close()

    assert (length, body) == ("5", b"")


def test_a_body_in_chunks_arrives_whole() -> None:
    with serving() as server:
        assert ask(server, "PUT", body=iter([b"one ", b"two"]), encode_chunked=True) == (200, b"one two")


@pytest.mark.parametrize("in_chunks", [True, False])
def test_a_body_beyond_the_limit_is_not_read(in_chunks: bool) -> None:
    body = bytes(1_001)

    with serving() as server:
        sent = iter([body]) if in_chunks else body
        assert ask(server, "PUT", body=sent, encode_chunked=in_chunks)[0] == 413


@pytest.mark.parametrize("header", ["Content-Length: \u00b2", "Transfer-Encoding: chunked"])
def test_a_body_of_no_length_is_refused(header: str) -> None:
    with serving() as server:
        connection = connect(server)
        connection.connect()
        connection.sock.sendall(f"PUT / HTTP/1.1\r\n{header}\r\n\r\nnone\r\n".encode("latin-1"))

        assert connection.sock.recv(100).startswith(b"HTTP/1.1 400 ")
        connection.close()


def test_header_values_are_utf_8_in_both_directions() -> None:
    with serving() as server:
        connection = connect(server)
        connection.request("GET", "/", headers={"x-told": "值".encode()})
        with connection.getresponse() as response:
            told = response.headers["x-told"].encode("latin-1").decode()
            response.read()
        connection.close()

    assert told == "值"


def test_no_answer_is_a_connection_that_ends() -> None:
    with serving(lambda _: None) as server, pytest.raises(http.client.RemoteDisconnected):
        ask(server)


def test_a_body_can_be_cut() -> None:
    with (
        serving(lambda _: HttpReply(200, b"0123456789", cut_at=4)) as server,
        pytest.raises(http.client.IncompleteRead) as caught,
    ):
        ask(server)

    assert caught.value.partial == b"0123"


def test_a_connection_serves_many_calls_and_ends_with_the_server() -> None:
    with serving() as server:
        connection = connect(server)
        for _ in range(3):
            connection.request("GET", "/")
            with connection.getresponse() as response:
                response.read()
        kept = connection.sock
        assert kept is not None

    assert kept.recv(1) == b""
    connection.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "loopback-test"]


def test_many_clients_may_connect_before_the_first_is_accepted() -> None:
    server = serving()
    address = urlsplit(server.endpoint)
    host, port = str(address.hostname), address.port or 0
    waiting = [socket.create_connection((host, port), timeout=5) for _ in range(64)]

    with server:
        for client in waiting:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answers = [client.recv(12) for client in waiting]
        for client in waiting:
            client.close()

    assert answers == [b"HTTP/1.1 200"] * 64


def test_a_client_that_hangs_up_disturbs_nobody(capfd: pytest.CaptureFixture[str]) -> None:
    hang_up_hard = struct.pack("ii", 1, 0)

    with serving() as server:
        address = urlsplit(server.endpoint)
        with socket.create_connection((str(address.hostname), address.port or 0)) as rude:
            rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, hang_up_hard)
            rude.sendall(b"PUT / HTTP/1.1\r\ncontent-length: 10\r\n\r\nabc")
        assert ask(server)[0] == 200

    assert capfd.readouterr().err == ""


def test_an_error_of_our_own_is_not_hidden(capfd: pytest.CaptureFixture[str]) -> None:
    def broken(_: HttpRequest) -> HttpReply:
        raise ZeroDivisionError

    with serving(broken) as server, pytest.raises(http.client.RemoteDisconnected):
        ask(server)

    assert "ZeroDivisionError" in capfd.readouterr().err
