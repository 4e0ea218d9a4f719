"""Evidence comes into the archive before it is gone, each item on its own, whoever works on it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from shared import archival, archive, evidence_rows
from shared.errors import (
    DownloadRefusedError,
    SettingError,
    StoreUnavailableError,
)
from shared.evidence import EvidenceRow
from shared.policy import DAY, HOUR, MINUTE, Policy
from shared.record import digest
from shared.tables import EVIDENCE
from tests.faults import Fault, Faults
from tests.scripted_vendor import answer, callback
from tests.world import START, World, ref

JOB = "job-1"
KEY = ref(JOB).key
MANIFEST = archive.manifest_key(ref(JOB))
ONE, TWO, THREE = (f"http://bucket.oss-cn-shanghai.aliyuncs.com/{n}.jpg?Signature=s{n}" for n in (1, 2, 3))


def world_with(*pictures: str, there: tuple[str, ...] | None = None, policy: Policy | None = None) -> World:
    """Settle a job whose record names these pictures; `there` are those that can be had, all if left out."""
    world = World(None, policy=policy or Policy(jitter=0.0))
    world.pictures.have(*(pictures if there is None else there))
    world.vendor.know(JOB, answer(JOB, pictures=pictures))
    world.deliver(callback(JOB))
    return world


def rows(world: World) -> list[EvidenceRow]:
    """Give the rows in the order in which the vendor named them."""
    found = evidence_rows.read_all(world.ledger, KEY)
    return sorted(found.values(), key=lambda row: row.source)


def statuses(world: World) -> list[str]:
    return [row.status for row in rows(world)]


def manifest(world: World) -> Any:
    return json.loads(world.stored()[MANIFEST])


def effects(world: World) -> list[str]:
    return [effect.name for effect in world.row(JOB).effects]


def let_it_expire(world: World) -> None:
    """Let the timer of `archive` go off whenever anything may be due, for two weeks."""
    while any(row.status == "pending" for row in rows(world)):
        due = [row.due_at for row in rows(world) if row.due_at is not None]
        world.clock.advance(max(0, min(due) - world.clock.now()))
        archival.keep_due_evidence(world.services)


def test_pictures_are_kept_under_their_own_hash_and_their_addresses_forgotten() -> None:
    world = world_with(ONE, TWO)

    assert archival.keep_evidence_of(world.services, [KEY]) == {"kept": 2}
    for row, url in zip(rows(world), (ONE, TWO), strict=True):
        body = world.pictures.bodies[url]
        assert row.key == archive.evidence_key(ref(JOB), digest(body), ".jpg")
        assert world.stored()[row.key] == body
        assert (row.status, row.sha256, row.size, row.url) == ("kept", digest(body), len(body), None)


def test_two_addresses_of_one_picture_are_one_object() -> None:
    world = world_with(ONE, TWO, there=())
    world.pictures.have(ONE, TWO, body=b"the same")
    archival.keep_evidence_of(world.services, [KEY])

    assert len(world.stored("evidence/")) == 2  # the picture, and the manifest
    assert len({row.key for row in rows(world)}) == 1


def test_the_manifest_tells_of_every_item_and_nothing_is_left_to_do() -> None:
    world = world_with(ONE, TWO, there=(ONE,))
    world.pictures.say(TWO, DownloadRefusedError("no picture", host="example.com"))
    assert effects(world) == ["evidence", "record"]
    archival.keep_evidence_of(world.services, [KEY])

    told = {
        item["source"]: (item["status"], item["key"], item["reason"]) for item in manifest(world)["items"]
    }
    kept, lost = rows(world)
    assert told == {
        kept.source: ("kept", kept.key, None),
        lost.source: ("lost", None, "DownloadRefusedError: no picture (host=example.com)"),
    }
    world.clock.advance(world.services.policy.verify_after)
    archival.keep_evidence_of(world.services, [KEY])
    assert effects(world) == ["record"]
    assert world.broken() == []


def test_a_manifest_lists_apart_what_the_present_version_does_not_name() -> None:
    world = world_with(ONE, TWO)
    archival.keep_evidence_of(world.services, [KEY])
    world.vendor.know(JOB, answer(JOB, suggestion="block", pictures=[TWO]))
    world.clock.advance(world.services.policy.confirm_after)
    world.run_timer()
    world.deliver_due()
    told = manifest(world)
    earlier, present = rows(world)

    assert (told["digest"], world.row(JOB).count("evidence")) == (world.row(JOB).text("digest"), 1)
    assert ([one["id"] for one in told["items"]], [one["id"] for one in told["others"]]) == (
        [present.id],
        [earlier.id],
    )


def test_what_is_kept_is_not_fetched_again() -> None:
    world = world_with(ONE, TWO, there=(ONE,))
    for _ in range(3):
        archival.keep_evidence_of(world.services, [KEY, KEY])
        world.clock.advance(HOUR)

    assert world.pictures.asked.count(ONE) == 1
    assert world.pictures.asked.count(TWO) == 3


def test_the_timer_leaves_alone_what_an_invocation_was_just_handed() -> None:
    world = world_with(ONE)

    assert archival.keep_due_evidence(world.services) == {}
    world.clock.advance(world.services.policy.evidence_first)
    assert archival.keep_due_evidence(world.services) == {"kept": 1}


def test_the_timer_fetches_first_what_expires_first() -> None:
    world = World(None, policy=Policy(jitter=0.0))
    pictures = [f"http://oss.example/{day}.jpg" for day in (13, 11, 12)]
    world.pictures.have(*pictures)
    for picture, day in zip(pictures, (13, 11, 12), strict=True):
        job, ended = f"job-{day}", f"2025-11-{day}T00:00:00Z"
        world.vendor.know(job, answer(job, pictures=[picture], completed=ended))
        world.deliver(callback(job))
    world.clock.advance(HOUR)
    archival.keep_due_evidence(world.services)

    assert world.pictures.asked == sorted(pictures)


def test_a_picture_that_does_not_come_is_tried_until_it_expires_and_is_lost_with_its_reason() -> None:
    world = world_with(ONE, there=())
    let_it_expire(world)
    (row,) = rows(world)

    assert (row.status, row.reason) == ("lost", "GoneError: there is no such picture")
    assert row.expires_at <= world.clock.now() <= row.expires_at + MINUTE
    assert row.attempts > 14 * 24 - 2
    assert manifest(world)["items"][0]["status"] == "lost"
    world.run_until_quiet()
    assert effects(world) == []


@pytest.mark.parametrize("hours_before", [1, 5, 100])
def test_a_picture_that_can_be_had_for_an_hour_is_not_lost(hours_before: int) -> None:
    world = world_with(ONE, there=())
    (row,) = rows(world)
    comes = row.expires_at - hours_before * HOUR
    while statuses(world) == ["pending"]:
        (row,) = rows(world)
        assert row.due_at is not None
        world.clock.advance(max(0, row.due_at - world.clock.now()))
        if comes <= world.clock.now() <= comes + HOUR:
            world.pictures.have(ONE)
        else:
            world.pictures.bodies.clear()
        archival.keep_due_evidence(world.services)

    assert statuses(world) == ["kept"]


@pytest.mark.parametrize("error", [StoreUnavailableError("away"), SettingError("no right"), ValueError("?")])
def test_what_fails_on_our_side_loses_nothing_however_late(error: Exception) -> None:
    world = world_with(ONE)
    (row,) = rows(world)
    world.clock.advance(row.expires_at + DAY - START)

    def fail() -> None:
        raise error

    services = world.through(Faults(lambda call: Fault(before=fail) if call.method == "put_file" else None))
    assert archival.keep_due_evidence(services) == {"put_off": 1}
    world.clock.advance(HOUR)
    assert archival.keep_due_evidence(world.services) == {"kept": 1}


def test_what_is_refused_is_asked_for_once() -> None:
    world = world_with(ONE)
    world.pictures.say(ONE, DownloadRefusedError("no picture"))
    archival.keep_evidence_of(world.services, [KEY])
    world.clock.advance(HOUR)

    assert (statuses(world), archival.keep_due_evidence(world.services)) == (["lost"], {})


def test_a_person_who_mends_a_setting_gives_what_was_refused_another_chance() -> None:
    world = world_with(ONE)
    world.pictures.say(ONE, DownloadRefusedError("host not allowed"))
    archival.keep_evidence_of(world.services, [KEY])
    world.clock.advance(world.services.policy.confirm_after)
    world.run_timer()  # the vendor is asked again

    assert archival.keep_due_evidence(world.services) == {"kept": 1}
    assert manifest(world)["items"][0]["status"] == "kept"


def test_an_address_that_is_signed_anew_is_used() -> None:
    world = world_with(ONE, there=())
    archival.keep_evidence_of(world.services, [KEY])
    fresh = ONE.replace("s1", "fresh")
    world.pictures.have(fresh)
    world.vendor.know(JOB, answer(JOB, pictures=[fresh]))
    world.clock.advance(world.services.policy.confirm_after)
    world.run_timer()
    archival.keep_due_evidence(world.services)

    assert world.pictures.asked[-1] == fresh
    assert (statuses(world), world.row(JOB).count("version")) == (["kept"], 1)


def test_nothing_is_begun_that_cannot_end_in_time() -> None:
    world = world_with(ONE)
    late = replace(world.services, deadline=world.clock.now() + archival.RESERVE)

    assert archival.keep_evidence_of(late, [KEY]) == {"left": 1}
    assert (world.pictures.asked, statuses(world)) == ([], ["pending"])


def test_an_error_about_one_job_holds_up_no_other() -> None:
    world = world_with(ONE)
    world.ledger.insert(EVIDENCE, (ref("job-2").key, "x"), {"status": "nonsense"})

    assert archival.keep_evidence_of(world.services, [ref("job-2").key, KEY]) == {"error": 1, "kept": 1}
