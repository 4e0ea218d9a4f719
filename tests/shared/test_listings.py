"""Lists: every page of a filter holds what is meant, and only that, however it is found."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import attention, listings, lookups
from shared.errors import ParseError
from shared.job_filter import Filter
from shared.job_row import JobRow
from shared.jobs import State
from shared.kinds import KINDS
from shared.listings import MOST_EXAMINED, list_jobs
from shared.policy import DAY, HOUR
from tests.listed_jobs import UNDELIVERED, put_job
from tests.world import KIND, START, World, ref

OTHER = "mts.video_quality"
TODAY, YESTERDAY = date(2025, 11, 20), date(2025, 11, 19)

words = st.sampled_from
settled: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"state": words([State.SUCCEEDED, State.FAILED])},
    optional={
        "suggestion": words(["pass", "block"]),
        "labels": words(["porn", "ad,porn", "ad"]),
        "media_id": words(["m-1", "m 2/Ä"]),
        "undelivered": st.just(UNDELIVERED),
        "drifts": st.just(1),
        "at_risk": st.just(1),
        "lost_callback": words([1, 2]),
    },
)
unsettled: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"state": words([State.QUARANTINED, State.UNKNOWN])}
) | st.fixed_dictionaries(
    {"state": words([State.TRACKED, State.RUNNING]), "query_at": st.integers(START, START + 2)},
    optional={"media_id": st.just("m-1")},
)
# Few moments: many jobs have the same place but for their keys.
jobs = st.lists(
    st.tuples(settled | unsettled, words([KIND, OTHER]), words([START - DAY, START, START + 1])), max_size=40
)
filters = st.builds(
    Filter,
    state=st.none() | words(list(State)),
    verdict=st.none() | words(["pass", "block"]),
    kind=st.none() | words([KIND, OTHER, "vod.other"]),
    label=st.none() | words(["porn", "ad", "gone"]),
    day=st.none() | words([TODAY, YESTERDAY, date(2025, 1, 1)]),
    since=st.none() | words([TODAY, YESTERDAY]),
    media_id=st.none() | words(["m-1", "m 2/Ä"]),
    job_id=st.none() | words(["job-1", f"{OTHER}/job-2", "nobody"]),
    needs=st.none() | words(["any", *attention.REASONS]),
    lost_callback=words([False, True]),
)


def world_with(made: list[tuple[dict[str, Any], str, int]]) -> tuple[World, list[JobRow]]:
    world = World(None)
    rows = []
    for number, (columns, kind, at) in enumerate(made):
        others = {name: value for name, value in columns.items() if name != "state"}
        rows.append(put_job(world, number, State(columns["state"]), at=at, kind=kind, **others))
    return world, rows


def pages(world: World, wanted: Filter, limit: int) -> Iterator[listings.Listing]:
    after = None
    for _ in range(1_000):
        page = list_jobs(world.services, wanted, limit=limit, after=after)
        yield page
        after = page.after
        if after is None:
            return
    raise AssertionError("the pages never end")


@given(jobs, filters, st.integers(1, 7))
def test_the_pages_of_a_filter_hold_each_job_that_is_meant_once(
    made: list[tuple[dict[str, Any], str, int]], wanted: Filter, limit: int
) -> None:
    world, rows = world_with(made)
    meant = {row.key for row in rows if wanted.means(row) and _is_findable(wanted, row)}

    found = [row.key for page in pages(world, wanted, limit) for row in page.rows]

    assert sorted(found) == sorted(meant)


def _is_findable(wanted: Filter, row: JobRow) -> bool:
    if wanted.job_id is not None:
        return wanted.job_id in (row.ref.job_id, f"{row.ref.kind}/{row.ref.job_id}")
    # Until a job is settled it is not looked up by its media alone.
    return wanted.media_id is None or wanted.state is not None or row.state.is_terminal


@given(filters)
def test_a_filter_is_read_from_what_it_writes(wanted: Filter) -> None:
    assert Filter.read(wanted.values) == wanted


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("state", "asleep"),
        ("needs", "sleep"),
        ("day", "20251120"),
        ("since", "yesterday"),
        ("day", "2025-02-30"),
        ("kind", "../jobs"),
        ("lost_callback", "yes"),
        ("label", "x" * 513),
    ],
)
def test_a_filter_that_cannot_be_read_names_its_field(field: str, text: str) -> None:
    with pytest.raises(ParseError, match=field):
        Filter.read({field: text})


def test_what_is_empty_or_of_somebody_else_is_no_filter() -> None:
    assert Filter.read({"state": " ", "after": "x", "lang": "zh"}) == Filter()


def test_jobs_come_newest_first_and_open_ones_as_they_are_due() -> None:
    world = World(None)
    for number in range(40):
        state = State.RUNNING if number % 2 else State.SUCCEEDED
        due = START + 40 - number if number % 2 else None
        put_job(world, number, state, at=START + number, kind=(KIND, OTHER)[number % 3 == 0], query_at=due)

    seen = [row.count("first_seen_at") for page in pages(world, Filter(), 7) for row in page.rows]
    due_at = [
        row.count("due_at") for page in pages(world, Filter(state=State.RUNNING), 7) for row in page.rows
    ]

    assert seen == sorted(seen, reverse=True)
    assert due_at == sorted(due_at)


def test_jobs_that_need_a_person_come_as_they_began_to() -> None:
    world = World(None)
    for number in range(20):
        put_job(world, number, State.QUARANTINED, at=START + number, updated_at=START - number)

    found = list_jobs(world.services, Filter(needs="any"), limit=50).rows

    assert [row.ref.job_id for row in found] == [f"job-{number}" for number in range(20)]


def test_a_page_ends_with_what_it_may_examine_and_says_where_to_go_on() -> None:
    world = World(None)
    for number in range(MOST_EXAMINED + 30):
        put_job(world, number, State.SUCCEEDED, at=START + number, suggestion="pass")
    put_job(world, -1, State.SUCCEEDED, at=START, suggestion="pass", labels="rare")

    # The label alone would lead to it at once; a state that nearly all have leads nowhere.
    found = list(pages(world, Filter(state=State.FAILED, verdict="pass"), 9))
    slow = list(pages(world, Filter(state=State.TRACKED, day=TODAY), 9))

    assert [len(page.rows) for page in found] == [0]
    assert [(page.examined, len(page.rows)) for page in slow] == [(MOST_EXAMINED, 0), (31, 0)]
    assert list_jobs(world.services, Filter(label="rare"), limit=9).examined == 1


def test_a_look_up_row_of_an_older_version_leads_nowhere() -> None:
    world = World(None)
    row = put_job(world, 1, State.SUCCEEDED, at=START, labels="ad")
    world.change(row.ref, {"labels": "porn"})
    lookups.put(world.ledger, world.row("job-1"))

    assert list_jobs(world.services, Filter(label="ad"), limit=9).rows == ()
    assert [one.key for one in list_jobs(world.services, Filter(label="porn"), limit=9).rows] == [row.key]


def test_a_job_that_comes_in_between_pages_moves_no_other() -> None:
    world = World(None)
    for number in range(20):
        put_job(world, number, State.SUCCEEDED, at=START + number, labels="ad")
    first = list_jobs(world.services, Filter(label="ad"), limit=10)
    put_job(world, 99, State.SUCCEEDED, at=START + HOUR, labels="ad")

    second = list_jobs(world.services, Filter(label="ad"), limit=10, after=first.after)

    names = [row.ref.job_id for row in (*first.rows, *second.rows)]
    assert names == [f"job-{number}" for number in reversed(range(20))]


def test_a_row_that_cannot_be_read_is_named_and_hides_no_other() -> None:
    world = World(None)
    for number in range(3):
        put_job(world, number, State.SUCCEEDED, at=START, labels="ad")
    broken = ref("job-1").key
    world.change("job-1", {"effects": "[1]"})

    for wanted in (Filter(label="ad"), Filter(), Filter(job_id="job-1")):
        page = list_jobs(world.services, wanted, limit=9)
        assert page.unreadable == (broken,)
        assert broken not in [row.key for row in page.rows]


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "W10", "WyJhIiwxLCJiIl0", "=" * 9, "ä", "W" * 5_000, "Int9Ig", "W1tbW1tbW1tbW1tbW1tbW1s"],
)
def test_a_cursor_that_nobody_gave_is_refused(cursor: str) -> None:
    with pytest.raises(ParseError, match="after"):
        list_jobs(World(None).services, Filter(), limit=9, after=cursor)


@given(st.text())
def test_no_text_is_a_cursor_by_chance(text: str) -> None:
    with pytest.raises(ParseError, match="after"):
        list_jobs(World(None).services, Filter(), limit=9, after=text)


def test_a_place_that_no_job_has_is_refused() -> None:
    world = World(None)
    for number in range(2):
        put_job(world, number, State.SUCCEEDED, at=START)
    after = list_jobs(world.services, Filter(), limit=1).after
    assert after is not None
    digest, _, key = json.loads(base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)))

    for place in ([True, key], [-1, key], [2**63, key], [1.5, key], [START, "nobody"]):
        forged = base64.urlsafe_b64encode(json.dumps([digest, *place]).encode()).decode().rstrip("=")
        with pytest.raises(ParseError, match="after"):
            list_jobs(world.services, Filter(), limit=1, after=forged)


def test_a_cursor_of_another_filter_is_refused() -> None:
    world = World(None)
    for number in range(3):
        put_job(world, number, State.SUCCEEDED, at=START)
    after = list_jobs(world.services, Filter(), limit=1).after

    with pytest.raises(ParseError, match="after"):
        list_jobs(world.services, Filter(kind=KIND), limit=1, after=after)


def test_a_row_that_is_broken_in_the_index_hides_no_other(tmp_path: Path) -> None:
    world = World(tmp_path)
    for number in range(2):
        put_job(world, number, State.SUCCEEDED, at=START, drifts=1)
    key = ref("job-0").key
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as file, file:
        file.execute("UPDATE jobs SET attention = CAST(x'ff' AS TEXT) WHERE job_key = ?", (key,))

    found = list_jobs(world.services, Filter(needs="drift"), limit=9)
    world.close()

    assert [row.key for row in found.rows] == [ref("job-1").key]
    assert found.unreadable == (key,)


def test_every_kind_is_in_the_list_of_all() -> None:
    world = World(None)
    for number, kind in enumerate(KINDS):
        put_job(world, number, State.SUCCEEDED, at=START + number, kind=kind)

    assert [row.ref.kind for row in list_jobs(world.services, Filter(), limit=9).rows] == [*KINDS][::-1]
