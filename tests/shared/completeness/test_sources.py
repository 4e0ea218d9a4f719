"""Each source is held against the ledger; one that is empty, cut or silent never passes for agreement."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared import archive
from shared.completeness import sources, vod_jobs
from shared.completeness.comparison import RESERVE
from shared.jobs import JobRef, State
from shared.record import digest
from shared.tables import INBOX, nameless_key
from shared.toolkit.message import Message
from tests.shared.completeness.conftest import DAY, WINDOW, found, seen
from tests.world import World, ref

SHA = "0" * 64


def raw(job: str | JobRef) -> str:
    return f"raw/{(ref(job) if isinstance(job, str) else job).path}/{SHA}.json"


def put(world: World, *keys: str) -> None:
    for key in keys:
        world.objects.put(key, b"{}", content_type="application/json")


def test_an_answer_whose_job_has_no_row_needs_a_person(world: World) -> None:
    odd = JobRef("mts.production", "a/b.c 媒")
    world.put(seen("known"))
    world.put(seen(odd))
    put(world, raw("known"), raw("lost"), raw("lost").replace("0.json", "1.json"), raw(odd))

    source = sources.archived_answers(world.services)

    assert (source.status, source.compared) == ("compared", 4)
    assert found(source) == {"without_row": (ref("lost").key,)}
    assert source.findings[0].needs_person


def test_an_answer_of_a_job_whose_row_cannot_be_read_has_one(world: World) -> None:
    world.put(seen("torn"))
    world.change("torn", {"state": "weird"})
    put(world, raw("torn"))

    assert found(sources.archived_answers(world.services)) == {}


@pytest.mark.parametrize("key", ["raw/loose.json", "raw/kind/a.b/x.json", "raw/kind/a/deeper/x.json"])
def test_an_object_that_no_job_can_have_is_named(world: World, key: str) -> None:
    put(world, key)

    assert found(sources.archived_answers(world.services)) == {"foreign": (key.rpartition("/")[0],)}


def test_an_archive_without_answers_is_empty_and_not_in_agreement(world: World) -> None:
    assert sources.archived_answers(world.services).status == "empty"


def test_no_source_goes_on_when_the_time_is_up(world: World) -> None:
    put(world, raw("lost"), f"quarantine/{DAY}/{SHA}")
    late = replace(world.services, deadline=world.clock.now())

    told = [
        sources.archived_answers(late),
        sources.kept_unreadable(late, WINDOW, set()),
        sources.submitted(late, [ref("lost")]),
        vod_jobs.vod_listing(late, {"media-1": None}, most=1),
    ]

    assert {source.status for source in told} == {"cut_short"}
    assert {source.note for source in told} == {"the time was up"}


def test_what_is_left_of_the_time_is_kept_for_writing_the_report(world: World) -> None:
    put(world, raw("lost"))
    statuses = [
        sources.archived_answers(replace(world.services, deadline=world.clock.now() + left)).status
        for left in (RESERVE, RESERVE + 1)
    ]

    assert statuses == ["cut_short", "compared"]


def test_a_job_that_stands_in_a_long_list_twice_is_counted_once(world: World) -> None:
    between = [ref(f"job-{number}") for number in range(600)]
    for one in between:
        world.put(seen(one))

    source = sources.submitted(world.services, [ref("lost"), *between, ref("lost")])

    assert [(one.name, one.count) for one in source.findings] == [("missing", 1)]


def test_lines_that_nobody_could_read_are_found_in_an_otherwise_complete_list(world: World) -> None:
    world.put(seen("done"))

    source = sources.submitted(world.services, [ref("done")], unreadable=["jobs.csv:3: no JSON"])

    assert (source.status, found(source)) == ("compared", {"unreadable_lines": ("jobs.csv:3: no JSON",)})
    assert source.findings[0].needs_person


def test_announcements_that_were_refused_are_found_by_their_object(world: World) -> None:
    body = b'{"kind": "nobody knows"}'
    key = archive.quarantine_key(body, world.clock.now())
    put(world, key)
    world.ledger.insert(INBOX, (nameless_key("refused", digest(body)), "track"), {"reason": "kind"})

    source = sources.kept_unreadable(world.services, WINDOW, set())

    assert found(source) == {"refused_announcements": (key,)}
    assert source.findings[0].needs_person


def test_a_delivery_that_nobody_could_read_is_found_by_its_object(world: World) -> None:
    body = b"neither JSON nor anything else"
    world.deliver(Message("m-1", "mns-topic", body))
    key = archive.quarantine_key(body, world.clock.now())

    source = sources.kept_unreadable(world.services, WINDOW, set())

    assert found(source) == {"unreadable": (key,)}
    assert source.findings[0].needs_person


def test_an_object_in_quarantine_is_named_by_a_row_or_told(world: World) -> None:
    kept, loose = f"quarantine/{DAY}/{SHA}", f"quarantine/{DAY}/no digest"
    put(world, kept, loose, "quarantine/2025-11-19/of-another-day")

    source = sources.kept_unreadable(world.services, WINDOW, {kept})

    assert source.compared == 2
    assert found(source) == {"without_row": (loose,)}
    assert not source.findings[0].needs_person


def test_an_empty_quarantine_is_good_news(world: World) -> None:
    source = sources.kept_unreadable(world.services, WINDOW, set())

    assert (source.status, source.note) == ("compared", "nothing was set aside")


def test_submitted_jobs_are_missing_open_unreadable_or_settled(world: World) -> None:
    for name, state in (("done", State.SUCCEEDED), ("open", State.RUNNING), ("torn", State.FAILED)):
        world.put(seen(name, state, day="2020-01-01"))
    world.change("torn", {"state": "weird"})

    source = sources.submitted(world.services, [ref(n) for n in ("done", "open", "lost", "lost", "torn")])

    assert source.compared == 4
    assert found(source) == {
        "missing": (ref("lost").key,),
        "corrupt": (ref("torn").key,),
        "not_settled": (f"{ref('open').key} (running)",),
    }


def test_a_submit_list_without_jobs_is_empty(world: World) -> None:
    assert sources.submitted(world.services, []).status == "empty"


def test_what_nobody_can_list_is_said_by_name() -> None:
    told = {source.name: source.status for source in sources.not_listable()}

    assert set(told.values()) == {"not_listable"}
    assert {name.split()[0] for name in told} == {"MPS", "ICE"}
