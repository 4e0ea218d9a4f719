"""What every store of leases does: one contract, also over a table of the ledger; races included."""

from __future__ import annotations

import multiprocessing
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from multiprocessing.queues import Queue
from pathlib import Path

import pytest

from shared.adapters.local.sqlite_ledger import SqliteLedger
from shared.leasing import LedgerRows
from shared.tables import LEASES
from shared.toolkit import leases
from shared.toolkit.errors import MisconfiguredError, TemporaryError
from shared.toolkit.lease_store import Change, LeaseStore, Row, Value, When
from shared.toolkit.memory_lease_store import MemoryLeaseStore
from shared.toolkit.sqlite_lease_store import SqliteLeaseStore

RACERS = 8
PROCESSES = 4
ROUNDS = 25
PATIENCE_S = 60
LEASE = 60_000

Open = Callable[[], "AbstractContextManager[LeaseStore]"]


@contextmanager
def sqlite_store(folder: Path) -> Iterator[LeaseStore]:
    """Open the file in a folder."""
    with closing(SqliteLeaseStore(folder / "leases.db")) as store:
        yield store


@contextmanager
def ledger_rows(folder: Path) -> Iterator[LeaseStore]:
    """Open the table in the ledger of a folder."""
    with closing(SqliteLedger(folder / "ledger.db")) as ledger:
        yield LedgerRows(ledger, LEASES)


@contextmanager
def memory_store(folder: Path) -> Iterator[LeaseStore]:
    """Make a dictionary."""
    yield MemoryLeaseStore()


ON_DISK = {"sqlite": sqlite_store, "ledger": ledger_rows}
STORES = {"memory": memory_store, **ON_DISK}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LeaseStore]:
    with STORES[request.param](tmp_path) as store:
        yield store


def test_a_row_that_nobody_put_is_not_there(store: LeaseStore) -> None:
    assert store.get("k") is None
    assert not store.update("k", {"token": 1}, [])
    assert store.get("k") is None


def test_a_row_is_put_once(store: LeaseStore) -> None:
    assert store.insert("k", {"token": 1, "holder": "é\x00'"})
    assert not store.insert("k", {"token": 2})

    assert store.get("k") == {"token": 1, "holder": "é\x00'"}
    assert store.get("K") is None


def test_an_update_changes_and_removes_columns_and_leaves_the_others(store: LeaseStore) -> None:
    store.insert("k", {"token": 1, "holder": "a", "attempts": -(2**63)})

    assert store.update("k", {"token": 2**63 - 1, "holder": None, "reason": "r", "result": None}, [])
    assert store.get("k") == {"token": 2**63 - 1, "attempts": -(2**63), "reason": "r"}


def test_a_row_without_columns_is_a_row(store: LeaseStore) -> None:
    store.insert("k", {"token": 1})
    store.update("k", {"token": None}, [])

    assert store.get("k") == {}
    assert not store.insert("k", {"token": 2})


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        (When("token", "==", 5), True),
        (When("token", "==", 4), False),
        (When("token", "<=", 5), True),
        (When("token", "<=", 4), False),
        (When("holder", "==", "a"), True),
        (When("holder", "==", "A"), False),
        (When("lease_until", "<=", 9), False),
        (When("lease_until", "<=", 9, missing_passes=True), True),
        (When("token", "==", 4, missing_passes=True), False),
    ],
)
def test_a_condition_decides(store: LeaseStore, when: When, holds: bool) -> None:
    store.insert("k", {"token": 5, "holder": "a"})

    assert store.update("k", {"reason": "new"}, [When("token", "==", 5), when]) is holds
    assert (store.get("k") == {"token": 5, "holder": "a", "reason": "new"}) is holds


@pytest.mark.parametrize("value", [True, 1.5, 2**63, -(2**63) - 1, ["x"]])
def test_a_value_that_is_no_value_is_refused_before_anything_is_written(
    store: LeaseStore, value: Value
) -> None:
    store.insert("k", {"token": 5})

    with pytest.raises(ValueError):
        store.insert("new", {"token": value})
    with pytest.raises(ValueError):
        store.update("k", {"token": value}, [])
    assert store.get("new") is None
    assert store.get("k") == {"token": 5}


def test_what_was_read_stays_as_it_was(store: LeaseStore) -> None:
    store.insert("k", {"token": 1})
    before = store.get("k")
    store.update("k", {"token": 2}, [])

    assert before == {"token": 1}


