"""What an instance keeps, and how it decides races."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from localcloud.loopback import LoopbackServer
from localcloud.tablestore.instance import Instance
from localcloud.tablestore.row_store import RowStore
from localcloud.tablestore.service import Service
from shared.adapters.aliyun.tablestore_instance import TablestoreInstance
from shared.adapters.aliyun.tablestore_ledger import TablestoreLedger
from shared.adapters.aliyun.tablestore_tables import create_tables
from shared.adapters.clocks import SystemClock
from shared.ports import When
from shared.tables import JOBS, Row
from tests.localcloud.tablestore.worlds import NAME, OWN, connect, serving

RACERS = 16


def test_what_an_instance_keeps_in_a_file_is_there_again(tmp_path: Path) -> None:
    for expected in (True, False):
        store = RowStore(tmp_path / "tablestore.sqlite")
        clock = SystemClock()
        service = Service(Instance(store, clock=clock), name=NAME, keys=[OWN], clock=clock)
        with serving(service) as server, closing(connect(server.endpoint)) as instance:
            create_tables(instance)
            assert TablestoreLedger(instance).insert(JOBS, ("a",), {"token": 1}) is expected
        store.close()


def test_of_sixteen_functions_one_wins_each_claim(server: LoopbackServer) -> None:
    jobs = [f"job-{number}" for number in range(20)]
    instances: list[TablestoreInstance] = [connect(server.endpoint) for _ in range(RACERS)]
    create_tables(instances[0])
    ledgers = [TablestoreLedger(instance) for instance in instances]
    for job in jobs:
        ledgers[0].insert(JOBS, (job,), {"token": 0})
    for ledger in ledgers:
        ledger.get(JOBS, (jobs[0],))  # opens its connection
    start = threading.Barrier(RACERS)

    def claim(number: int) -> list[bool]:
        start.wait(60)
        mine: Row = {"token": 1, "holder": str(number)}
        return [ledgers[number].update(JOBS, (job,), mine, [When("token", "==", 0)]) for job in jobs]

    with ThreadPoolExecutor(RACERS) as pool:
        answers = list(pool.map(claim, range(RACERS)))
    rows = [ledgers[0].get(JOBS, (job,)) for job in jobs]
    for ledger in ledgers:
        ledger.close()

    winners = [[str(number) for number, won in enumerate(turn) if won] for turn in zip(*answers, strict=True)]
    assert winners == [[row["holder"]] for row in rows if row is not None]
