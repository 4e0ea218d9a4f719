"""What only a ledger in a SQLite file has, and a model that it is held against."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shared.adapters.local.sqlite_ledger import SqliteLedger
from shared.errors import CorruptRowError, MisconfiguredError, StoreUnavailableError
from shared.ports import When
from shared.tables import JOBS, JOBS_BY_DAY, Key, Row, Table, Value
from tests.shared.adapters.rows import KEY, ODD_TEXT, OTHER, due, due_row

MODEL_KEYS = st.sampled_from(["a", "b", "c"])
MODEL_VALUES: dict[str, st.SearchStrategy[Value]] = {
    "state": st.sampled_from(["", "running", ODD_TEXT]),
    "token": st.integers(0, 2),
    "due_bucket": st.sampled_from(["3", "4"]),
    "due_at": st.integers(-1, 2),
}
MODEL_ROWS = st.fixed_dictionaries({}, optional=MODEL_VALUES)
MODEL_CHANGES = st.fixed_dictionaries(
    {}, optional={name: st.none() | values for name, values in MODEL_VALUES.items()}
).filter(bool)
MODEL_WHEN = st.one_of(
    [
        st.builds(When, st.just(name), st.sampled_from(["==", "<="]), values, st.booleans())
        for name, values in MODEL_VALUES.items()
    ]
)


class LedgerBesideDict(RuleBasedStateMachine):
    """A ledger file and a dict that are told the same always say the same."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._ledger = SqliteLedger(Path(self._folder.name, "ledger.sqlite"))
        self._model: dict[str, dict[str, Value]] = {}

    @rule(key=MODEL_KEYS, row=MODEL_ROWS)
    def insert(self, key: str, row: dict[str, Value]) -> None:
        is_new = key not in self._model
        self._model.setdefault(key, row)

        assert self._ledger.insert(JOBS, (key,), row) is is_new

    @rule(rows=st.lists(st.tuples(MODEL_KEYS, MODEL_ROWS), max_size=4))
    def insert_many(self, rows: list[tuple[str, dict[str, Value]]]) -> None:
        expected = []
        for key, row in rows:
            expected.append(key not in self._model)
            self._model.setdefault(key, row)

        outcomes = self._ledger.insert_many(JOBS, [((key,), row) for key, row in rows])
        assert [outcome.result() for outcome in outcomes] == expected

    @rule(key=MODEL_KEYS, change=MODEL_CHANGES, when=st.lists(MODEL_WHEN, max_size=2))
    def update(self, key: str, change: dict[str, Value | None], when: list[When]) -> None:
        row = self._model.get(key)
        wins = row is not None and all(_holds(condition, row) for condition in when)
        if row is not None and wins:
            merged = {**row, **change}
            self._model[key] = {name: value for name, value in merged.items() if value is not None}

        assert self._ledger.update(JOBS, (key,), change, when) is wins

    @rule(bucket=st.sampled_from(["3", "4"]), upto=st.integers(-2, 2), limit=st.integers(1, 3))
    def scan(self, bucket: str, upto: int, limit: int) -> None:
        expected = [
            due_row(key, due_at, bucket)
            for key, row in self._model.items()
            if row.get("due_bucket") == bucket and isinstance(due_at := row.get("due_at"), int)
            if due_at <= upto
        ]
        expected.sort(key=lambda row: (row["due_at"], row["job_key"]))

        assert due(self._ledger, bucket=bucket, upto=upto, limit=limit) == expected

    @rule()
    def reopen(self) -> None:
        self._ledger.close()
        self._ledger = SqliteLedger(Path(self._folder.name, "ledger.sqlite"))

    @invariant()
    def same_rows(self) -> None:
        read = {key: self._ledger.get(JOBS, (key,)) for key in "abc"}
        assert {key: row for key, row in read.items() if row is not None} == self._model

    def teardown(self) -> None:
        self._ledger.close()
        self._folder.cleanup()


def _holds(condition: When, row: Mapping[str, Value]) -> bool:
    value = row.get(condition.column)
    if value is None:
        return condition.missing_passes
    if condition.op == "==":
        return value == condition.value
    return value <= condition.value  # type: ignore[operator]  # both are of the column's type


LedgerBesideDict.TestCase.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
TestLedgerBesideDict = LedgerBesideDict.TestCase


def _older(table: Table) -> Table:
    """Give a table as a former version declared it: fewer columns, no index."""
    return replace(table, columns=dict(list(table.columns.items())[:3]), indexes=())


