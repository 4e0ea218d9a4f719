"""The rights of each function again, by its requests on the wire: OSS and Tablestore see nothing else.

Here is no table of what an adapter does for a call of its port. The answer to the first object in
each folder is lost, so that what the adapter does to learn whether it is there needs a right, too. What those
two do not see (invocations, messages, the vendor's queries) is in `test_template_rights.py`, whose jobs these
are.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import PurePosixPath

import pytest

from localcloud.loopback import HttpReply, HttpRequest, LoopbackServer
from localcloud.oss.buckets import Bucket
from localcloud.oss.service import OssService
from localcloud.oss.wire import OssRequest
from localcloud.tablestore.messages import BATCH_WRITE, NAMED_TABLE
from shared.adapters.aliyun.oss_object_store import OssObjectStore
from shared.adapters.aliyun.tablestore_ledger import TablestoreLedger
from shared.adapters.aliyun.tablestore_tables import create_tables
from shared.adapters.clocks import SystemClock
from shared.ports import Change, When
from shared.tables import Key, Row, Table
from tests.localcloud.tablestore.worlds import connect, new_service
from tests.shared.adapters.oss_on_the_wire import OWN, MemoryShelf, new_client
from tests.stack import covers
from tests.test_template_rights import ACCOUNT, HANDLERS, REGION, ROLES, STACK, Life, Use, live
from tests.world import Stores, WatchedLedger

BUCKET = "archive"
MAX_BODY_BYTES = 64 * 1024 * 1024
# https://www.alibabacloud.com/help/en/oss/user-guide/ram-policy-overview
OBJECT_ACTIONS = {
    "GET": "oss:GetObject",
    "HEAD": "oss:GetObject",
    "PUT": "oss:PutObject",
    "POST": "oss:PutObject",
    "DELETE": "oss:DeleteObject",
}

Answer = Callable[[HttpRequest], "HttpReply | None"]


class Wire:
    """Stands before the services: notes what the present function asks for, and loses some answers."""

    def __init__(self) -> None:
        self.function = ""
        self.uses: dict[str, set[Use]] = {name: set() for name in HANDLERS}

    def before(self, answer: Answer, actions: Callable[[HttpRequest], set[Use]]) -> Answer:
        """Give a service with this in front of it."""

        def noting(request: HttpRequest) -> HttpReply | None:
            if not self.function:
                return answer(request)
            known = self.uses[self.function]
            asked = {(action, _first_folder(what)) for action, what in actions(request)}
            is_new_write = any(action == "oss:PutObject" for action, _ in asked - known)
            known |= asked
            reply = answer(request)
            return None if is_new_write else reply

        return noting


class UnwatchedLedger(WatchedLedger):
    """A ledger that nobody reads for the sake of a check: such requests would be taken for the function's."""

    def insert(self, table: Table, key: Key, row: Row) -> bool:
        """See `Ledger.insert`."""
        return self._inner.insert(table, key, row)

    def update(self, table: Table, key: Key, change: Change, when: Sequence[When]) -> bool:
        """See `Ledger.update`."""
        return self._inner.update(table, key, change, when)


class LifeOnTheWire(Life):
    """A life over stores on the wire."""

    def __init__(self, wire: Wire, stores: Stores) -> None:
        super().__init__(stores)
        self.world.ledger = UnwatchedLedger(stores.ledger, self.world.clock)
        self._wire = wire

    def run(self, name: str, event: bytes) -> None:
        """Invoke a function."""
        before, self._wire.function = self._wire.function, name
        try:
            super().run(name, event)
        finally:
            self._wire.function = before


def object_actions(request: HttpRequest) -> set[Use]:
    """Say what a request to OSS is for RAM."""
    asked = OssRequest.of(request)
    if not asked.key:
        return {("oss:ListObjects", f"acs:oss:*:{ACCOUNT}:{asked.bucket}")}
    action = "oss:AbortMultipartUpload" if _aborts(asked) else OBJECT_ACTIONS[asked.method]
    return {(action, f"acs:oss:*:{ACCOUNT}:{asked.bucket}/{asked.key}")}


def table_actions(request: HttpRequest) -> set[Use]:
    """Say what a request to Tablestore is for RAM."""
    operation = request.target.lstrip("/")
    if operation == "BatchWriteRow":
        names = [table["table_name"] for table in BATCH_WRITE.decode(request.body)["tables"]]
    else:
        names = [NAMED_TABLE.decode(request.body)["table_name"]]
    return {
        (f"ots:{operation}", f"acs:ots:{REGION}:{ACCOUNT}:instance/media-ledger/table/{name}")
        for name in names
    }


def _aborts(asked: OssRequest) -> bool:
    return asked.method == "DELETE" and "uploadId" in asked.query


def _first_folder(resource: str) -> str:
    """Leave of an object's place its first folder, by which rights are given."""
    head, slash, _ = resource.partition(f":{BUCKET}/")
    if not slash:
        return resource
    return f"{head}{slash}{PurePosixPath(resource.removeprefix(head + slash)).parts[0]}/one"


@pytest.fixture(scope="module")
def used() -> Iterator[dict[str, set[Use]]]:
    """Give what each function asked the two services for."""
    wire, clock = Wire(), SystemClock()
    tables = new_service(clock)
    oss = OssService(
        {BUCKET: Bucket(MemoryShelf(), MemoryShelf())}, keys=[OWN], clock=clock, random=random.Random(1)
    )
    with ExitStack() as serving:
        servers = [
            serving.enter_context(LoopbackServer(answer, name=name, max_body_bytes=MAX_BODY_BYTES))
            for name, answer in (
                ("oss", wire.before(oss.answer, object_actions)),
                ("tablestore", wire.before(tables.answer, table_actions)),
            )
        ]
        instance = connect(servers[1].endpoint)
        create_tables(instance)
        objects = serving.enter_context(closing(OssObjectStore(new_client(servers[0].endpoint), BUCKET)))
        ledger = serving.enter_context(closing(TablestoreLedger(instance)))
        life = LifeOnTheWire(wire, Stores(objects, ledger, dict))
        live(life)
        yield wire.uses


@pytest.mark.parametrize("name", sorted(HANDLERS))
def test_a_function_asks_for_nothing_that_its_role_does_not_grant(
    name: str, used: dict[str, set[Use]]
) -> None:
    granted = STACK.grants(ROLES[name])

    assert used[name]
    assert {use for use in used[name] if not any(covers(grant, use) for grant in granted)} == set()


@pytest.mark.parametrize("name", sorted(HANDLERS))
def test_a_role_grants_nothing_in_stores_that_its_function_never_asks_for(
    name: str, used: dict[str, set[Use]]
) -> None:
    granted = {grant for grant in STACK.grants(ROLES[name]) if grant[0].startswith(("oss:", "ots:"))}

    assert {grant for grant in granted if not any(covers(grant, use) for use in used[name])} == set()


def test_every_function_of_the_template_is_looked_at() -> None:
    functions = STACK.of_type("ALIYUN::FC3::Function").values()

    assert {one["FunctionName"].removeprefix("media-ledger-") for one in functions} == set(HANDLERS)
