"""The server of pictures: what it serves, and that it ends whatever a client does."""

from __future__ import annotations

import socket
import zlib

import pytest
import requests

from localcloud.evidence.answers import Answer, dripping, endless, redirect, refusal, silence, whole
from localcloud.evidence.pictures import picture
from localcloud.evidence.server import EvidenceServer


def test_every_name_is_another_picture() -> None:
    with EvidenceServer() as server:
        bodies = [requests.get(server.url(name), timeout=5).content for name in ("a.jpg", "b/c d.jpg")]

    assert bodies == [picture("a.jpg"), picture("b/c d.jpg")]
    assert bodies[0] != bodies[1]


@pytest.mark.parametrize("size", [0, 100_000])
def test_a_picture_is_a_whole_png(size: int) -> None:
    body = picture("a.jpg", size=size)

    assert len(body) >= size
    at, names = 8, []
    while at < len(body):
        length = int.from_bytes(body[at : at + 4], "big")
        chunk = body[at + 4 : at + 8 + length]
        assert zlib.crc32(chunk) == int.from_bytes(body[at + 8 + length : at + 12 + length], "big")
        names.append(chunk[:4])
        at += 12 + length
    assert names == [b"IHDR", b"tEXt", b"IDAT", b"IEND"]


def test_an_answer_is_what_it_was_set_to_and_requests_are_counted() -> None:
    with EvidenceServer() as server:
        server.set("a.jpg", refusal("404 Not Found"))
        server.set("b.jpg", redirect("/a.jpg"))
        first = requests.get(server.url("a.jpg", query="q=1"), timeout=5)
        second = requests.get(server.url("b.jpg"), timeout=5)
        server.set("a.jpg", whole(b"here"))
        third = requests.get(server.url("a.jpg"), timeout=5)

        assert (first.status_code, second.status_code, third.content) == (404, 404, b"here")
        assert (server.asked("a.jpg"), server.asked("b.jpg"), server.asked("c.jpg")) == (3, 1, 0)
        assert server.head("a.jpg")[0] == "GET /a.jpg HTTP/1.1"


@pytest.mark.parametrize(
    "answer", [silence, endless(b""), dripping(b"." * 9, every=60), whole(b"a", stays=True)]
)
def test_it_ends_with_clients_that_wait(answer: Answer) -> None:
    with EvidenceServer() as server, socket.create_connection(("127.0.0.1", server.port)) as client:
        server.set("a.jpg", answer)
        client.sendall(b"GET /a.jpg HTTP/1.1\r\n\r\n")
        while not server.asked("a.jpg"):
            continue


def test_a_client_that_leaves_without_a_word_harms_nobody() -> None:
    with EvidenceServer() as server:
        socket.create_connection(("127.0.0.1", server.port)).close()

        assert requests.get(server.url("a.jpg"), timeout=5).ok
