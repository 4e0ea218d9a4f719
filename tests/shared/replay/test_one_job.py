"""A stored raw answer is normalized again, and nothing but its job moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from shared import archive, evidence_rows
from shared.errors import MisconfiguredError, ParseError, StoreUnavailableError
from shared.policy import HOUR
from shared.ports import Services
from shared.record import JobRecord
from shared.replay.one_job import Replayed, rehearse, replay
from tests.faults import ANSWER_LOST, UNAVAILABLE, Fault, Faults, first
from tests.newer_kinds import Change, suggesting, with_normalizer
from tests.scripted_targets import plan_to
from tests.scripted_vendor import answer, callback
from tests.world import KIND, World, ref

JOB = "job-1"
KEY = ref(JOB).key
PICTURE = "http://oss.example/1.jpg"
REVIEW = suggesting("review")


def settled_world(body: bytes | None = None) -> World:
    """Begin with a job that was settled, confirmed and told of."""
    world = World(None)
    world.services = replace(world.services, policy=replace(world.services.policy, delivery=plan_to("a")))
    world.vendor.know(JOB, body or answer(JOB))
    world.pictures.have(PICTURE)
    world.deliver(callback(JOB))
    world.run_until_quiet()
    world.vendor.calls.clear()
    world.targets.taken.clear()
    return world


def by(world: World, change: Change, *, version: int = 2) -> Services:
    """Give services whose normalizer is another one."""
    return replace(world.services, kinds=with_normalizer(KIND, change, version=version))


def columns(world: World) -> dict[str, object]:
    return dict(world.row(JOB).columns)


def test_the_same_normalizer_gives_the_same_bytes_and_changes_nothing() -> None:
    world = settled_world()
    before = columns(world), world.stored()

    assert replay(world.services, KEY, deliver=True) == Replayed(KEY, "unchanged")
    assert (columns(world), world.stored()) == before


def test_a_newer_normalizer_gives_a_new_version_beside_the_old_one() -> None:
    world = settled_world()
    old, stored = world.row(JOB), world.stored()

    assert replay(by(world, REVIEW), KEY, deliver=False).did == "moved"
    row = world.row(JOB)
    assert (row.count("version"), row.count("normalizer_version")) == (2, 2)
    assert (row.text("suggestion"), row.text("labels")) == ("review", "ad")
    assert row.count("token") == old.count("token") + 1
    assert row.columns["settled_at"] == old.columns["settled_at"]
    added = {key for key in world.stored() if key not in stored}
    assert added == {archive.version_key(row.ref, row.text("digest") or "")}
    assert world.stored().items() >= {k: v for k, v in stored.items() if not k.startswith("records/")}.items()
    assert world.current_record(JOB) == world.version(JOB)
    assert world.broken() == []


def test_a_replay_asks_nobody_and_tells_nobody() -> None:
    world = settled_world(answer(JOB, pictures=[PICTURE]))
    downloads = list(world.pictures.asked)
    faults = Faults(lambda call: None)
    replay(replace(world.through(faults), kinds=with_normalizer(KIND, REVIEW)), KEY, deliver=False)

    assert {call.method for call in faults.calls}.isdisjoint({"query", "send", "download", "invoke"})
    world.run_until_quiet()
    assert (world.vendor.calls, world.targets.taken, world.pictures.asked) == ([], [], downloads)


def test_a_replay_that_delivers_has_every_target_told_of_the_new_version() -> None:
    world = settled_world()
    replay(by(world, REVIEW), KEY, deliver=True)
    world.run_until_quiet()

    assert [(name, dispatch.version) for name, dispatch in world.targets.taken] == [("a", 2)]
    assert world.broken() == []


def test_a_second_replay_finds_nothing_left_to_do() -> None:
    world = settled_world()
    newer = by(world, REVIEW)
    replay(newer, KEY, deliver=False)
    before = columns(world)

    assert replay(newer, KEY, deliver=False).did == "unchanged"
    assert columns(world) == before


def test_an_older_normalizer_changes_nothing_and_settling_with_it_neither() -> None:
    """While a release is rolled out, old and new code work on one ledger."""
    world = settled_world()
    replay(by(world, REVIEW), KEY, deliver=False)
    before = columns(world)

    assert replay(world.services, KEY, deliver=False).did == "newer"
    world.deliver(callback(JOB, "fail", number=2))
    world.settle(JOB)
    assert {name: columns(world)[name] for name in ("digest", "version", "suggestion")} == {
        name: before[name] for name in ("digest", "version", "suggestion")
    }
    assert world.broken() == []


def failing(record: JobRecord) -> JobRecord:
    return record.model_copy(update={"status": "failed"})


def without_result(record: JobRecord) -> JobRecord:
    return record.model_copy(update={"incomplete": True})


def unreadable(record: JobRecord) -> JobRecord:
    raise ParseError("no object MediaAuditJob", layer=KIND)


@pytest.mark.parametrize(
    ("change", "version", "did"),
    [
        (failing, 2, "contradicts"),
        (without_result, 2, "contradicts"),
        (unreadable, 2, "unreadable"),
        (REVIEW, 1, "unversioned"),
    ],
)
def test_what_must_not_replace_a_record_leaves_it(change: Change, version: int, did: str) -> None:
    world = settled_world()
    before = columns(world), world.stored()
    done = replay(by(world, change, version=version), KEY, deliver=True)

    assert (done.did, bool(done.reason)) == (did, True)
    assert (columns(world), world.stored()) == before


def test_an_answer_without_a_result_stays_one_in_its_new_version() -> None:
    world = World(None)
    world.vendor.know(JOB, answer(JOB, suggestion=None))
    world.deliver(callback(JOB))
    world.run_until_quiet(most=1_000)
    assert world.row(JOB).count("incomplete") == 1

    assert replay(by(world, without_result), KEY, deliver=False).did == "moved"
    assert world.row(JOB).count("incomplete") == 1


def open_job(world: World) -> None:
    world.change(JOB, {"state": "running", "query_at": world.clock.now()})


def held_job(world: World) -> None:
    world.change(JOB, {"holder": "somebody", "lease_until": world.clock.now() + HOUR})


def lapsed_job(world: World) -> None:
    world.change(JOB, {"holder": "somebody", "lease_until": world.clock.now() - 1})


def raw_gone(world: World) -> None:
    world.objects.remove(world.row(JOB).raw_parts[0].key)


def raw_damaged(world: World) -> None:
    world.objects.put(world.row(JOB).raw_parts[0].key, answer("job-2"), content_type="text/plain")


@pytest.mark.parametrize(
    ("happen", "did"),
    [
        (open_job, "open"),
        (held_job, "busy"),
        (lapsed_job, "busy"),
        (raw_gone, "missing"),
        (raw_damaged, "missing"),
    ],
)
def test_a_job_that_cannot_be_replayed_is_left_with_a_reason(
    happen: Callable[[World], None], did: str
) -> None:
    world = settled_world()
    happen(world)
    before = columns(world)
    done = replay(by(world, REVIEW), KEY, deliver=False)

    assert (done.did, bool(done.reason)) == (did, True)
    assert columns(world) == before


def test_a_job_without_a_row_or_of_an_unknown_kind_is_missing() -> None:
    world = settled_world()

    assert replay(world.services, ref("job-9").key, deliver=False).did == "missing"
    assert replay(replace(world.services, kinds={}), KEY, deliver=False).did == "missing"


def test_a_lost_answer_of_the_ledger_counts_as_what_happened() -> None:
    world = settled_world()
    faults = Faults(first("update", ANSWER_LOST, target="jobs"))
    newer = replace(world.through(faults), kinds=with_normalizer(KIND, REVIEW))

    assert replay(newer, KEY, deliver=False).did == "moved"
    assert (world.row(JOB).count("version"), world.row(JOB).effects) == (2, ())
    assert world.broken() == []


def test_a_store_that_is_away_leaves_the_job_for_another_try() -> None:
    world = settled_world()
    newer = replace(
        world.through(Faults(first("update", UNAVAILABLE, target="jobs"))),
        kinds=with_normalizer(KIND, REVIEW),
    )

    assert replay(newer, KEY, deliver=False).did == "failed"
    assert replay(newer, KEY, deliver=False).did == "moved"


def test_the_current_record_that_could_not_be_written_is_left_to_the_timer() -> None:
    world = settled_world()
    seen = Faults(lambda call: UNAVAILABLE if call.target.startswith("records/") else None)
    newer = replace(world.through(seen), kinds=with_normalizer(KIND, REVIEW))

    assert replay(newer, KEY, deliver=False).did == "moved"
    assert world.current_record(JOB) != world.version(JOB)
    world.run_until_quiet()
    assert world.current_record(JOB) == world.version(JOB)


def test_whoever_marks_the_job_meanwhile_is_not_overtaken() -> None:
    world = settled_world()

    def contradict() -> None:
        world.deliver(callback(JOB, "fail", number=2))

    faults = Faults(first("put_new", Fault(before=contradict)))
    newer = replace(world.through(faults), kinds=with_normalizer(KIND, REVIEW))
    assert replay(newer, KEY, deliver=False).did == "moved"
    world.run_until_quiet()

    row = world.row(JOB)
    assert (row.count("wanted"), row.text("checked_claim"), row.count("version")) == (2, "failed", 2)
    assert world.broken() == []


def test_a_media_id_that_is_announced_meanwhile_stays() -> None:
    world = settled_world()
    announced = Fault(before=lambda: world.change(JOB, {"media_id": "media-9"}))
    newer = replace(
        world.through(Faults(first("update", announced, target="jobs"))), kinds=with_normalizer(KIND, REVIEW)
    )

    assert replay(newer, KEY, deliver=False).did == "moved"
    assert world.row(JOB).text("media_id") == "media-9"
    assert world.broken() == []


def test_a_replay_names_evidence_by_its_new_version_and_leaves_addresses_alone() -> None:
    """The confirming query may have brought an address that was signed anew."""
    world = World(None)
    old, new = (f"{PICTURE}?signature={n}" for n in (1, 2))
    world.vendor.say(JOB, answer(JOB, pictures=[old]))
    world.vendor.know(JOB, answer(JOB, pictures=[new]))
    world.deliver(callback(JOB))
    world.settle(JOB)
    world.clock.advance(world.services.policy.confirm_after)
    world.settle(JOB)
    (before,) = evidence_rows.read_all(world.ledger, KEY).values()
    assert (before.url, before.status) == (new, "pending")
    replay(by(world, REVIEW), KEY, deliver=False)
    (after,) = evidence_rows.read_all(world.ledger, KEY).values()

    assert after == replace(before, digests=(*before.digests, world.row(JOB).text("digest") or ""))


def test_a_rehearsal_says_what_would_come_of_it_and_writes_nothing() -> None:
    world = settled_world()
    before = columns(world), world.stored()
    done = rehearse(by(world, REVIEW), KEY, against=True)

    assert done.did == "moved"
    assert [tuple(one) for one in done.differences] == [
        ("verdict.labels[]", "absent", "ad"),
        ("verdict.suggestion", "pass", "review"),
    ]
    assert rehearse(by(world, REVIEW), KEY, against=False) == Replayed(KEY, "moved")
    assert (columns(world), world.stored()) == before


def raising(error: Exception) -> Callable[[], None]:
    def hook() -> None:
        raise error

    return hook


def through(world: World, error: Exception) -> Services:
    faults = Faults(first("get", Fault(before=raising(error))))
    return replace(world.through(faults), kinds=with_normalizer(KIND, REVIEW))


def test_a_secret_in_an_error_is_not_in_the_outcome() -> None:
    world = settled_world()
    error = StoreUnavailableError("away: http://oss.example/x?Signature=canary-signature")
    done = replay(through(world, error), KEY, deliver=False)

    assert (done.did, "canary" in str(done)) == ("failed", False)


@pytest.mark.parametrize("act", [partial(replay, deliver=False), partial(rehearse, against=True)])
def test_what_is_wrong_with_our_settings_stops_all_of_it(act: Callable[[Services, str], object]) -> None:
    world = settled_world()

    with pytest.raises(MisconfiguredError):
        act(through(world, MisconfiguredError("no right to read")), KEY)
