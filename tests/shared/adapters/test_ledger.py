"""The contract of `Ledger`, over every adapter; at the end what only a SQLite file has."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shared.adapters.local.sqlite_ledger import SqliteLedger
from shared.errors import MisconfiguredError, OutcomeUnknownError, StoreUnavailableError
from shared.ports import Change, Ledger, Page, When
from shared.tables import INBOX, JOBS, JOBS_BY_DAY, JOBS_DUE, Index, Key, Row, Table, Value
from tests.faults import ANSWER_LOST, UNAVAILABLE, Fault, Faults, FaultyLedger, at, first
from tests.shared.adapters.conftest import Meet, Race

KEY = ("3f.vod.media_audit.job-1",)
OTHER = ("3f.vod.media_audit.job-2",)
FOREVER = 2**62
ROUNDS = 20
ODD_TEXT = "媒体\x00审核 \U0001f3ac '\";--\n"


def _due(ledger: Ledger, *, bucket: str = "3", upto: int = FOREVER, limit: int = 100) -> list[Row]:
    """Read a whole partition of `jobs_due`, page by page."""
    page = ledger.scan(JOBS, JOBS_DUE, bucket, upto=upto, limit=limit)
    rows = list(page.rows)
    while page.after is not None:
        page = ledger.scan(JOBS, JOBS_DUE, bucket, upto=upto, limit=limit, after=page.after)
        rows += page.rows
    return rows


def _due_row(key: str, due_at: int, bucket: str = "3") -> Row:
    return {"due_bucket": bucket, "due_at": due_at, "job_key": key}


def _insert_due(ledger: Ledger, *places: tuple[str, int]) -> None:
    for key, due_at in places:
        assert ledger.insert(JOBS, (key,), {"state": "tracked", "due_bucket": "3", "due_at": due_at})


# Rows.


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"transport": "mns-topic", "received_at": 1_763_640_000_000, "body": b"\x00\xff"},
        {"transport": "", "received_at": 0, "body": b""},
        {"transport": ODD_TEXT, "received_at": 2**63 - 1, "body": ODD_TEXT.encode()},
        {"received_at": -(2**63)},
        {"body": bytes(2 * 1024 * 1024)},
    ],
    ids=["no column", "each type", "empty values", "NUL and Chinese", "least integer", "2 MiB"],
)
def test_a_row_is_read_as_it_was_put(ledger: Ledger, row: Row) -> None:
    ledger.insert(INBOX, (*KEY, "message-1"), row)

    assert ledger.get(INBOX, (*KEY, "message-1")) == row


def test_a_key_is_any_text_and_all_of_it_counts(ledger: Ledger) -> None:
    keys: list[Key] = [("a", "b"), ("ab", ""), ("", "ab"), ("a", "B"), ("a", "b\x00"), (ODD_TEXT, "1")]
    for number, key in enumerate(keys):
        ledger.insert(INBOX, key, {"received_at": number})

    assert [ledger.get(INBOX, key) for key in keys] == [{"received_at": n} for n in range(len(keys))]
    assert ledger.get(INBOX, ("a", "c")) is None


def test_a_second_insert_keeps_the_first_row(ledger: Ledger) -> None:
    answers = [
        ledger.insert(JOBS, KEY, {"holder": "first", "token": 1}),
        ledger.insert(JOBS, KEY, {"holder": "second"}),
    ]

    assert answers == [True, False]
    assert ledger.get(JOBS, KEY) == {"holder": "first", "token": 1}


def test_a_write_touches_its_own_row_and_table_only(ledger: Ledger) -> None:
    for key in (KEY, OTHER):
        ledger.insert(JOBS, key, {"state": "tracked", "token": 1})
    ledger.insert(INBOX, (*KEY, "1"), {"claimed": "failed"})

    ledger.update(JOBS, KEY, {"state": "running", "claimed": "succeeded"}, [])

    assert ledger.get(JOBS, KEY) == {"state": "running", "token": 1, "claimed": "succeeded"}
    assert ledger.get(JOBS, OTHER) == {"state": "tracked", "token": 1}
    assert ledger.get(INBOX, (*KEY, "1")) == {"claimed": "failed"}


def test_none_removes_a_column_and_the_emptied_row_still_exists(ledger: Ledger) -> None:
    ledger.insert(JOBS, KEY, {"holder": "me"})

    assert ledger.update(JOBS, KEY, {"holder": None, "reason": None}, [])
    assert ledger.get(JOBS, KEY) == {}


# Conditions.


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ([], True),
        ([When("token", "==", 7)], True),
        ([When("token", "==", 8)], False),
        ([When("token", "<=", 7)], True),
        ([When("token", "<=", 6)], False),
        ([When("holder", "==", "me")], True),
        ([When("holder", "==", "Me")], False),
        ([When("state", "==", "")], True),
        ([When("lease_until", "==", 0)], False),
        ([When("lease_until", "<=", FOREVER)], False),
        ([When("lease_until", "<=", 0, missing_passes=True)], True),
        ([When("reason", "==", "\x00", missing_passes=True)], True),
        ([When("token", "==", 8, missing_passes=True)], False),
        ([When("token", "==", 7), When("holder", "==", "me")], True),
        ([When("token", "==", 7), When("holder", "==", "you")], False),
        ([When("lease_until", "<=", 0, missing_passes=True), When("token", "==", 8)], False),
    ],
)
def test_an_update_happens_exactly_when_all_conditions_hold(
    ledger: Ledger, when: list[When], holds: bool
) -> None:
    row: Row = {"token": 7, "holder": "me", "state": ""}
    ledger.insert(JOBS, KEY, row)

    assert ledger.update(JOBS, KEY, {"token": 9}, when) is holds
    assert ledger.get(JOBS, KEY) == {**row, "token": 9 if holds else 7}


def test_a_row_that_does_not_exist_is_never_made_by_an_update(ledger: Ledger) -> None:
    when = [When("token", "==", 1, missing_passes=True)]

    assert not ledger.update(JOBS, KEY, {"token": 1}, [])
    assert not ledger.update(JOBS, KEY, {"token": 1}, when)
    assert ledger.get(JOBS, KEY) is None


# Races.


def _insert_each(ledger: Ledger, meet: Meet, number: int) -> list[bool]:
    answers = []
    for turn in range(ROUNDS):
        meet()
        answers.append(ledger.insert(JOBS, (f"job-{turn}",), {"holder": str(number)}))
    return answers


def _claim_each(ledger: Ledger, meet: Meet, number: int) -> list[bool]:
    claim: Row = {"token": 1, "holder": str(number)}
    free = [When("token", "==", 0), When("lease_until", "<=", 5, missing_passes=True)]
    answers = []
    for turn in range(ROUNDS):
        meet()
        answers.append(ledger.update(JOBS, (f"job-{turn}",), claim, free))
    return answers


def _count_up(ledger: Ledger, meet: Meet, number: int) -> int:
    meet()
    wins = attempts = 0
    while wins < ROUNDS:
        row = ledger.get(JOBS, KEY)
        assert row is not None
        token = row["token"]
        assert isinstance(token, int)
        wins += ledger.update(JOBS, KEY, {"token": token + 1}, [When("token", "==", token)])
        attempts += 1
    return wins


def _winners(answers: list[list[bool]]) -> list[list[str]]:
    turns = zip(*answers, strict=True)
    return [[str(number) for number, won in enumerate(turn) if won] for turn in turns]


def _holders(ledger: Ledger) -> list[list[Value]]:
    rows = [ledger.get(JOBS, (f"job-{turn}",)) for turn in range(ROUNDS)]
    return [[row["holder"]] for row in rows if row is not None]


def test_one_of_many_racing_inserts_puts_the_row(ledger: Ledger, race_ledger: Race[Ledger]) -> None:
    answers = race_ledger(_insert_each)

    assert _winners(answers) == _holders(ledger)


def test_one_of_many_racing_claims_wins(ledger: Ledger, race_ledger: Race[Ledger]) -> None:
    for turn in range(ROUNDS):
        ledger.insert(JOBS, (f"job-{turn}",), {"token": 0})

    answers = race_ledger(_claim_each)

    assert _winners(answers) == _holders(ledger)


def test_no_conditional_update_overwrites_another(ledger: Ledger, race_ledger: Race[Ledger]) -> None:
    ledger.insert(JOBS, KEY, {"token": 0})

    wins = race_ledger(_count_up)

    assert ledger.get(JOBS, KEY) == {"token": sum(wins)}


# Batches.


def test_each_row_of_a_batch_has_its_own_outcome(ledger: Ledger) -> None:
    ledger.insert(INBOX, ("b", "1"), {"reason": "was there before"})
    unknown: Row = {"no_such_column": 1}

    outcomes = ledger.insert_many(
        INBOX,
        [
            (("a", "1"), {"reason": "new"}),
            (("b", "1"), {"reason": "duplicate"}),
            (("c", "1"), unknown),
            (("d", "1"), {"received_at": 4}),
            (("d", "1"), {"received_at": 5}),
        ],
    )

    assert [outcome.value for outcome in outcomes] == [True, False, None, True, False]
    assert [type(outcome.error) for outcome in outcomes].count(ValueError) == 1
    with pytest.raises(ValueError, match="no_such_column"):
        outcomes[2].result()
    stored = [ledger.get(INBOX, (key, "1")) for key in "abcd"]
    assert stored == [{"reason": "new"}, {"reason": "was there before"}, None, {"received_at": 4}]


def test_a_batch_has_a_limit_and_nothing_of_a_longer_one_is_put(ledger: Ledger) -> None:
    rows: list[tuple[Key, Row]] = [((f"{n}",), {"token": n}) for n in range(ledger.BATCH_LIMIT + 1)]

    with pytest.raises(ValueError, match=str(ledger.BATCH_LIMIT)):
        ledger.insert_many(JOBS, rows)
    nothing = [ledger.get(JOBS, key) for key, _ in rows[:3]]
    outcomes = ledger.insert_many(JOBS, rows[1:])

    assert nothing == [None] * 3
    assert [outcome.result() for outcome in outcomes] == [True] * ledger.BATCH_LIMIT
    assert ledger.insert_many(JOBS, []) == []


# Indexes.


def test_a_scan_gives_index_columns_key_and_what_is_covered(ledger: Ledger) -> None:
    ledger.insert(JOBS, KEY, {"state": "failed", "token": 3, "seen_day": "3.2025-11-20", "first_seen_at": 5})

    page = ledger.scan(JOBS, JOBS_BY_DAY, "3.2025-11-20", upto=FOREVER, limit=10)

    day: Row = {"seen_day": "3.2025-11-20", "first_seen_at": 5}
    assert page == Page([{**day, "job_key": KEY[0], "state": "failed"}])


def test_a_scan_is_in_order_of_position_then_key_up_to_and_with_the_end(ledger: Ledger) -> None:
    _insert_due(ledger, ("c", 20), ("b", 10), ("a", 20), ("d", 21), ("e", -5))
    ledger.insert(JOBS, ("f",), {"due_bucket": "4", "due_at": 1})

    assert _due(ledger, upto=20) == [
        _due_row("e", -5),
        _due_row("b", 10),
        _due_row("a", 20),
        _due_row("c", 20),
    ]
    assert _due(ledger, bucket="4") == [_due_row("f", 1, "4")]
    assert _due(ledger, bucket="5") == []


@pytest.mark.parametrize("column", ["due_bucket", "due_at"])
def test_a_row_without_an_index_column_is_not_in_the_index(ledger: Ledger, column: str) -> None:
    _insert_due(ledger, ("a", 1), ("b", 2))
    ledger.insert(JOBS, ("c",), {"due_bucket": "3"})

    ledger.update(JOBS, ("a",), {column: None}, [])

    assert _due(ledger) == [_due_row("b", 2)]


def test_a_row_moves_in_the_index_with_its_columns(ledger: Ledger) -> None:
    _insert_due(ledger, ("a", 1), ("b", 2))

    ledger.update(JOBS, ("a",), {"due_at": 3}, [])

    assert _due(ledger) == [_due_row("b", 2), _due_row("a", 3)]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_pages_follow_each_other_without_gap_or_repetition(ledger: Ledger, limit: int) -> None:
    _insert_due(ledger, *((f"job-{n}", n // 3) for n in range(7)))

    page = ledger.scan(JOBS, JOBS_DUE, "3", upto=FOREVER, limit=limit)

    assert len(page.rows) == min(limit, 7)
    assert _due(ledger, limit=limit) == [_due_row(f"job-{n}", n // 3) for n in range(7)]


def test_a_page_is_cut_to_the_page_limit_and_the_rest_follows(ledger: Ledger) -> None:
    count = ledger.PAGE_LIMIT + 3
    rows: list[tuple[Key, Row]] = [
        ((f"{n:05}",), {"due_bucket": "3", "due_at": count - n}) for n in range(count)
    ]
    for start in range(0, count, ledger.BATCH_LIMIT):
        ledger.insert_many(JOBS, rows[start : start + ledger.BATCH_LIMIT])

    page = ledger.scan(JOBS, JOBS_DUE, "3", upto=FOREVER, limit=count)
    rest = ledger.scan(JOBS, JOBS_DUE, "3", upto=FOREVER, limit=count, after=page.after)

    assert len(page.rows) == ledger.PAGE_LIMIT
    assert [row["job_key"] for row in rest.rows] == ["00002", "00001", "00000"]
    assert rest.after is None


def test_rows_that_appear_between_pages_are_read_when_they_lie_ahead(ledger: Ledger) -> None:
    _insert_due(ledger, ("a", 10), ("b", 20), ("c", 30))
    page = ledger.scan(JOBS, JOBS_DUE, "3", upto=FOREVER, limit=2)
    _insert_due(ledger, ("behind", 5), ("ahead", 25))
    ledger.update(JOBS, ("b",), {"due_at": None}, [])

    rest = ledger.scan(JOBS, JOBS_DUE, "3", upto=FOREVER, limit=2, after=page.after)

    assert rest == Page([_due_row("ahead", 25), _due_row("c", 30)])


# Mistakes of a caller.


@pytest.mark.parametrize(
    "row",
    [
        {"no_such_column": "x"},
        {"job_key": "x"},
        {"token": "1"},
        {"token": 1.0},
        {"token": True},
        {"token": 2**63},
        {"token": None},
        {"state": 1},
        {"state": b"tracked"},
        {"state": "\ud800"},
        {"state": "x" * (2 * 1024 * 1024 + 1)},
    ],
    ids=lambda row: "-".join(f"{name}:{type(value).__name__}" for name, value in row.items()),
)
def test_a_row_that_does_not_fit_the_table_is_refused_before_any_write(
    ledger: Ledger, row: dict[str, Value]
) -> None:
    ledger.insert(JOBS, KEY, {"token": 1})

    with pytest.raises(ValueError, match=r"job"):
        ledger.insert(JOBS, OTHER, {"holder": "me", **row})
    if list(row.values()) != [None]:
        with pytest.raises(ValueError, match=r"job"):
            ledger.update(JOBS, KEY, {"holder": "me", **row}, [])

    assert ledger.get(JOBS, OTHER) is None
    assert ledger.get(JOBS, KEY) == {"token": 1}


@pytest.mark.parametrize(
    ("change", "when"),
    [
        ({}, []),
        ({"token": 2}, [When("no_such_column", "==", 1)]),
        ({"token": 2}, [When("token", "==", "1")]),
        ({"token": 2}, [When("token", ">", 1)]),  # type: ignore[arg-type]
        ({"no_such_column": None}, []),
    ],
)
def test_a_change_or_condition_that_does_not_fit_is_refused(
    ledger: Ledger, change: Change, when: list[When]
) -> None:
    ledger.insert(JOBS, KEY, {"token": 1})

    with pytest.raises(ValueError, match=r"jobs|condition"):
        ledger.update(JOBS, KEY, change, when)

    assert ledger.get(JOBS, KEY) == {"token": 1}


@pytest.mark.parametrize("key", [(), ("a", "b"), (1,), (b"a",), ("\ud800",), ("x" * 1_025,)])
def test_a_key_that_does_not_fit_the_table_is_refused(ledger: Ledger, key: Key) -> None:
    with pytest.raises(ValueError, match="jobs"):
        ledger.get(JOBS, key)
    with pytest.raises(ValueError, match="jobs"):
        ledger.insert(JOBS, key, {})
    with pytest.raises(ValueError, match="jobs"):
        ledger.update(JOBS, key, {"token": 1}, [])


@pytest.mark.parametrize(
    ("index", "limit", "after"),
    [
        (Index("no_such_index", ("state", "token")), 1, None),
        (JOBS_DUE, 0, None),
        (JOBS_DUE, 1, {"due_bucket": "3"}),
        (JOBS_DUE, 1, {"due_bucket": "3", "due_at": "1", "job_key": "a"}),
        (JOBS_DUE, 1, {"due_bucket": "3", "due_at": 1, "job_key": 1}),
    ],
)
def test_a_scan_that_does_not_fit_the_index_is_refused(
    ledger: Ledger, index: Index, limit: int, after: Row | None
) -> None:
    with pytest.raises(ValueError, match=r"index|jobs"):
        ledger.scan(JOBS, index, "3", upto=1, limit=limit, after=after)


def test_a_table_that_the_ledger_does_not_have_is_refused(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="elsewhere"):
        ledger.get(replace(JOBS, name="elsewhere"), KEY)
    with pytest.raises(ValueError, match="jobs"):
        ledger.get(replace(JOBS, columns={"state": int}), KEY)


# Faults.


def test_after_an_unknown_outcome_a_read_shows_it_and_a_repetition_is_refused(ledger: Ledger) -> None:
    ledger.insert(JOBS, KEY, {"token": 1})
    faulty = FaultyLedger(ledger, Faults(at(1, ANSWER_LOST)))
    claim: Row = {"token": 2, "holder": "me"}

    with pytest.raises(OutcomeUnknownError):
        faulty.update(JOBS, KEY, claim, [When("token", "==", 1)])

    assert faulty.get(JOBS, KEY) == claim
    assert not faulty.update(JOBS, KEY, claim, [When("token", "==", 1)])


def test_after_an_unknown_insert_a_read_shows_it_and_a_repetition_is_refused(ledger: Ledger) -> None:
    faulty = FaultyLedger(ledger, Faults(first("insert", ANSWER_LOST)))

    with pytest.raises(OutcomeUnknownError):
        faulty.insert(JOBS, KEY, {"holder": "me"})

    assert faulty.get(JOBS, KEY) == {"holder": "me"}
    assert not faulty.insert(JOBS, KEY, {"holder": "me"})


def test_after_an_unavailable_store_nothing_is_there(ledger: Ledger) -> None:
    faults = Faults(first("insert", UNAVAILABLE, target="jobs"))
    faulty = FaultyLedger(ledger, faults)

    faulty.insert(INBOX, (*KEY, "1"), {})
    with pytest.raises(StoreUnavailableError):
        faulty.insert(JOBS, KEY, {"holder": "me"})

    assert faulty.get(JOBS, KEY) is None
    assert faulty.insert(JOBS, KEY, {"holder": "me"})
    assert [(call.number, call.method, call.target) for call in faults.calls] == [
        (1, "insert", "inbox"),
        (2, "insert", "jobs"),
        (3, "get", "jobs"),
        (4, "insert", "jobs"),
    ]


def test_the_rows_that_fail_in_a_batch_are_missing_and_their_neighbours_are_not(ledger: Ledger) -> None:
    busy = StoreUnavailableError("the partition is busy")
    faulty = FaultyLedger(ledger, Faults(first("insert_many", Fault(rows={0: busy, 2: busy}))))
    rows: list[tuple[Key, Row]] = [((name,), {"token": 1}) for name in "abcd"]

    outcomes = faulty.insert_many(JOBS, rows)

    assert [outcome.error for outcome in outcomes] == [busy, None, busy, None]
    assert [ledger.get(JOBS, key) for key, _ in rows] == [None, {"token": 1}] * 2
    again = [outcome.result() for outcome in faulty.insert_many(JOBS, rows)]
    assert again == [True, False, True, False]


def test_somebody_who_writes_in_between_makes_the_condition_fail(ledger: Ledger) -> None:
    ledger.insert(JOBS, KEY, {"token": 1})
    ahead = Fault(before=lambda: ledger.update(JOBS, KEY, {"token": 2, "holder": "somebody"}, []))
    faulty = FaultyLedger(ledger, Faults(first("update", ahead)))

    assert not faulty.update(JOBS, KEY, {"holder": "me"}, [When("token", "==", 1)])
    assert _due(faulty) == []
    assert faulty.get(JOBS, KEY) == {"token": 2, "holder": "somebody"}


# Only a SQLite file.

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
            _due_row(key, due_at, bucket)
            for key, row in self._model.items()
            if row.get("due_bucket") == bucket and isinstance(due_at := row.get("due_at"), int)
            if due_at <= upto
        ]
        expected.sort(key=lambda row: (row["due_at"], row["job_key"]))

        assert _due(self._ledger, bucket=bucket, upto=upto, limit=limit) == expected

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
        assert _due(ledger) == [_due_row(KEY[0], 1)]


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
    assert sorted(partial) == [("jobs_by_day",), ("jobs_due",)]
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
