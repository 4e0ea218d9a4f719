"""While a release is rolled out, old and new code work on one ledger: neither loses what the other wrote."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared import effects
from shared.adapters.local.sqlite_ledger import SqliteLedger
from shared.entries import members
from shared.errors import ParseError, TargetUnavailableError
from shared.holds import hold, release
from shared.job_row import JobRow, hold_column
from shared.kinds import KINDS
from shared.record import canonical_bytes, read_record
from shared.replay.one_job import replay
from shared.tables import JOBS, TABLES, Row
from tests.newer_kinds import suggesting, with_normalizer
from tests.scripted_vendor import answer, callback
from tests.shared.test_sending import JOB, KEY, revise, send, world_with
from tests.world import KIND, World, stores_in_a_folder

NEWER = {"since_2027": {"why": ["ä", 1]}}
NEWER_KINDS = with_normalizer(KIND, suggesting("review"))
ENTRIES = ("effects", "raw_parts", "outbox", "undelivered")


def newer_rows(world: World) -> None:
    """Have newer code write into every entry of a row something that this code does not know."""
    row = world.row(JOB)
    world.change(
        JOB,
        {
            name: json.dumps([{**entry, **NEWER} for entry in json.loads(str(row.columns[name]))])
            for name in ENTRIES
            if name in row.columns
        },
    )


def entries(row: JobRow, name: str) -> list[dict[str, Any]]:
    return list(json.loads(str(row.columns.get(name, "[]"))))


def test_what_newer_code_wrote_into_an_entry_survives_settling() -> None:
    world = world_with("a", "b")
    newer_rows(world)
    before = world.row(JOB)
    revise(world)
    after = world.row(JOB)

    assert after.count("version") == 2
    assert [one for one in entries(after, "outbox") if "since_2027" in one] == entries(before, "outbox")
    assert world.broken() == []


def test_what_newer_code_wrote_into_an_entry_survives_an_attempt_that_failed() -> None:
    world = world_with("a")
    newer_rows(world)
    world.targets.say("a", TargetUnavailableError("away"))
    send(world)
    (entry,) = entries(world.row(JOB), "outbox")

    assert (entry["attempts"], entry["since_2027"]) == (1, NEWER["since_2027"])


def test_what_newer_code_wrote_into_an_entry_survives_a_replay() -> None:
    world = world_with("a")
    newer_rows(world)
    before = world.row(JOB)
    services = replace(world.services, kinds=NEWER_KINDS)

    assert replay(services, KEY, deliver=True).did == "moved"
    after = world.row(JOB)
    assert (after.count("version"), after.raw_parts) == (2, before.raw_parts)
    assert "since_2027" in entries(after, "raw_parts")[0]


def moved_by_newer_code() -> World:
    """Begin with a job that a newer normalizer has moved, and that is still to be confirmed."""
    world = world_with("a")
    assert replay(replace(world.services, kinds=NEWER_KINDS), KEY, deliver=False).did == "moved"
    return world


def confirm(world: World, body: bytes) -> JobRow:
    """Have older code, the last that asks, hear this of the vendor."""
    world.vendor.know(JOB, body)
    world.clock.advance(world.services.policy.confirm_after)
    world.settle(JOB)
    row = world.row(JOB)
    assert (row.number("query_at"), world.broken()) == (None, [])
    return row


def test_older_code_leaves_alone_what_newer_code_made_of_the_same_answer() -> None:
    world = moved_by_newer_code()
    before = world.row(JOB)
    after = confirm(world, answer(JOB).replace(b'"RequestId": "r"', b'"RequestId": "s"'))

    assert (after.text("digest"), after.count("drifts")) == (before.text("digest"), 0)


def test_older_code_records_what_the_vendor_has_changed_and_a_replay_moves_it_on() -> None:
    world = moved_by_newer_code()
    after = confirm(world, answer(JOB, suggestion="block"))

    assert (after.text("suggestion"), after.count("normalizer_version")) == ("block", 1)
    assert after.text("drift") == "verdict: block, was pass"
    assert replay(replace(world.services, kinds=NEWER_KINDS), KEY, deliver=False).did == "moved"
    assert world.row(JOB).count("normalizer_version") == 2


@pytest.mark.parametrize("stored", [None, b"what only newer code can read", answer("job-2")])
def test_what_older_code_cannot_compare_is_recorded(stored: bytes | None) -> None:
    world = moved_by_newer_code()
    (part,) = world.row(JOB).raw_parts
    if stored is None:
        world.objects.remove(part.key)
    else:
        world.objects.put(part.key, stored, content_type="text/plain")

    assert confirm(world, answer(JOB, suggestion="block")).text("suggestion") == "block"


def test_an_effect_that_only_newer_code_knows_waits_for_it() -> None:
    world = world_with("a")
    theirs = {"name": "translate", "digest": "0" * 64, "attempts": 0, "next_at": 0, **NEWER}
    row = world.row(JOB)
    world.change(JOB, {"effects": json.dumps([*entries(row, "effects"), theirs]), "effects_at": 0})
    effects.drain(world.services, KEY)
    (left,) = entries(world.row(JOB), "effects")

    assert (left["name"], left["attempts"], left["since_2027"]) == ("translate", 1, NEWER["since_2027"])


def test_a_hold_of_newer_code_is_one_for_this_code_too() -> None:
    world = world_with("a")
    made = hold(world.services, world.row(JOB), by="anna", reason="case 1").hold
    theirs = json.dumps({**members(made), **NEWER})
    world.change(JOB, {"hold": theirs})

    read = world.row(JOB).hold
    assert read is not None
    assert json.loads(hold_column(replace(read, status="releasing")) or "") == {
        **members(made),
        **NEWER,
        "status": "releasing",
    }
    assert release(world.services, world.row(JOB), by="anna", reason="over") is not None


def test_columns_of_a_newer_ledger_survive_what_this_code_writes(tmp_path: Path) -> None:
    """New code adds its columns to the file; old code neither sees nor touches them."""
    newer_jobs = replace(JOBS, columns={**JOBS.columns, "since_2027": str})
    newer = SqliteLedger(tmp_path / "ledger.sqlite", tables=(newer_jobs, *TABLES[1:]))
    world = World(tmp_path, stores=stores_in_a_folder(tmp_path))
    world.vendor.know(JOB, answer(JOB, "processing"))
    world.deliver(callback(JOB))
    newer.update(newer_jobs, (KEY,), {"since_2027": "theirs"}, [])
    world.vendor.know(JOB, answer(JOB))
    world.clock.advance(3_600_000)
    world.settle(JOB)
    row: Row | None = newer.get(newer_jobs, (KEY,))
    newer.close()
    world.close()

    assert row is not None
    assert (row["since_2027"], row["state"]) == ("theirs", "succeeded")


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_without_what_this_code_needs_is_still_refused(name: str) -> None:
    world = world_with("a")
    world.change(JOB, {name: json.dumps([NEWER])})

    with pytest.raises(Exception, match="cannot be read"):
        world.row(JOB)


RECORDS = sorted((Path(__file__).parents[1] / "data" / "records").glob("schema-*/*.json"))
OF_THIS_SCHEMA = [path for path in RECORDS if path.parent.name == "schema-1"]


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_records_of_every_schema_can_be_read(path: Path) -> None:
    assert read_record(path.read_bytes()).job.kind in KINDS


@pytest.mark.parametrize("path", OF_THIS_SCHEMA, ids=lambda path: path.stem)
def test_a_record_of_this_schema_keeps_its_bytes(path: Path) -> None:
    assert canonical_bytes(read_record(path.read_bytes())) == path.read_bytes()


def grown(tree: Any) -> Any:
    """Add what a newer release may have added, to everything."""
    if isinstance(tree, list):
        return [grown(one) for one in tree]
    if isinstance(tree, dict):
        return {**{name: grown(one) for name, one in tree.items()}, **NEWER}
    return tree


@pytest.mark.parametrize("path", OF_THIS_SCHEMA, ids=lambda path: path.stem)
def test_what_a_newer_release_added_to_a_record_is_left_out_by_a_reader(path: Path) -> None:
    newer = json.dumps(grown(json.loads(path.read_bytes()))).encode()

    assert read_record(newer) == read_record(path.read_bytes())


def test_a_record_of_another_schema_is_refused_by_name_and_without_its_values() -> None:
    tree = {**json.loads(OF_THIS_SCHEMA[0].read_bytes()), "schema_version": 2, "status": "canary"}

    with pytest.raises(ParseError, match=r"schema_version|status") as told:
        read_record(json.dumps(tree).encode())
    assert "canary" not in str(told.value)
