"""Whoever works on evidence may end at any call, meet others, or find a store away: nothing is lost."""

from __future__ import annotations

import itertools

import pytest

from shared import archival, evidence_manifest
from shared.documents.urls import without_query
from shared.kinds.values import short_hash
from shared.policy import HOUR
from shared.ports import Services
from tests.faults import ANSWER_LOST, UNAVAILABLE, Call, Fault, Faults, at, first
from tests.scripted_downloads import AWAY
from tests.scripted_vendor import answer, callback
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
from tests.world import ENDS_AFTER, ENDS_BEFORE, Crash, World


def test_two_who_work_on_the_same_fetch_a_due_picture_once() -> None:
    world = world_with(ONE)
    world.clock.advance(HOUR)
    world.pictures.say(ONE, lambda: archival.keep_due_evidence(world.services))
    archival.keep_due_evidence(world.services)

    assert (world.pictures.asked, statuses(world)) == ([ONE], ["kept"])


def test_whoever_comes_late_with_a_failure_does_not_undo_what_is_kept() -> None:
    world = world_with(ONE)

    def somebody_else_is_faster() -> None:
        archival.keep_evidence_of(world.services, [KEY])
        raise AWAY

    world.pictures.say(ONE, somebody_else_is_faster)

    assert archival.keep_evidence_of(world.services, [KEY]) == {"overtaken": 1}
    assert statuses(world) == ["kept"]


@pytest.mark.parametrize("fault", [ENDS_BEFORE, ENDS_AFTER], ids=["before", "after"])
@pytest.mark.parametrize("is_timer", [False, True], ids=["invoked", "timer"])
def test_a_crash_anywhere_loses_nothing_and_nothing_is_fetched_twice_that_is_kept(
    fault: Fault, is_timer: bool
) -> None:
    crashes = 0
    for number in itertools.count(1):
        world = world_with(ONE, TWO)
        if is_timer:
            world.clock.advance(HOUR)
        try:
            work(world.through(Faults(at(number, fault))), is_timer=is_timer)
        except Crash:
            crashes += 1
            resume(world)
        else:
            break
        assert (statuses(world), effects(world), world.broken()) == (["kept", "kept"], [], [])
        assert {item["status"] for item in manifest(world)["items"]} == {"kept"}
    assert crashes > 8


def work(services: Services, *, is_timer: bool) -> None:
    if is_timer:
        archival.keep_due_evidence(services)
    else:
        archival.keep_evidence_of(services, [KEY])


def resume(world: World) -> None:
    kept = {row.id for row in rows(world) if row.status == "kept"}
    world.pictures.asked.clear()
    world.run_until_quiet()
    asked = {short_hash(without_query(url)) for url in world.pictures.asked}
    assert not kept & asked


STORE_CALLS = [
    ("put_file", None),
    ("update", "evidence"),
    ("under", "evidence"),
    ("put", MANIFEST),
    ("update", "jobs"),
]


@pytest.mark.parametrize("fault", [UNAVAILABLE, ANSWER_LOST], ids=["unavailable", "answer lost"])
@pytest.mark.parametrize(("method", "target"), STORE_CALLS)
def test_a_store_that_fails_delays_and_loses_nothing(method: str, target: str | None, fault: Fault) -> None:
    world = world_with(ONE, TWO)
    archival.keep_evidence_of(world.through(Faults(first(method, fault, target=target))), [KEY])
    world.clock.advance(HOUR)
    archival.keep_due_evidence(world.services)
    world.run_until_quiet()

    assert (statuses(world), effects(world)) == (["kept", "kept"], [])
    assert {item["status"] for item in manifest(world)["items"]} == {"kept"}


def test_a_manifest_that_somebody_overtook_is_written_again() -> None:
    world = world_with(ONE, TWO, there=(ONE,))

    def meanwhile(call: Call) -> Fault | None:
        if call.method == "put" and world.pictures.bodies.get(TWO) is None:
            world.pictures.have(TWO)
            world.clock.advance(HOUR)
            return Fault(before=lambda: archival.keep_due_evidence(world.services))
        return None

    archival.keep_evidence_of(world.through(Faults(meanwhile)), [KEY])

    assert [item["status"] for item in manifest(world)["items"]] == ["kept", "kept"]


def test_an_old_manifest_put_by_somebody_who_then_ends_does_not_stay() -> None:
    """Whoever stalled had read that one picture is pending; the other, who kept it, has closed the job."""
    world = world_with(ONE, TWO, there=(ONE,))

    def everybody_else_is_done() -> None:
        world.pictures.have(TWO)
        world.clock.advance(HOUR // 60)
        archival.keep_due_evidence(world.services)

    stalls = Fault(before=everybody_else_is_done, after=ENDS_AFTER.after)
    with pytest.raises(Crash):
        archival.keep_evidence_of(world.through(Faults(first("put", stalls))), [KEY])
    told = [item["status"] for item in manifest(world)["items"]]
    world.run_until_quiet()

    assert sorted(told) == ["kept", "pending"]
    assert [item["status"] for item in manifest(world)["items"]] == ["kept", "kept"]
    assert effects(world) == []


def test_a_version_that_came_meanwhile_keeps_its_effect() -> None:
    world = world_with(ONE, there=(ONE, TWO))
    old = world.row(JOB)
    world.vendor.know(JOB, answer(JOB, suggestion="block", pictures=[ONE, TWO]))

    def commit(call: Call) -> Fault | None:
        if call.method == "under" and world.row(JOB).count("version") == 1:
            world.clock.advance(world.services.policy.confirm_after)
            return Fault(after=lambda: world.deliver(callback(JOB, suggestion="block", number=2)))
        return None

    archival.keep_evidence_of(world.services, [KEY])
    world.clock.advance(world.services.policy.verify_after)
    evidence_manifest.close(world.through(Faults(commit)), KEY)
    row = world.row(JOB)

    assert row.text("digest") != old.text("digest")
    assert [one.digest for one in row.effects if one.name == "evidence"] == [row.text("digest")]