def take_turns(open_store: Open, wait: Callable[[], object], number: int) -> int:
    """Claim and end a lease on the same row until every turn is taken; count the own ones."""
    taken = 0
    with open_store() as store:
        wait()
        while leases.number(row := store.get("k") or {}, "attempts") < ROUNDS:
            holder = f"{number} {taken}"
            lease = leases.claim(store, "k", row or None, holder=holder, now=0, until=LEASE)
            if lease is not None:
                leases.finish(store, lease, count_up)
                taken += 1
    return taken


def count_up(row: Row) -> tuple[Change, None]:
    """Count a turn."""
    return {"attempts": leases.number(row, "attempts") + 1}, None


def take_turns_and_tell(
    open_store: Open, wait: Callable[[], object], number: int, told: Queue[int | Exception]
) -> None:
    """Do it in a process of its own."""
    try:
        told.put(take_turns(open_store, wait, number))
    except Exception as error:
        told.put(error)


def judge(row: Row | None, taken: int) -> None:
    """Every turn was counted, once, under a token of its own."""
    assert row is not None
    assert leases.number(row, "attempts") >= ROUNDS
    assert row["token"] == row["attempts"] == taken


@pytest.mark.parametrize("kind", STORES)
def test_racing_threads_take_every_turn_once(kind: str, tmp_path: Path) -> None:
    barrier = threading.Barrier(RACERS)
    with STORES[kind](tmp_path) as store, ThreadPoolExecutor(RACERS) as pool:

        @contextmanager
        def shared_store() -> Iterator[LeaseStore]:
            yield store

        racers = [pool.submit(take_turns, shared_store, barrier.wait, n) for n in range(RACERS)]
        taken = sum(racer.result(PATIENCE_S) for racer in racers)
        judge(store.get("k"), taken)


@pytest.mark.parametrize("kind", ON_DISK)
def test_racing_processes_take_every_turn_once(kind: str, tmp_path: Path) -> None:
    open_store = partial(ON_DISK[kind], tmp_path)
    # Spawned, not forked: a connection that came along would not be its own. They make the file, too.
    context = multiprocessing.get_context("spawn")
    barrier, told = context.Barrier(PROCESSES), context.Queue()
    wait = partial(barrier.wait, PATIENCE_S)
    racers = [
        context.Process(target=take_turns_and_tell, args=(open_store, wait, number, told), daemon=True)
        for number in range(PROCESSES)
    ]
    for racer in racers:
        racer.start()
    counts = [told.get(timeout=PATIENCE_S) for _ in racers]
    for racer in racers:
        racer.join(PATIENCE_S)
        racer.close()
    with open_store() as store:
        judge(store.get("k"), sum(counts))


# The file.


def test_another_process_sees_what_was_written(tmp_path: Path) -> None:
    with sqlite_store(tmp_path) as one, sqlite_store(tmp_path) as other:
        one.insert("k", {"token": 1})

        assert other.get("k") == {"token": 1}


def test_closing_twice_is_fine_and_using_it_then_is_a_mistake(tmp_path: Path) -> None:
    store = SqliteLeaseStore(tmp_path / "new" / "leases.db")
    store.close()
    store.close()

    with pytest.raises(sqlite3.ProgrammingError):
        store.get("k")


def test_a_file_that_is_no_database_is_misconfigured(tmp_path: Path) -> None:
    path = tmp_path / "leases.db"
    path.write_bytes(b"not a database" * 100)

    with pytest.raises(MisconfiguredError, match=r"leases\.db"):
        SqliteLeaseStore(path)


def test_a_file_with_another_table_of_that_name_is_misconfigured(tmp_path: Path) -> None:
    path = tmp_path / "leases.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE leases (id INTEGER)")

    with pytest.raises(MisconfiguredError, match=r"leases\.db"):
        SqliteLeaseStore(path)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(TemporaryError, match="cannot be made"):
        SqliteLeaseStore(tmp_path / "file" / "leases.db")


def test_a_file_that_somebody_else_holds_is_tried_later(tmp_path: Path) -> None:
    path = tmp_path / "leases.db"
    with closing(SqliteLeaseStore(path, busy_timeout_ms=1)) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(TemporaryError, match="did not answer"):
                store.insert("k", {"token": 1})

        assert store.insert("k", {"token": 1})


def test_a_write_that_is_broken_off_leaves_nothing(tmp_path: Path) -> None:
    with sqlite_store(tmp_path) as store:
        with pytest.raises(UnicodeEncodeError):
            store.insert("k", {"token": 1, "holder": "\ud800"})

        assert store.get("k") is None
        assert store.insert("k", {"token": 1})
