"""A Tablestore with the ledger's tables, and the ledger in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from localcloud.loopback import LoopbackServer
from localcloud.tablestore.service import Service
from shared.adapters.aliyun.tablestore_ledger import TablestoreLedger
from shared.adapters.aliyun.tablestore_tables import create_tables
from tests.localcloud.tablestore.worlds import connect, new_service, serving


@pytest.fixture
def service() -> Service:
    """Give the service that is behind the ledger."""
    return new_service()


@pytest.fixture
def server(service: Service) -> Iterator[LoopbackServer]:
    """Give a server of the service, with the ledger's tables."""
    with serving(service) as server:
        create_tables(connect(server.endpoint))
        yield server


@pytest.fixture
def ledger(server: LoopbackServer) -> Iterator[TablestoreLedger]:
    """Give the ledger."""
    with closing(TablestoreLedger(connect(server.endpoint))) as ledger:
        yield ledger
