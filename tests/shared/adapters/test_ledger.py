"""The contract of `Ledger`, over every adapter."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.errors import OutcomeUnknownError, StoreUnavailableError
from shared.ports import Change, Ledger, Page, When
from shared.tables import INBOX, JOBS, JOBS_BY_DAY, JOBS_DUE, LOOKUPS, Index, Key, Row, Value
from tests.faults import ANSWER_LOST, UNAVAILABLE, Fault, Faults, FaultyLedger, at, first
from tests.shared.adapters.conftest import Meet, Race
from tests.shared.adapters.rows import FOREVER, KEY, ODD_TEXT, OTHER, due, due_row, insert_due

ROUNDS = 20


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


# Ranges of keys.


def test_the_rows_under_a_first_key_come_in_order_with_the_columns_asked_for(ledger: Ledger) -> None:
    for key in (("a", "2"), ("a", "10"), ("a\0", "1"), ("b", "1")):
        ledger.insert(INBOX, key, {"received_at": len(key[1]), "body": b"not asked for"})
    ledger.insert(INBOX, ("a", "3"), {"transport": "mns-topic"})

    page = ledger.under(INBOX, "a", columns=("received_at", "reason"), limit=10)

    assert page == Page(
        [
            {"job_key": "a", "message_id": "10", "received_at": 2},
            {"job_key": "a", "message_id": "2", "received_at": 1},
            {"job_key": "a", "message_id": "3"},
        ]
    )
    assert ledger.under(INBOX, "c", columns=(), limit=10) == Page([])


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_pages_under_a_first_key_follow_each_other(ledger: Ledger, limit: int) -> None:
    for number in range(5):
        ledger.insert(INBOX, ("a", f"{number}"), {"received_at": number})

    page = ledger.under(INBOX, "a", columns=(), limit=limit)
    rows = list(page.rows)
    while page.after is not None:
        page = ledger.under(INBOX, "a", columns=(), limit=limit, after=page.after)
        rows += page.rows

    assert [row["message_id"] for row in rows] == ["0", "1", "2", "3", "4"]


def test_rows_that_are_keys_alone_are_put_and_found(ledger: Ledger) -> None:
    keys: list[Key] = [("3.label.ad", "2.b"), ("3.label.ad", "1.a"), ("3.label.porn", "1.a")]

    done = ledger.insert_many(LOOKUPS, [(key, {}) for key in keys])
    again = ledger.insert_many(LOOKUPS, [(keys[0], {})])

    assert [one.value for one in (*done, *again)] == [True, True, True, False]
    page = ledger.under(LOOKUPS, "3.label.ad", columns=(), limit=9)
    assert [row["entry"] for row in page.rows] == ["1.a", "2.b"]
    assert ledger.get(LOOKUPS, keys[0]) == {}


def test_a_place_behind_which_to_go_on_needs_no_row(ledger: Ledger) -> None:
    ledger.insert_many(LOOKUPS, [(("t", entry), {}) for entry in ("1.a", "2.b", "3.c")])
    insert_due(ledger, ("a", 1), ("b", 3), ("c", 3))

    under = ledger.under(LOOKUPS, "t", columns=(), limit=9, after={"term": "t", "entry": "2"})
    place: Row = {"due_bucket": "3", "due_at": 3, "job_key": "bb"}
    back = ledger.scan(JOBS, JOBS_DUE, "3", upto=FOREVER, limit=9, after=place, newest_first=True)
    on = ledger.scan(JOBS, JOBS_DUE, "3", upto=FOREVER, limit=9, after=place)

    assert [row["entry"] for row in under.rows] == ["2.b", "3.c"]
    assert [row["job_key"] for row in back.rows] == ["b", "a"]
    assert [row["job_key"] for row in on.rows] == ["c"]


def test_what_cannot_be_asked_under_a_key_is_refused(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="no_such_column"):
        ledger.under(INBOX, "a", columns=("no_such_column",), limit=1)
    with pytest.raises(ValueError, match="one column"):
        ledger.under(JOBS, "a", columns=(), limit=1)
    with pytest.raises(ValueError, match="at least one row"):
        ledger.under(INBOX, "a", columns=(), limit=0)


# Indexes.


def test_a_scan_gives_index_columns_key_and_what_is_covered(ledger: Ledger) -> None:
    ledger.insert(JOBS, KEY, {"state": "failed", "token": 3, "seen_day": "3.2025-11-20", "first_seen_at": 5})

    page = ledger.scan(JOBS, JOBS_BY_DAY, "3.2025-11-20", upto=FOREVER, limit=10)

    day: Row = {"seen_day": "3.2025-11-20", "first_seen_at": 5}
    assert page == Page([{**day, "job_key": KEY[0], "state": "failed"}])


def test_a_scan_is_in_order_of_position_then_key_up_to_and_with_the_end(ledger: Ledger) -> None:
    insert_due(ledger, ("c", 20), ("b", 10), ("a", 20), ("d", 21), ("e", -5))
    ledger.insert(JOBS, ("f",), {"due_bucket": "4", "due_at": 1})

    assert due(ledger, upto=20) == [
        due_row("e", -5),
        due_row("b", 10),
        due_row("a", 20),
        due_row("c", 20),
    ]
    assert due(ledger, bucket="4") == [due_row("f", 1, "4")]
    assert due(ledger, bucket="5") == []


@pytest.mark.parametrize("column", ["due_bucket", "due_at"])
def test_a_row_without_an_index_column_is_not_in_the_index(ledger: Ledger, column: str) -> None:
    insert_due(ledger, ("a", 1), ("b", 2))
    ledger.insert(JOBS, ("c",), {"due_bucket": "3"})

    ledger.update(JOBS, ("a",), {column: None}, [])

    assert due(ledger) == [due_row("b", 2)]


def test_a_row_moves_in_the_index_with_its_columns(ledger: Ledger) -> None:
    insert_due(ledger, ("a", 1), ("b", 2))

    ledger.update(JOBS, ("a",), {"due_at": 3}, [])

    assert due(ledger) == [due_row("b", 2), due_row("a", 3)]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_pages_follow_each_other_without_gap_or_repetition(ledger: Ledger, limit: int) -> None:
    insert_due(ledger, *((f"job-{n}", n // 3) for n in range(7)))

    page = ledger.scan(JOBS, JOBS_DUE, "3", upto=FOREVER, limit=limit)

    assert len(page.rows) == min(limit, 7)
    assert due(ledger, limit=limit) == [due_row(f"job-{n}", n // 3) for n in range(7)]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_pages_from_the_newest_on_are_those_from_the_oldest_backward(ledger: Ledger, limit: int) -> None:
    insert_due(ledger, *((f"job-{n}", n // 3) for n in range(8)))

    assert due(ledger, upto=1, limit=limit, newest_first=True) == due(ledger, upto=1)[::-1]
    assert len(due(ledger, upto=1)) == 6


def test_a_page_after_a_place_beyond_the_end_begins_at_the_end(ledger: Ledger) -> None:
    insert_due(ledger, ("a", 10), ("b", 20))
    beyond = due_row("c", 30)

    upward = ledger.scan(JOBS, JOBS_DUE, "3", upto=20, limit=9, after=beyond)
    downward = ledger.scan(JOBS, JOBS_DUE, "3", upto=20, limit=9, after=beyond, newest_first=True)

    assert upward == Page([])
    assert downward == Page([due_row("b", 20), due_row("a", 10)])


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
    insert_due(ledger, ("a", 10), ("b", 20), ("c", 30))
    page = ledger.scan(JOBS, JOBS_DUE, "3", upto=FOREVER, limit=2)
    insert_due(ledger, ("behind", 5), ("ahead", 25))
    ledger.update(JOBS, ("b",), {"due_at": None}, [])

    rest = ledger.scan(JOBS, JOBS_DUE, "3", upto=FOREVER, limit=2, after=page.after)

    assert rest == Page([due_row("ahead", 25), due_row("c", 30)])


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
        ({"token": 2}, [When("token", ">", 1)]),  # type: ignore[arg-type]  # what a caller must not
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
    assert due(faulty) == []
    assert faulty.get(JOBS, KEY) == {"token": 2, "holder": "somebody"}
