"""What the host and the process of an instance say to each other: length-prefixed frames on a socket.

A frame is a head, as JSON, and a body, as bytes. Both ends use this; it imports nothing of the project.
"""

from __future__ import annotations

import json
import socket
import struct
from typing import Any, BinaryIO

_LENGTHS = struct.Struct(">II")


def write_frame(connection: socket.socket, head: dict[str, Any], body: bytes = b"") -> None:
    """Send a frame; raise `OSError` when the other end is gone."""
    told = json.dumps(head).encode()
    connection.sendall(_LENGTHS.pack(len(told), len(body)) + told)
    connection.sendall(body)


def read_frame(incoming: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """Wait for a frame; None when the other end is gone, be it in the middle of one."""
    try:
        lengths = incoming.read(_LENGTHS.size)
        if len(lengths) < _LENGTHS.size:
            return None
        head_length, body_length = _LENGTHS.unpack(lengths)
        head, body = incoming.read(head_length), incoming.read(body_length)
    except OSError:
        return None
    if len(head) < head_length or len(body) < body_length:
        return None
    told: dict[str, Any] = json.loads(head)
    return told, body
