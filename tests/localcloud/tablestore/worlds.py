"""A local Tablestore, its keys, and the adapter connected to it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from localcloud.loopback import LoopbackServer
from localcloud.tablestore.instance import Instance
from localcloud.tablestore.row_store import RowStore
from localcloud.tablestore.service import Service, serve
from shared.adapters.aliyun.tablestore_instance import Patience, TablestoreInstance
from shared.adapters.clocks import ManualClock, SystemClock
from shared.ports import Clock
from shared.toolkit.context import Credentials

NAME = "local-ledger"
REGION = "cn-hangzhou"
OWN = Credentials("own-key", "own-secret", None)
TEMPORARY = Credentials("STS.key", "temporary-secret", "token/+==")


def present() -> int:
    """Tell the time of the machine: from there the vendor's clients take their timestamps."""
    return time.time_ns() // 1_000_000


def new_service(clock: Clock | None = None, *, index_lag_ms: int = 0) -> Service:
    """Give a service over an empty instance in memory."""
    clock = clock or SystemClock()
    instance = Instance(RowStore(), clock=clock, index_lag_ms=index_lag_ms)
    return Service(instance, name=NAME, keys=[OWN, TEMPORARY], clock=clock)


@contextmanager
def serving(service: Service) -> Iterator[LoopbackServer]:
    """Serve until the block ends."""
    with serve(service) as server:
        yield server


def connect(
    endpoint: str,
    *,
    name: str = NAME,
    credentials: Callable[[], Credentials] = lambda: OWN,
    clock: Clock | None = None,
    remaining_ms: Callable[[], int] = lambda: 60_000,
    prefix: str = "",
    patience: Patience | None = None,
) -> TablestoreInstance:
    """Connect the adapter; without a clock of the test's, its waits between tries take no time."""
    return TablestoreInstance(
        name,
        endpoint=endpoint,
        region=REGION,
        credentials=credentials,
        clock=clock or ManualClock(present()),
        random=random.Random(20_251_121),
        remaining_ms=remaining_ms,
        prefix=prefix,
        patience=patience,
    )
