"""All jobs of a window are counted once, whatever their number, their days or the state of their rows."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.completeness.buckets import DELIVERIES_LOOKED_AT
from shared.completeness.report import EXAMPLES
from shared.completeness.survey import Survey, Window, survey
from shared.errors import StoreUnavailableError
from shared.job_row import StoredPart, parts_column
from shared.jobs import JobRef, State
from shared.ports import Page
from shared.tables import Key, Row, Table
from tests.faults import UNAVAILABLE, Faults, FaultyLedger, first
from tests.scripted_vendor import answer, callback
from tests.shared.completeness.conftest import WINDOW, seen
from tests.world import START, World, ref

DAYS = ["2025-11-18", "2025-11-19", "2025-11-20", "2025-11-21"]


def counts(found: Survey) -> dict[str, int]:
    return {group.name: group.count for group in (*found.buckets(), *found.flags()) if group.count}


@given(st.dictionaries(st.integers(0, 10_000), st.tuples(st.sampled_from(State), st.sampled_from(DAYS))))
def test_every_job_of_the_window_is_in_one_bucket_and_in_the_digest(
    jobs: dict[int, tuple[State, str]],
) -> None:
    world = World(None)
    for number, (state, day) in jobs.items():
        world.put(seen(f"job-{number}", state, day=day))

    found = survey(world.services, Window(date(2025, 11, 19), date(2025, 11, 20)), now=START)

    keys = sorted(ref(f"job-{number}").key for number, (_, day) in jobs.items() if day in DAYS[1:3])
    assert sum(group.count for group in found.buckets()) == found.jobs == len(keys)
    assert found.digest == hashlib.sha256("".join(f"{key}\n" for key in keys).encode()).hexdigest()


def test_rows_that_nobody_can_read_have_a_bucket_and_stop_nothing(world: World) -> None:
    world.put(seen("good"))
    for name, change in (("weird", {"state": "weird"}), ("torn", {"effects": "[{"})):
        world.put(seen(name))
        world.change(name, change)

    found = survey(world.services, WINDOW, now=START)

    corrupt = next(group for group in found.buckets() if group.name == "corrupt")
    assert counts(found) == {"corrupt": 2, "settled": 1}
    assert {line.job for line in corrupt.jobs} == {ref("weird").key, ref("torn").key}
    assert all("cannot be read" in (line.reason or "") for line in corrupt.jobs)


def test_a_job_that_only_the_index_names_is_corrupt(world: World) -> None:
    world.put(seen("gone"))

    class Forgetful(FaultyLedger):
        def get(self, table: Table, key: Key) -> Row | None:
            return None

    services = replace(world.services, ledger=Forgetful(world.ledger, Faults(lambda _: None)))

    assert counts(survey(services, WINDOW, now=START)) == {"corrupt": 1}


def test_a_time_that_no_calendar_has_is_left_out(world: World) -> None:
    world.put(seen("job-1", State.QUARANTINED, updated_at=2**62))

    (line,) = next(g for g in survey(world.services, WINDOW, now=START).buckets() if g.count).jobs

    assert (line.changed_at, line.first_seen_at) == (None, "2025-11-20T12:00:00.000Z")


def test_a_store_that_does_not_answer_ends_the_count_instead_of_shortening_it(world: World) -> None:
    world.put(seen("job-1"))
    services = world.through(Faults(first("get", UNAVAILABLE)))

    with pytest.raises(StoreUnavailableError):
        survey(services, WINDOW, now=START)


def test_examples_are_cut_and_counts_are_not(world: World) -> None:
    for number in range(EXAMPLES + 7):
        world.put(seen(f"job-{number}", State.QUARANTINED))

    quarantined = next(
        g for g in survey(world.services, WINDOW, now=START).buckets() if g.name == "quarantined"
    )

    assert (quarantined.count, len(quarantined.jobs)) == (EXAMPLES + 7, EXAMPLES)


def test_the_oldest_waiting_job_is_named(world: World) -> None:
    world.put(seen("settled", first_seen_at=START - 9))
    world.put(seen("younger", State.RUNNING, first_seen_at=START - 2))
    world.put(seen("oldest", State.TRACKED, first_seen_at=START - 3))

    found = survey(world.services, WINDOW, now=START)

    assert found.oldest_waiting is not None
    assert found.oldest_waiting.ref == ref("oldest")


def test_callbacks_that_were_begun_and_not_stored_are_counted(world: World) -> None:
    for name in ("whole", "repeated", "begun"):
        world.vendor.know(name, answer(name))
        world.deliver(callback(name))
    world.deliver(callback("repeated"))
    world.put(seen("cut-off", State.TRACKED, notified=1))

    found = counts(survey(world.services, WINDOW, now=START))

    assert (found["callback_not_stored"], found["callback_repeated"]) == (1, 1)


def test_of_a_job_that_was_told_very_often_not_every_delivery_is_read(world: World) -> None:
    limits: list[int] = []

    class Counting(FaultyLedger):
        def under(
            self, table: Table, first: str, *, columns: Sequence[str], limit: int, after: Row | None = None
        ) -> Page:
            limits.append(limit)
            return super().under(table, first, columns=columns, limit=limit, after=after)

    world.put(seen("often", notified=10_000))
    world.put(seen("twice", notified=2))

    survey(replace(world.services, ledger=Counting(world.ledger, Faults(lambda _: None))), WINDOW, now=START)

    assert sorted(limits) == [2, DELIVERIES_LOOKED_AT]


def test_what_rows_keep_in_quarantine_is_remembered_and_media_of_vod_as_far_as_asked(world: World) -> None:
    part = StoredPart("answer", "json", "quarantine/2025-11-20/" + "0" * 64)
    world.put(seen("kept", State.QUARANTINED, raw_parts=parts_column([part])))
    world.put(seen("vod", media_id="media-1", region="cn-shanghai"))
    world.put(seen(JobRef("mts.production", "mps"), media_id="media-2"))

    found = survey(world.services, WINDOW, now=START, with_media=True)

    assert found.kept_answers == {part.key}
    assert found.media == {"media-1": "cn-shanghai"}
    assert survey(world.services, WINDOW, now=START).media == {}


def test_secrets_in_a_reason_are_not_reported(world: World) -> None:
    reason = "ParseError: https://b.oss/x?OSSAccessKeyId=LTAIabcdefgh12345&Signature=canary"
    world.put(seen("job-1", State.QUARANTINED, reason=reason))

    told = str(survey(world.services, WINDOW, now=START).buckets())

    assert "b.oss/x" in told
    assert "canary" not in told
