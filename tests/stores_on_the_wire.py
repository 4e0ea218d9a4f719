"""The stores of a world over the wire: our adapters for OSS and Tablestore on local servers of both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from localcloud.oss.buckets import Bucket
from shared.adapters.aliyun.tablestore_ledger import TablestoreLedger
from shared.adapters.aliyun.tablestore_tables import create_tables
from tests.localcloud.tablestore.worlds import connect, new_service, serving
from tests.scratch_tables import drop_tables
from tests.shared.adapters.oss_on_the_wire import MemoryShelf, OssOnTheWire, oss_on_the_wire
from tests.world import Stores


class StoresOnTheWire:
    """Opens pairs of stores, each in a bucket and in tables of its own."""

    def __init__(self, oss: OssOnTheWire, buckets: dict[str, Bucket], tablestore: str) -> None:
        self._oss = oss
        self._buckets = buckets
        self._tablestore = tablestore

    @contextmanager
    def open(self) -> Iterator[Stores]:
        """Open new ones."""
        name, shelf = f"world-{len(self._buckets)}", MemoryShelf()
        self._buckets[name] = Bucket(shelf, MemoryShelf())
        instance = connect(self._tablestore, prefix=f"world_{len(self._buckets)}_")
        create_tables(instance)
        with closing(self._oss.objects(name)) as objects, closing(TablestoreLedger(instance)) as ledger:
            yield Stores(objects, ledger, lambda: shelf.bodies)
            drop_tables(instance)


@contextmanager
def stores_on_the_wire(folder: Path) -> Iterator[StoresOnTheWire]:
    """Serve both until the block ends."""
    buckets = {"first": Bucket(MemoryShelf(), MemoryShelf())}
    with oss_on_the_wire(folder, buckets=buckets) as oss, serving(new_service()) as server:
        yield StoresOnTheWire(oss, buckets, server.endpoint)
