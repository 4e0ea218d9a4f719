"""A record is made from the answer and from the file that the job wrote, as far as it can be had."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shared import settlement
from shared.adapters.local.folder_result_files import FolderResultFiles
from shared.asking import RESERVE
from shared.errors import StoreUnavailableError
from shared.inbound.notifications import Claim
from shared.job_row import JobRow, read_job
from shared.jobs import JobRef, State
from shared.kinds import KINDS
from shared.marks import Mark, mark
from shared.ports import Services
from shared.record import JobRecord
from shared.settlement import Outcome
from shared.vendor import Part
from tests.world import World

JOB = JobRef("mts.video_quality", "0c8f04aa60bd4377a906bd6c91ec0000")
SUMMARY = '{"Freeze":[{"Score":"1","TimeStamp":"00:00:00.233"}]}'
FILE = b'{"freeze":[{"result":"freeze","score":4.14,"timestamp":"233","type":"freeze"}]} {"border":[]}'
PLACE = "oss://results.oss-cn-shanghai.aliyuncs.com/ai/"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    policy = replace(made.services.policy, user_id="1253406881704637", outputs={JOB.kind: PLACE})
    made.services = replace(made.services, policy=policy)
    answer(made, VideoQualityResults=SUMMARY)
    yield made
    made.close()


def answer(world: World, **fields: str) -> None:
    job = {"JobId": JOB.job_id, "Status": "Success", "Output": "blockness.txt", **fields}
    world.vendor.know(JOB.job_id, json.dumps({"Code": "Success", "Job": job}).encode())


def write_file(world: World, body: bytes = FILE) -> None:
    file = world.folder / "buckets" / "results" / "ai" / "blockness.txt"
    file.parent.mkdir(parents=True)
    file.write_bytes(body)


def settled(world: World, services: Services | None = None) -> tuple[Outcome, JobRow]:
    used = services or world.services
    lease = mark(used, Mark(JOB, "test", is_notification=False))
    assert lease is not None
    outcome = settlement.settle_claimed(used, lease, by="person")
    row = read_job(used.ledger, JOB.key)
    assert row is not None
    return outcome, row


def record(world: World, row: JobRow) -> JobRecord:
    return JobRecord.model_validate_json(world.objects.get(f"versions/{JOB.path}/{row.text('digest')}.json"))


def test_answer_and_file_make_one_record(world: World) -> None:
    write_file(world)

    outcome, row = settled(world)

    assert (outcome.did, row.text("notes")) == ("settled", None)
    (finding,) = record(world, row).findings
    assert [score.text for score in finding.scores] == ["1", "4.14"]


def test_both_raw_parts_are_archived_so_that_the_record_can_be_made_again(world: World) -> None:
    write_file(world)

    _, row = settled(world)

    assert [(part.name, part.format) for part in row.raw_parts] == [("answer", "json"), ("output", "txt")]
    raw = [Part(part.name, "txt", world.objects.get(part.key)) for part in row.raw_parts]
    again = KINDS[JOB.kind].normalize([replace(raw[0], format="json"), raw[1]])
    assert again == record(world, row)


def test_a_file_whose_place_nobody_knows_is_noted_and_the_summary_settles_the_job(world: World) -> None:
    policy = replace(world.services.policy, outputs={})

    outcome, row = settled(world, replace(world.services, policy=policy))

    assert (outcome.did, row.text("notes")) == ("settled", "output unlocated")
    assert outcome.notes == "output unlocated"
    assert len(record(world, row).findings) == 1


def test_the_timer_counts_what_records_had_to_do_without(world: World) -> None:
    mark(world.services, Mark(JOB, "test", is_notification=False))
    world.clock.advance(world.services.policy.lease)

    summary = world.run_timer()

    assert (summary.outcomes, summary.notes) == ({"settled": 1}, {"output missing": 1})


def test_the_place_that_was_announced_goes_before_the_setting(world: World) -> None:
    write_file(world)
    lease = mark(world.services, Mark(JOB, "test", is_notification=False))
    assert lease is not None
    announced = {"output": f"{PLACE.replace('results', 'elsewhere')}blockness.txt"}
    lease = replace(lease, row=lease.row.changed(announced))

    settlement.settle_claimed(world.services, lease, by="person")

    row = read_job(world.ledger, JOB.key)
    assert row is not None
    assert row.text("notes") == "output missing"


def test_a_file_that_is_not_there_is_noted(world: World) -> None:
    _, row = settled(world)

    assert (row.state, row.text("notes")) == (State.SUCCEEDED, "output missing")


def test_a_file_that_is_not_there_leaves_a_job_without_a_summary_waiting(world: World) -> None:
    answer(world)

    outcome, row = settled(world)

    assert (outcome.did, row.state) == ("waiting", State.RUNNING)


def test_a_place_that_cannot_be_read_from_here_is_noted(world: World) -> None:
    _, row = settled(world, replace(world.services, result_files=FolderResultFiles(None)))

    assert (row.state, row.text("notes")) == (State.SUCCEEDED, "output unreachable")


def test_a_store_that_does_not_answer_postpones_the_job(world: World) -> None:
    class DeafFiles:
        def read(self, uri: str) -> bytes:
            raise StoreUnavailableError("no answer", file=uri)

    outcome, row = settled(world, replace(world.services, result_files=DeafFiles()))

    assert (outcome.did, row.state) == ("postponed", State.TRACKED)


def test_a_missing_account_is_our_fault_and_named(world: World) -> None:
    policy = replace(world.services.policy, user_id=None)

    outcome, row = settled(world, replace(world.services, policy=policy))

    assert row.state is State.TRACKED
    assert "LEDGER_USER_ID" in str(outcome.error)
    assert world.vendor.calls == []


def test_not_found_answers_leave_nothing_behind(world: World) -> None:
    job = JobRef("mts.production", "gone")
    world.vendor.know("gone", b'{"RequestId":"r","JobId":"gone"}')
    lease = mark(world.services, Mark(job, "test", is_notification=False))
    assert lease is not None

    outcome = settlement.settle_claimed(world.services, lease, by="person")

    assert outcome.did == "waiting"
    assert world.stored() == {}


def test_a_record_made_with_the_file_is_not_replaced_by_one_without_it(world: World) -> None:
    write_file(world)
    _, before = settled(world)
    (world.folder / "buckets" / "results" / "ai" / "blockness.txt").unlink()
    again = mark(world.services, Mark(JOB, "test", is_notification=True, claim=Claim("failed")))
    assert again is not None

    outcome = settlement.settle_claimed(world.services, again, by="person")

    row = read_job(world.ledger, JOB.key)
    assert row is not None
    assert (outcome.did, outcome.drift) == ("drifted", "claim: failed, recorded as succeeded")
    assert (row.text("digest"), row.raw_parts) == (before.text("digest"), before.raw_parts)


def test_a_job_that_there_is_no_time_for_stays_due_and_bears_no_blame(world: World) -> None:
    hurried = replace(world.services, deadline=world.clock.now() + RESERVE)

    outcome, row = settled(world, hurried)

    assert (outcome.did, row.number("query_at")) == ("postponed", world.clock.now())
    assert (row.count("queries"), row.count("failures"), world.vendor.calls) == (0, 0, [])


def test_a_person_corrects_where_to_ask_and_a_notification_does_not(world: World) -> None:
    def region_after(wish: Mark) -> str | None:
        mark(world.services, wish)
        row = read_job(world.ledger, JOB.key)
        return row.text("region") if row else None

    first = Mark(JOB, "cli", is_notification=False, region="cn-shanghia")

    assert region_after(first) == "cn-shanghia"
    assert region_after(replace(first, is_notification=True, region="cn-beijing")) == "cn-shanghia"
    assert region_after(replace(first, region="cn-shanghai")) == "cn-shanghai"
