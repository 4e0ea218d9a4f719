"""What is concluded of evidence: never a loss that is not one, nor a manifest that nobody corrects."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared import archival
from shared.errors import DownloadRefusedError
from shared.job_row import with_hints
from shared.policy import HOUR, MINUTE
from shared.tables import EVIDENCE
from tests.faults import Faults, first
from tests.scripted_downloads import AWAY
from tests.scripted_vendor import answer
from tests.shared.test_archival import (
    JOB,
    KEY,
    MANIFEST,
    ONE,
    TWO,
    effects,
    manifest,
    rows,
    statuses,
    world_with,
)
from tests.world import ENDS_BEFORE, KIND, Crash, World, ref

REFUSED = DownloadRefusedError("another host, for once")


def confirm(world: World) -> None:
    """Have the vendor asked once more about the job, as the timer does after a while."""
    world.clock.advance(world.services.policy.confirm_after)
    world.run_timer()


def test_bytes_that_are_here_are_not_lost_whatever_somebody_else_ran_into() -> None:
    world = world_with(ONE)

    def somebody_is_refused() -> None:
        world.clock.advance(world.services.policy.evidence_first)
        world.pictures.say(ONE, REFUSED)
        assert archival.keep_due_evidence(world.services) == {"lost": 1}

    world.pictures.say(ONE, somebody_is_refused)

    assert archival.keep_evidence_of(world.services, [KEY]) == {"kept": 1}
    (row,) = rows(world)
    assert (row.status, row.reason) == ("kept", None)
    assert manifest(world)["items"][0]["status"] == "kept"


def test_of_two_who_were_shown_different_pictures_the_first_stays() -> None:
    world = world_with(ONE)
    shown = world.pictures.bodies[ONE]

    def somebody_is_faster() -> None:
        archival.keep_evidence_of(world.services, [KEY])
        world.pictures.have(ONE, body=b"another")

    world.pictures.say(ONE, somebody_is_faster)

    assert archival.keep_evidence_of(world.services, [KEY]) == {"overtaken": 1}
    assert world.stored()[rows(world)[0].key or ""] == shown


def test_a_last_try_that_would_have_no_time_is_left_to_the_next_run() -> None:
    world = world_with(ONE)
    (row,) = rows(world)
    world.clock.advance(row.expires_at - world.clock.now())
    world.pictures.say(ONE, AWAY)
    short = replace(world.services, deadline=world.clock.now() + 20_000)

    assert archival.keep_due_evidence(short) == {"left": 1}
    assert archival.keep_due_evidence(replace(short, deadline=short.deadline + 2 * MINUTE)) == {"lost": 1}


def test_a_backlog_that_no_time_is_left_for_is_not_even_read() -> None:
    world = world_with(ONE, TWO)
    world.clock.advance(HOUR)
    faults = Faults(lambda call: None)
    late = replace(world.through(faults), deadline=world.clock.now())

    assert archival.keep_due_evidence(late) == {"left": 2}
    assert {call.method for call in faults.calls} == {"scan"}


def test_a_row_that_nobody_can_read_delays_no_other_and_is_looked_at_seldom() -> None:
    world = world_with(ONE)
    corrupt = (ref("job-2").key, "x")
    world.ledger.insert(EVIDENCE, corrupt, {"status": "pending", "due_bucket": "0", "due_at": 0})
    world.clock.advance(HOUR)

    assert archival.keep_due_evidence(world.services) == {"error": 1, "kept": 1}
    assert archival.keep_due_evidence(world.services) == {}
    world.clock.advance(HOUR)
    assert archival.keep_due_evidence(world.services) == {"error": 1}


def test_what_is_not_to_be_kept_any_more_is_not_fetched() -> None:
    world = world_with(ONE)
    policy = replace(world.services.policy, evidence_windows={KIND: 0})

    assert archival.keep_evidence_of(replace(world.services, policy=policy), [KEY]) == {"lost": 1}
    (row,) = rows(world)
    assert (world.pictures.asked, row.url) == ([], None)
    assert "LEDGER_EVIDENCE_DAYS" in (row.reason or "")


def test_a_manifest_that_a_crash_left_behind_after_another_chance_is_corrected() -> None:
    world = world_with(ONE)
    world.pictures.say(ONE, *[REFUSED] * 2)
    archival.keep_evidence_of(world.services, [KEY])
    world.run_until_quiet()  # with the confirming query, after which it is refused again
    assert (statuses(world), effects(world)) == (["lost"], [])

    world.change(JOB, with_hints(KEY, world.row(JOB).columns, {"query_at": world.clock.now()}))
    world.run_timer()
    with pytest.raises(Crash):
        archival.keep_due_evidence(world.through(Faults(first("put", ENDS_BEFORE, target=MANIFEST))))
    assert (statuses(world), manifest(world)["items"][0]["status"]) == (["kept"], "lost")

    world.run_until_quiet()
    assert (manifest(world)["items"][0]["status"], effects(world)) == ("kept", [])


def test_a_version_without_evidence_has_a_manifest_too_when_there_was_one() -> None:
    world = world_with(ONE)
    archival.keep_evidence_of(world.services, [KEY])
    world.vendor.know(JOB, answer(JOB, suggestion="block"))
    confirm(world)

    world.run_until_quiet()

    told = manifest(world)
    assert (told["digest"], told["items"]) == (world.row(JOB).text("digest"), [])
    assert [one["status"] for one in told["others"]] == ["kept"]