def test_an_older_file_gets_the_missing_columns_and_indexes_and_keeps_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    older = _older(JOBS)
    with closing(SqliteLedger(path, tables=[older])) as ledger:
        ledger.insert(older, KEY, {"state": "running", "token": 4})

    with closing(SqliteLedger(path)) as ledger:
        assert ledger.get(JOBS, KEY) == {"state": "running", "token": 4}
        assert ledger.update(JOBS, KEY, {"due_bucket": "3", "due_at": 1}, [])
        assert due(ledger) == [due_row(KEY[0], 1)]


def test_a_newer_file_keeps_the_columns_that_an_older_version_does_not_know(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with closing(SqliteLedger(path)) as ledger:
        ledger.insert(JOBS, KEY, {"state": "running", "reason": "kept"})
    older = _older(JOBS)
    with closing(SqliteLedger(path, tables=[older])) as ledger:
        ledger.update(older, KEY, {"state": "failed"}, [])

    with closing(SqliteLedger(path)) as ledger:
        assert ledger.get(JOBS, KEY) == {"state": "failed", "reason": "kept"}


def test_the_columns_of_the_file_have_their_types_and_the_scans_use_the_index(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    SqliteLedger(path).close()

    with closing(sqlite3.connect(path)) as file:
        kinds = {name: kind for _, name, kind, *_ in file.execute("PRAGMA table_info(inbox)")}
        plan = file.execute(
            "EXPLAIN QUERY PLAN SELECT job_key FROM jobs WHERE due_bucket = ? AND due_at <= ? "
            "AND (due_at, job_key) > (?, ?) ORDER BY due_at, job_key",
            ("3", 9, 1, "a"),
        ).fetchall()
        journal = file.execute("PRAGMA journal_mode").fetchone()
        partial = file.execute("SELECT name FROM pragma_index_list('jobs') WHERE partial").fetchall()
        with pytest.raises(sqlite3.IntegrityError, match="cannot store TEXT value in INTEGER"):
            file.execute("INSERT INTO jobs (job_key, token) VALUES ('a', 'text')")

    assert (kinds["transport"], kinds["received_at"], kinds["body"]) == ("TEXT", "INTEGER", "BLOB")
    assert len(plan) == 1
    assert "COVERING INDEX jobs_due" in plan[0][3]
    assert sorted(partial) == [("jobs_attention",), ("jobs_by_day",), ("jobs_by_kind",), ("jobs_due",)]
    assert journal == ("wal",)


def _write_garbage(path: Path) -> None:
    path.write_bytes(b"PK\x03\x04 this is a zip file and no database" * 100)


def _write_foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as file:
        file.execute("CREATE TABLE jobs (job_key TEXT PRIMARY KEY)")


def _write_other_key(path: Path) -> None:
    SqliteLedger(path, tables=[replace(JOBS, key=("day", "job_key"))]).close()


def _write_other_type(path: Path) -> None:
    SqliteLedger(path, tables=[replace(JOBS, columns={"token": str}, indexes=())]).close()


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (_write_garbage, "file is not a database"),
        (_write_foreign, "it belongs to another application"),
        (_write_other_key, "the key of its table jobs is day, job_key"),
        (_write_other_type, "its column jobs.token is TEXT, not INTEGER"),
    ],
)
def test_a_file_that_is_no_ledger_is_named_and_left_as_it_is(
    tmp_path: Path, write: Callable[[Path], None], reason: str
) -> None:
    path = tmp_path / "ledger.sqlite"
    write(path)
    before = path.read_bytes()

    with pytest.raises(MisconfiguredError) as caught:
        SqliteLedger(path)

    assert caught.value.details == {"path": str(path), "reason": reason}
    assert path.read_bytes() == before


