"""What an older release wrote is found by lists once it is completed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared import archive
from shared.backfill import Backfilled, backfill
from shared.errors import ContendedError
from shared.job_filter import Filter
from shared.job_row import JobRow, effect_columns, with_hints
from shared.jobs import State
from shared.listings import list_jobs
from shared.record import canonical_bytes, digest, read_record
from shared.tables import LOOKUPS, Row
from tests.faults import Fault, Faults
from tests.listed_jobs import UNDELIVERED
from tests.scripted_vendor import answer, callback
from tests.world import START, World, ref

NEW = ("seen_kind", "attention", "attention_at", "attention_bucket", "media_id")
FILTERS = {
    "kind": Filter(kind="vod.media_audit"),
    "verdict": Filter(verdict="block"),
    "label": Filter(label="porn"),
    "media": Filter(media_id="media-1"),
    "needs": Filter(needs="undelivered"),
}


def old_world() -> World:
    """Settle a job, and take away what an older release did not write."""
    world = World(None)
    world.vendor.know("job-1", answer("job-1", suggestion="block"))
    world.deliver(callback("job-1"))
    row = world.row("job-1")
    stored = read_record(world.objects.get(archive.version_key(row.ref, row.text("digest") or "")))
    media = replace(stored.media, media_id="media-1")
    body = canonical_bytes(stored.model_copy(update={"media": media}))
    world.objects.put(archive.version_key(row.ref, digest(body)), body, content_type="application/json")
    older = {"labels": "porn", "undelivered": UNDELIVERED, "digest": digest(body), **effect_columns([])}
    world.change("job-1", {**with_hints(row.key, row.columns, older), **dict.fromkeys(NEW)})
    world.ledger.writes.clear()
    return world


def completed(world: World, *keys: str) -> Backfilled:
    done = Backfilled()
    backfill(world.services, keys or [ref("job-1").key], done)
    return done


def found(world: World) -> set[str]:
    return {name for name, wanted in FILTERS.items() if list_jobs(world.services, wanted, limit=9).rows}


def test_an_old_job_is_found_by_everything_after_it_and_again_nothing_changes() -> None:
    world = old_world()
    assert found(world) == set()

    assert completed(world) == Backfilled(jobs=1, changed=1)
    assert found(world) == set(FILTERS)
    assert completed(world) == Backfilled(jobs=1)
    assert world.broken() == []


def test_a_row_that_is_right_but_lacks_its_look_up_rows_gets_them() -> None:
    world = old_world()
    completed(world)
    world.change("job-1", {"labels": "ad"})

    assert completed(world).changed == 0
    assert list_jobs(world.services, Filter(label="ad"), limit=9).rows != ()


def test_an_open_job_is_found_by_its_kind() -> None:
    world = World(None)
    open_row: Row = {"state": "running", "token": 1, "first_seen_at": START}
    world.put(JobRow.read(ref("job-2").key, open_row))

    assert completed(world, ref("job-2").key, ref("nobody").key) == Backfilled(jobs=2, changed=1)
    assert [row.state for row in list_jobs(world.services, FILTERS["kind"], limit=9).rows] == [State.RUNNING]


def test_a_row_that_nobody_can_read_is_named() -> None:
    world = old_world()
    world.change("job-1", {"effects": "[1]"})

    assert completed(world) == Backfilled(jobs=1, unreadable=[ref("job-1").key])


@pytest.mark.parametrize("body", [None, b"{}"])
def test_a_job_whose_record_is_lost_or_broken_is_named_found_and_in_nobodys_way(body: bytes | None) -> None:
    world = old_world()
    world.vendor.know("job-2", answer("job-2"))
    world.deliver(callback("job-2"))
    world.change("job-2", {"seen_kind": None})
    key = archive.version_key(ref("job-1"), world.row("job-1").text("digest") or "")
    world.objects.remove(key)
    if body is not None:
        world.objects.put(key, body, content_type="application/json")

    done = completed(world, ref("job-1").key, ref("job-2").key)

    assert done == Backfilled(jobs=2, changed=1, unreadable=[ref("job-1").key])
    assert found(world) == set(FILTERS) - {"media"}
    assert world.broken() == []


def test_what_somebody_wrote_meanwhile_is_what_it_is_completed_by() -> None:
    world = old_world()
    services = world.through(
        Faults(
            lambda call: (
                Fault(before=lambda: world.change("job-1", {"undelivered": None}))
                if call.method == "update"
                else None
            )
        )
    )

    backfill(services, [ref("job-1").key], Backfilled())

    assert found(world) == {"kind", "verdict", "label", "media"}
    assert world.broken() == []


def test_whoever_never_wins_a_row_says_so() -> None:
    world = old_world()
    drifts = iter(range(1, 1_000))
    services = world.through(
        Faults(
            lambda call: (
                Fault(before=lambda: world.change("job-1", {"drifts": next(drifts)}))
                if call.method == "update"
                else None
            )
        )
    )

    with pytest.raises(ContendedError):
        backfill(services, [ref("job-1").key], Backfilled())
    assert world.ledger.under(LOOKUPS, f"{ref('job-1').key[0]}.label.porn", columns=(), limit=1).rows == []
