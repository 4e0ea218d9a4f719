"""OSS on a loopback port, and our adapters pointed at it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from localcloud.oss.buckets import Bucket
from localcloud.oss.server import folder_buckets, oss_server
from localcloud.oss.service import OssService
from shared.adapters.aliyun.oss_client import OssClient, OssPatience, OssPlace
from shared.adapters.aliyun.oss_object_store import OssObjectStore
from shared.adapters.clocks import SystemClock
from shared.ports import Clock
from shared.toolkit.context import Credentials

OWN = Credentials("own-key", "own-secret")
TEMPORARY = Credentials("temporary-key", "temporary-secret", "temporary-token")
BUCKET = "media-ledger"
REGION = "cn-shanghai"
MINUTE = 60_000
_HASTE = OssPatience(first_wait_ms=1, longest_wait_ms=2)


@dataclass(frozen=True)
class OssOnTheWire:
    """A running server: where it is, and the service behind it."""

    endpoint: str
    service: OssService

    def objects(self, bucket: str = BUCKET, **changes: Any) -> OssObjectStore:
        """Open an object store of ours over it, with another client than usual."""
        return OssObjectStore(new_client(self.endpoint, **changes), bucket)


def new_client(
    endpoint: str,
    *,
    credentials: Callable[[], Credentials] = lambda: OWN,
    clock: Clock | None = None,
    deadline: Callable[[], int] | None = None,
    patience: OssPatience = _HASTE,
) -> OssClient:
    """Open a client of ours, in a hurry."""
    clock = clock or SystemClock()
    ends = clock.now() + MINUTE
    return OssClient(
        OssPlace(REGION, endpoint),
        credentials=credentials,
        clock=clock,
        random=random.Random(20_251_120),
        deadline=deadline or (lambda: ends),
        open_session=new_session,
        patience=patience,
    )


def new_session() -> requests.Session:
    """Open connections that no environment has a say in."""
    session = requests.Session()
    session.trust_env = False
    return session


@contextmanager
def oss_on_the_wire(
    folder: Path, *, clock: Clock | None = None, buckets: Mapping[str, Bucket] | None = None
) -> Iterator[OssOnTheWire]:
    """Serve buckets: the one for the archive, over a folder, unless there are others."""
    service = OssService(
        buckets or folder_buckets(folder, [BUCKET]),
        keys=[OWN, TEMPORARY],
        clock=clock or SystemClock(),
        random=random.Random(20_251_120),
        region=REGION,
    )
    with oss_server(service) as server:
        yield OssOnTheWire(server.endpoint, service)


@contextmanager
def oss_object_store(endpoint: str) -> Iterator[OssObjectStore]:
    """Open the archive in a bucket; can be sent to another process."""
    with closing(OssObjectStore(new_client(endpoint), BUCKET)) as objects:
        yield objects


class MemoryShelf:
    """A store that takes any key, as a real bucket does."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}

    def put(self, key: str, body: bytes, *, content_type: str) -> None:
        """Keep a body."""
        self.bodies[key] = body

    def put_new(self, key: str, body: bytes, *, content_type: str) -> bool:
        """Keep a body where there is none."""
        return self.bodies.setdefault(key, body) is body

    def get(self, key: str) -> bytes:
        """Give a body."""
        return self.bodies[key]

    def has(self, key: str) -> bool:
        """Tell whether there is a body."""
        return key in self.bodies

    def keys(self, folder: str) -> Iterator[str]:
        """Give the keys below a folder."""
        return (key for key in sorted(self.bodies) if key.startswith(f"{folder}/"))

    def remove(self, key: str) -> None:
        """Forget a body."""
        self.bodies.pop(key, None)