def test_a_damaged_file_is_named_by_whoever_meets_the_damage(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with closing(SqliteLedger(path)) as ledger:
        ledger.insert(JOBS, KEY, {"state": "running"})
    sound = path.read_bytes()
    path.write_bytes(sound[:4096] + b"\x7f" * (len(sound) - 4096))

    damaged = r"ledger\.sqlite, reason=database disk image is malformed"
    with closing(SqliteLedger(path)) as ledger, pytest.raises(MisconfiguredError, match=damaged):
        ledger.get(JOBS, KEY)


def test_a_locked_file_is_unavailable_and_nothing_was_written(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with closing(SqliteLedger(path, busy_timeout_ms=10)) as ledger:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailableError, match="database is locked"):
                ledger.insert(JOBS, KEY, {"holder": "a secret value"})
            with pytest.raises(StoreUnavailableError, match="database is locked"):
                ledger.insert_many(JOBS, [(KEY, {"holder": "a secret value"})])
            nothing = ledger.get(JOBS, KEY)

        assert nothing is None
        assert ledger.insert(JOBS, KEY, {"holder": "me"})


def test_of_writes_that_wait_for_each_other_each_has_its_own_outcome(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with closing(SqliteLedger(path)) as ledger, ThreadPoolExecutor(16) as pool:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            waiting = [
                pool.submit(ledger.insert, JOBS, (f"job-{n // 2}",), {"holder": str(n)}) for n in range(16)
            ]
        outcomes = [one.result() for one in waiting]
        holders = {(ledger.get(JOBS, (f"job-{n}",)) or {})["holder"] for n in range(8)}

    assert holders == {str(n) for n, is_first in enumerate(outcomes) if is_first}
    assert len(holders) == 8


def test_writes_that_fail_together_leave_nothing_and_can_be_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with closing(SqliteLedger(path, busy_timeout_ms=10)) as ledger:
        keys = [(f"job-{n}",) for n in range(8)]
        with closing(sqlite3.connect(path, isolation_level=None)) as other, ThreadPoolExecutor(8) as pool:
            other.execute("BEGIN IMMEDIATE")
            waiting = [pool.submit(ledger.insert, JOBS, key, {"holder": "me"}) for key in keys]
            errors = [one.exception() for one in waiting]

        assert [type(error) for error in errors] == [StoreUnavailableError] * 8
        assert [ledger.get(JOBS, key) for key in keys] == [None] * 8
        assert [ledger.insert(JOBS, key, {"holder": "me"}) for key in keys] == [True] * 8


def _break_text(path: Path, column: str) -> None:
    with closing(sqlite3.connect(path)) as file:
        file.execute(f"UPDATE jobs SET {column} = CAST(x'ff73656372657420' AS TEXT) WHERE job_key = ?", KEY)
        file.commit()


def test_a_row_with_text_that_is_not_utf_8_is_corrupt_named_and_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with closing(SqliteLedger(path)) as ledger:
        ledger.insert(JOBS, KEY, {"state": "running", "reason": "away"})
        _break_text(path, "reason")

        with pytest.raises(CorruptRowError, match=rf"key={KEY[0]}, .*column 'reason'\)$"):
            ledger.get(JOBS, KEY)


def test_a_row_with_a_broken_covered_text_hides_no_other_from_a_scan(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    day: Row = {"seen_day": "3.2025-11-20", "first_seen_at": 5, "state": "running"}
    with closing(SqliteLedger(path)) as ledger:
        ledger.insert(JOBS, KEY, day)
        ledger.insert(JOBS, OTHER, day)
        _break_text(path, "state")
        page = ledger.scan(JOBS, JOBS_BY_DAY, "3.2025-11-20", upto=5, limit=9)

        assert {row["job_key"] for row in page.rows} == {KEY[0], OTHER[0]}


class _Interrupting(dict[str, Value]):
    """A row at which the person at the keyboard gives up."""

    def values(self) -> NoReturn:
        raise KeyboardInterrupt


def test_a_batch_that_breaks_off_leaves_nothing_and_the_ledger_goes_on(tmp_path: Path) -> None:
    rows: list[tuple[Key, Row]] = [(KEY, {"token": 1}), (OTHER, _Interrupting(token=2))]
    with closing(SqliteLedger(tmp_path / "ledger.sqlite")) as ledger:
        with pytest.raises(KeyboardInterrupt):
            ledger.insert_many(JOBS, rows)

        assert ledger.get(JOBS, KEY) is None
        assert [done.result() for done in ledger.insert_many(JOBS, rows[:1])] == [True]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(StoreUnavailableError, match=r"path=.*ledger\.sqlite, reason=.*File exists: .*file"):
        SqliteLedger(tmp_path / "file" / "ledger.sqlite")


def test_a_closed_ledger_leaves_one_file(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.sqlite")
    ledger.insert(JOBS, KEY, {"state": "running"})

    ledger.close()
    ledger.close()

    assert [path.name for path in tmp_path.iterdir()] == ["ledger.sqlite"]
