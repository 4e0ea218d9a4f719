"""A local Tablestore and the vendor's client for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from localcloud.loopback import LoopbackServer
from tests.localcloud.tablestore.calls import create
from tests.localcloud.tablestore.worlds import connect, new_service, serving


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    """Serve an empty instance."""
    with serving(new_service()) as server:
        yield server


@pytest.fixture
def client(server: LoopbackServer) -> Iterator[Any]:
    """Give the vendor's client with a table `t`."""
    with closing(connect(server.endpoint)) as instance:
        create(instance.client())
        yield instance.client()
