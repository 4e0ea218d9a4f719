"""A job under a hold: what is copied outlives its originals, whatever ends in between."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest

from shared import archival, holds
from shared.errors import ContendedError, CorruptRowError, PermanentError
from shared.holds import Held
from shared.job_row import Hold, JobRow
from shared.jobs import State
from shared.ports import Services
from shared.record import digest
from tests.faults import Fault, Faults, at
from tests.scripted_vendor import answer, callback
from tests.world import ENDS_AFTER, ENDS_BEFORE, START, Crash, World, job_row, ref

JOB = "job-1"


PICTURES = tuple(f"http://p.oss-cn-shanghai.aliyuncs.com/{name}.jpg?Signature=s" for name in "ab")
FOLDER = f"held/{ref(JOB).path}"


def settled_world(*shown: str) -> World:
    """Begin with a settled job of two pictures, of which the shown ones are kept."""
    world = World(None)
    world.vendor.know(JOB, answer(JOB, suggestion="block", pictures=PICTURES))
    world.pictures.have(*shown)
    world.deliver(callback(JOB))
    archival.keep_evidence_of(world.services, [ref(JOB).key])
    return world


def hold(world: World, services: Services | None = None) -> Held:
    return holds.hold(services or world.services, world.row(JOB), by="ann", reason="case 7")


def release(world: World, services: Services | None = None) -> int | None:
    return holds.release(services or world.services, world.row(JOB), by="bob", reason="case 7 is closed")


def copies(world: World) -> dict[str, bytes]:
    return {key.removeprefix(f"{FOLDER}/"): body for key, body in world.stored("held/").items()}


def status(world: World) -> str | None:
    found = world.row(JOB).hold
    return None if found is None else found.status


def test_record_answer_and_evidence_are_copied_and_the_row_says_why() -> None:
    world = settled_world(*PICTURES)

    held = hold(world)

    row, kept = world.row(JOB), copies(world)
    assert (held.copied, held.missing, held.pending) == (4, (), 0)
    assert row.hold == held.hold == Hold("held", "ann", "case 7", START, str(row.text("digest")))
    assert kept[f"versions/{row.text('digest')}.json"] == world.version(JOB)
    (part,) = row.raw_parts
    assert kept[f"raw/{part.key.rpartition('/')[2]}"] == world.stored()[part.key]
    for url in PICTURES:
        body = world.pictures.bodies[url]
        assert kept[f"evidence/{digest(body)}.jpg"] == body
    assert kept["evidence/manifest.json"] == world.stored()[f"evidence/{ref(JOB).path}/manifest.json"]
    assert json.loads(kept["hold.json"])["keys"] == sorted({*world.stored("held/")} - {f"{FOLDER}/hold.json"})
    assert world.broken() == []


def test_holding_again_copies_nothing_twice() -> None:
    world = settled_world(*PICTURES)
    hold(world)
    before = copies(world)

    assert hold(world).copied == 0
    assert copies(world) == before


def test_a_hold_is_finished_when_all_evidence_is_there() -> None:
    world = settled_world(PICTURES[0])

    assert hold(world).pending == 1
    assert status(world) == "copying"
    world.pictures.have(PICTURES[1])
    world.clock.advance(world.services.policy.evidence_retries[0])
    archival.keep_evidence_of(world.services, [ref(JOB).key])
    held = hold(world)
    assert (held.copied, held.pending, held.hold.status) == (1, 0, "held")


def test_a_later_version_is_held_beside_the_earlier_one() -> None:
    world = settled_world()
    hold(world)
    world.vendor.know(JOB, answer(JOB, suggestion="pass"))
    world.clock.advance(world.services.policy.confirm_after)
    world.run_timer()

    hold(world)

    assert len([key for key in copies(world) if key.startswith("versions/")]) == 2
    release(world)
    assert copies(world) == {}


def test_what_is_gone_already_is_told_and_what_was_copied_before_is_not_gone() -> None:
    world = settled_world(*PICTURES)
    first, second = sorted(world.stored("evidence/"))[:2]
    world.objects.remove(first)

    assert hold(world).missing == (first,)
    world.objects.remove(second)
    assert hold(world).missing == (first,)


def test_a_job_without_a_record_is_not_held() -> None:
    world = World(None)
    world.put(job_row(State.RUNNING))

    with pytest.raises(PermanentError, match="no record yet"):
        hold(world)
    assert status(world) is None


def test_a_release_takes_every_copy_away_and_nothing_else() -> None:
    world = settled_world(*PICTURES)
    before = world.stored()
    hold(world)

    assert release(world) == 5
    assert status(world) is None
    left = world.stored()
    assert {key: left[key] for key in before} == before
    assert all(key.startswith("audit/hold/") for key in {*left} - {*before})


def test_only_what_is_held_is_released() -> None:
    assert release(settled_world()) is None


def test_who_held_and_who_released_is_told_for_ever() -> None:
    world = settled_world()
    hold(world)
    world.clock.advance(1)
    release(world)

    told = [json.loads(body) for _, body in sorted(world.stored("audit/hold/").items())]
    assert [(one["status"], one["by"], one["reason"]) for one in told] == [
        ("copying", "ann", "case 7"),
        ("releasing", "bob", "case 7 is closed"),
    ]


@pytest.mark.parametrize("fault", [ENDS_BEFORE, ENDS_AFTER], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, 25))
def test_a_hold_that_ends_at_any_call_goes_on_from_there(number: int, fault: Fault) -> None:
    world = settled_world(*PICTURES)
    with suppress(Crash):
        hold(world, world.through(Faults(at(number, fault))))

    hold(world)

    assert (status(world), len(copies(world))) == ("held", 6)
    assert release(world) == 5
    assert copies(world) == {}


@pytest.mark.parametrize("fault", [ENDS_BEFORE, ENDS_AFTER], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, 11))
def test_a_release_that_ends_at_any_call_goes_on_from_there(number: int, fault: Fault) -> None:
    world = settled_world(*PICTURES)
    hold(world)
    with suppress(Crash):
        release(world, world.through(Faults(at(number, fault))))

    release(world)

    assert (status(world), copies(world)) == (None, {})


def test_a_hold_and_a_release_make_no_more_calls_than_are_tried_above() -> None:
    world, holding, releasing = settled_world(*PICTURES), Faults(lambda _: None), Faults(lambda _: None)
    hold(world, world.through(holding))
    release(world, world.through(releasing))

    assert (len(holding.calls), len(releasing.calls)) == (24, 10)


def test_a_job_that_is_being_released_is_not_held() -> None:
    world = settled_world(*PICTURES)
    hold(world)
    with pytest.raises(Crash):
        release(world, world.through(Faults(at(3, ENDS_BEFORE))))

    with pytest.raises(PermanentError, match="let `release-hold` finish first"):
        hold(world)
    release(world)
    assert hold(world).copied == 4


def test_of_two_persons_one_is_told_to_look_again() -> None:
    world = settled_world(*PICTURES)
    read_before = world.row(JOB)
    hold(world)

    with pytest.raises(ContendedError, match="somebody else has changed the hold"):
        holds.hold(world.services, read_before, by="bob", reason="case 8")


@pytest.mark.parametrize("number", range(1, 25))
def test_a_release_during_a_hold_leaves_no_copy_that_nobody_knows(number: int) -> None:
    world = settled_world(*PICTURES)
    meanwhile = Fault(before=lambda: release(world))
    with suppress(ContendedError, PermanentError):
        hold(world, world.through(Faults(at(number, meanwhile))))

    assert (status(world) is None, copies(world) == {}) in ((True, True), (False, False))
    release(world)
    assert (status(world), copies(world)) == (None, {})


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"status":"held"}', '{"for":"ever"}'])
def test_a_hold_that_cannot_be_read_names_its_job(text: str) -> None:
    with pytest.raises(CorruptRowError, match=JOB):
        JobRow.read(ref(JOB).key, {"state": "succeeded", "token": 1, "hold": text})
