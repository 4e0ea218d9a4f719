"""What a bucket holds: bodies in one object store, and beside them what OSS tells of each.

A folder of bodies stays readable as a folder: its files lie where their keys say.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Protocol

import crcmod

from shared.ports import ObjectRemoval, ObjectStore

_FACTS = "facts"
_VERSIONING = "versioning"
_crc64_ecma = crcmod.mkCrcFun(0x142F0E1EBA9EA3693, initCrc=0, rev=True, xorOut=0xFFFFFFFFFFFFFFFF)


class Shelf(ObjectStore, ObjectRemoval, Protocol):
    """A store from which objects can be taken away again."""


@dataclass(frozen=True)
class StoredObject:
    """What is told of an object. `headers` are those that it was stored with and is given back with."""

    key: str
    size: int
    etag: str
    crc64: str
    modified: int
    kind: str = "Normal"
    headers: Mapping[str, str] = field(default_factory=dict)


class Bucket:
    """The objects of one bucket; everything that is told of them is kept in memory too.

    Safe with threads only under `changing`, which whoever reads or writes more than one thing holds.
    """

    def __init__(self, bodies: Shelf, facts: Shelf) -> None:
        self.changing = threading.RLock()
        self._bodies = bodies
        self._facts = facts
        self._objects: dict[str, StoredObject] = {}
        for name in facts.keys(_FACTS):
            stored = StoredObject(**json.loads(facts.get(name)))
            self._objects[stored.key] = stored
        self._versioning = facts.get(_VERSIONING).decode() if facts.has(_VERSIONING) else ""

    @property
    def versioning(self) -> str:
        """Tell what was said of versions: `Enabled` or `Suspended`; empty if nothing ever was."""
        return self._versioning

    def set_versioning(self, status: str) -> None:
        """Say whether versions are kept. None are here: only what that does to writes is imitated."""
        self._facts.put(_VERSIONING, status.encode(), content_type="text/plain")
        self._versioning = status

    def find(self, key: str) -> StoredObject | None:
        """Give what is told of an object."""
        return self._objects.get(key)

    def body(self, key: str) -> bytes:
        """Read an object that was found."""
        return self._bodies.get(key)

    def all(self) -> list[StoredObject]:
        """Give what is told of every object, in the order of their keys."""
        return [self._objects[key] for key in sorted(self._objects)]

    def put(
        self,
        key: str,
        body: bytes,
        *,
        headers: Mapping[str, str],
        modified: int,
        kind: str = "Normal",
        etag: str | None = None,
    ) -> StoredObject:
        """Store an object, replacing what stood there."""
        stored = StoredObject(
            key, len(body), etag or md5_hex(body), crc64(body), modified, kind, dict(headers)
        )
        content_type = headers.get("content-type", "application/octet-stream")
        self._bodies.put(key, body, content_type=content_type)
        told = json.dumps(asdict(stored), ensure_ascii=False).encode()
        self._facts.put(_fact_key(key), told, content_type="application/json")
        self._objects[key] = stored
        return stored

    def remove(self, key: str) -> None:
        """Take an object away, if it is there."""
        if self._objects.pop(key, None) is not None:
            self._facts.remove(_fact_key(key))
            self._bodies.remove(key)


def crc64(body: bytes) -> str:
    """Give the CRC-64 of ECMA-182 as OSS writes it: an unsigned decimal number."""
    return str(_crc64_ecma(body))


def md5_hex(body: bytes) -> str:
    """Give the ETag of a body that was put at once."""
    return hashlib.md5(body, usedforsecurity=False).hexdigest().upper()


def md5_base64(body: bytes) -> str:
    """Give what `Content-MD5` must be for a body."""
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()


def _fact_key(key: str) -> str:
    # Hashed: a key may be as long as a store takes, and here would be longer.
    return f"{_FACTS}/{hashlib.sha256(key.encode()).hexdigest()}.json"
