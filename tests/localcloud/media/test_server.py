"""The socket around the gateway."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections.abc import Mapping
from urllib.parse import urlsplit

import pytest

from localcloud.media.server import MediaApiServer
from localcloud.media.vod import VERSION
from localcloud.media.wire import Action, Answer
from shared.adapters.signing import (
    ACS3_ALGORITHM,
    acs3_canonical_request,
    acs3_signature,
    acs3_string_to_sign,
)
from tests.localcloud.media.worlds import OWN, START, new_world, vod_request, wire


def connect(server: MediaApiServer) -> http.client.HTTPConnection:
    address = urlsplit(server.endpoint)
    return http.client.HTTPConnection(str(address.hostname), address.port, timeout=5)


def test_it_listens_on_the_loopback_interface_alone() -> None:
    with MediaApiServer(new_world().gateway) as server:
        address = urlsplit(server.endpoint)

        assert (address.scheme, address.hostname) == ("http", "127.0.0.1")
        assert address.port


def test_a_connection_serves_many_calls_and_ends_with_the_server() -> None:
    with MediaApiServer(new_world().gateway) as server:
        connection = connect(server)
        sent = [
            wire(vod_request("SubmitAIMediaAuditJob", MediaId=str(number)), now=START) for number in range(3)
        ]
        statuses = []
        for request in sent:
            connection.request(request.method, request.target, headers=dict(request.headers))
            with connection.getresponse() as response:
                response.read()
                statuses.append(response.status)
        kept = connection.sock
        assert kept is not None

    assert statuses == [200, 200, 200]
    assert kept.recv(1) == b""
    connection.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "media-api"]


def test_header_values_arrive_as_the_client_signed_them() -> None:
    sent = wire(vod_request("SubmitAIMediaAuditJob", MediaId="1"))
    headers = {**sent.headers, "user-agent": "é中"}
    signed = sorted(set(headers) - {"authorization"})
    canonical = acs3_canonical_request(
        "POST", "/", query=sent.query, headers=headers, signed=signed, body=b""
    )
    signature = acs3_signature(acs3_string_to_sign(canonical), secret=OWN.access_key_secret)
    headers["authorization"] = (
        f"{ACS3_ALGORITHM} Credential={OWN.access_key_id},"
        f"SignedHeaders={';'.join(signed)},Signature={signature}"
    )

    with MediaApiServer(new_world().gateway) as server:
        connection = connect(server)
        connection.request(
            "POST", sent.target, headers={name: text.encode() for name, text in headers.items()}
        )
        with connection.getresponse() as response:
            body = response.read()
        connection.close()

    assert b'"MediaId":"1"' in body


def test_a_body_beyond_all_measure_is_not_read() -> None:
    with MediaApiServer(new_world().gateway) as server:
        connection = connect(server)
        connection.putrequest("POST", "/")
        connection.putheader("content-length", "99999999")
        connection.endheaders()
        with connection.getresponse() as response:
            response.read()
            status = response.status
        connection.close()

    assert status == 413


def test_a_client_that_hangs_up_disturbs_nobody(capfd: pytest.CaptureFixture[str]) -> None:
    hang_up_hard = struct.pack("ii", 1, 0)

    with MediaApiServer(new_world().gateway) as server:
        address = urlsplit(server.endpoint)
        with socket.create_connection((str(address.hostname), address.port or 0)) as rude:
            rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, hang_up_hard)
            rude.sendall(b"POST / HTTP/1.1\r\ncontent-length: 10\r\n\r\nabc")
        request = wire(vod_request("SubmitAIMediaAuditJob", MediaId="1"))
        connection = connect(server)
        connection.request(request.method, request.target, headers=dict(request.headers))
        with connection.getresponse() as response:
            response.read()
            status = response.status
        connection.close()

    assert status == 200
    assert capfd.readouterr().err == ""


def test_an_error_of_our_own_is_not_hidden(capfd: pytest.CaptureFixture[str]) -> None:
    def broken(_: Mapping[str, str]) -> Answer:
        raise ZeroDivisionError

    gateway = new_world(more=[Action("vod", VERSION, "Broken", broken)]).gateway
    with MediaApiServer(gateway) as server:
        request = wire(vod_request("Broken"))
        connection = connect(server)
        connection.request(request.method, request.target, headers=dict(request.headers))
        with pytest.raises(http.client.RemoteDisconnected):
            connection.getresponse()
        connection.close()

    assert "ZeroDivisionError" in capfd.readouterr().err
