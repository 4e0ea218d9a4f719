"""How a server may answer a request for a file: as it should, or in one of the ways that go wrong.

An answer gives the bytes that go over the wire, piece by piece, and waits for nothing but the end of the
server, which is the event that it is called with.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from itertools import repeat
from threading import Event

Answer = Callable[[Event], Iterator[bytes]]

_PIECE = 64 * 1024


def whole(
    body: bytes, *headers: str, status: str = "200 OK", length: int | None = None, stays: bool = False
) -> Answer:
    """Send a body; `length` is what is said of it instead of the truth.

    With `stays` the connection is left open, though the client wants it to end.
    """
    announced = len(body) if length is None else length
    head = _head(status, f"Content-Length: {announced}", *headers)

    def answer(end: Event) -> Iterator[bytes]:
        yield head + body
        if stays:
            end.wait()

    return answer


def refusal(status: str, *headers: str) -> Answer:
    """Answer with a status and a page that says no more."""
    return whole(b"<html>no</html>", "Content-Type: text/html", *headers, status=status)


def redirect(location: str, *, status: str = "302 Found") -> Answer:
    """Send the client elsewhere."""
    return whole(b"", f"Location: {location}", status=status)


def compressed(body: bytes) -> Answer:
    """Send a body as gzip: a bomb, when it is large and all the same."""
    return whole(gzip.compress(body), "Content-Encoding: gzip")


def in_chunks(body: bytes, *, ends: bool = True) -> Answer:
    """Send a body without its length, a hundred bytes at a time, with or without the end that says so."""

    def answer(_: Event) -> Iterator[bytes]:
        yield _head("200 OK", "Transfer-Encoding: chunked")
        for start in range(0, len(body), 100):
            piece = body[start : start + 100]
            yield b"%x\r\n%s\r\n" % (len(piece), piece)
        if ends:
            yield b"0\r\n\r\n"

    return answer


def endless(start: bytes) -> Answer:
    """Begin like a file, and never end."""

    def answer(_: Event) -> Iterator[bytes]:
        yield _head("200 OK") + start
        yield from repeat(bytes(_PIECE))

    return answer


def dripping(body: bytes, *, every: float, after: bytes = b"") -> Answer:
    """Send `after` at once, and then a byte every so many seconds: too slow to end, too busy to be idle."""

    def answer(end: Event) -> Iterator[bytes]:
        yield after
        for byte in body:
            if end.wait(every):
                return
            yield bytes([byte])

    return answer


def silence(end: Event) -> Iterator[bytes]:
    """Take the request, and say nothing."""
    end.wait()
    yield b""


def _head(status: str, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode()
