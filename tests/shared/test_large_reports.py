"""A report that memory has no room for settles its job as a small one does: streamed, kept, replayed."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from shared import holds, large_parts, settlement
from shared.adapters.local.folder_result_files import FolderResultFiles
from shared.asking import RESERVE
from shared.errors import FileTooLargeError, StoreUnavailableError
from shared.findings_file import FindingsFile
from shared.job_row import JobRow, read_job
from shared.jobs import JobRef, State
from shared.kinds import KINDS
from shared.kinds.kind import ResultFile
from shared.marks import Mark, mark
from shared.ports import ObjectInfo, Services
from shared.record import JobRecord, canonical_bytes, read_record
from shared.replay.one_job import rehearse, replay
from shared.settlement import Outcome
from shared.vendor import LargePart, Part
from tests.world import World

JOB = JobRef("mts.video_quality", "0c8f04aa60bd4377a906bd6c91ec0000")
PLACE = "oss://results.oss-cn-shanghai.aliyuncs.com/ai/"
FRAMES = [{"result": "dark", "score": i, "timestamp": str(i)} for i in range(1_500)]
FILE = json.dumps({"brightness": FRAMES}).encode()


class Pieces:
    """Result files of which each is too large to be read whole."""

    def read(self, uri: str) -> bytes:
        raise FileTooLargeError("it is to be read piece by piece")


@dataclass
class Watched:
    """Files by pieces; `at_end` is called whenever one was read to its end."""

    files: FolderResultFiles
    at_end: Any = lambda: None

    def info(self, name: str, /) -> ObjectInfo:
        return self.files.info(name)

    def chunks(self, name: str, /, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        yield from self.files.chunks(name, start=start, end=end)
        self.at_end()


class FullAtTheEnd:
    """A compressor that finds no room for what it has held back."""

    def close(self) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    policy = replace(made.services.policy, user_id="1253406881704637", outputs={JOB.kind: PLACE})
    files = FolderResultFiles(tmp_path / "buckets")
    made.services = replace(made.services, policy=policy, result_files=Pieces(), large_files=files)
    job = {"JobId": JOB.job_id, "Status": "Success", "Output": "report.txt"}
    made.vendor.know(JOB.job_id, json.dumps({"Code": "Success", "Job": job}).encode())
    write(made, FILE)
    yield made
    made.close()


def write(world: World, body: bytes) -> None:
    file = world.folder / "buckets" / "results" / "ai" / "report.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)


def settled(world: World, services: Services | None = None) -> tuple[Outcome, JobRow]:
    used = services or world.services
    lease = mark(used, Mark(JOB, "test", is_notification=False))
    assert lease is not None
    return settlement.settle_claimed(used, lease, by="person"), row_of(world)


def row_of(world: World) -> JobRow:
    row = read_job(world.ledger, JOB.key)
    assert row is not None
    return row


def record_of(world: World) -> JobRecord:
    return read_record(world.objects.get(f"versions/{JOB.path}/{row_of(world).text('digest')}.json"))


def beside(world: World) -> tuple[str, bytes]:
    more = record_of(world).findings_more
    assert more is not None
    key = f"versions/{JOB.path}/{more.sha256}.findings.ndjson"
    return key, world.objects.get(key)


def test_the_record_is_that_of_the_same_report_read_whole(world: World) -> None:
    outcome, row = settled(world)

    raw = [Part(part.name, part.format, world.objects.get(part.key)) for part in row.raw_parts]
    assert (outcome.did, row.state, row.text("notes")) == ("settled", State.SUCCEEDED, None)
    assert canonical_bytes(KINDS[JOB.kind].record(raw)) == canonical_bytes(record_of(world))


def test_report_and_findings_are_kept_under_their_hashes(world: World) -> None:
    _, row = settled(world)

    _, raw = row.raw_parts
    key, lines = beside(world)
    assert raw.key == f"raw/{JOB.path}/{hashlib.sha256(FILE).hexdigest()}.txt"
    assert world.objects.get(raw.key) == FILE
    assert hashlib.sha256(lines).hexdigest() in key
    assert len(lines.splitlines()) + len(record_of(world).findings) == len(FRAMES)
    assert world.broken() == []


def test_the_findings_stand_there_before_the_row_names_them(world: World) -> None:
    put_file = world.objects.put_file

    def refuse(key: str, *args: Any, **named: Any) -> bool:
        if key.endswith(".findings.ndjson"):
            raise OSError("no disk")
        return put_file(key, *args, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.objects, "put_file", refuse)
        outcome, row = settled(world)

    assert (outcome.did, row.state, row.text("digest")) == ("postponed", State.TRACKED, None)


def test_a_report_that_changes_while_it_is_read_settles_nothing(world: World) -> None:
    files = FolderResultFiles(world.folder / "buckets")
    changing = Watched(files, at_end=lambda: write(world, FILE + b" "))

    outcome, row = settled(world, replace(world.services, large_files=changing))

    assert (outcome.did, row.text("digest")) == ("postponed", None)
    assert "it was changed while it was" in str(outcome.error)


@pytest.mark.parametrize("readings", [1, 2])
def test_a_report_that_is_taken_away_while_it_is_read_is_asked_for_again(world: World, readings: int) -> None:
    file, left = world.folder / "buckets" / "results" / "ai" / "report.txt", iter(range(readings))

    def take_away() -> None:
        if next(left, None) == readings - 1:
            file.unlink()

    watched = Watched(FolderResultFiles(world.folder / "buckets"), at_end=take_away)

    outcome, row = settled(world, replace(world.services, large_files=watched))

    assert (outcome.did, row.state, row.text("digest")) == ("postponed", State.TRACKED, None)
    assert "it was taken away while" in str(outcome.error)


def test_its_lease_lasts_longer_and_an_end_of_time_is_tried_again_later(world: World) -> None:
    files, policy = FolderResultFiles(world.folder / "buckets"), world.services.policy
    leases: list[int | None] = []

    def pass_time() -> None:
        leases.append(row_of(world).number("lease_until"))
        world.clock.advance(policy.large_lease - RESERVE)

    outcome, row = settled(world, replace(world.services, large_files=Watched(files, pass_time)))

    assert leases[0] == world.clock.now() - (policy.large_lease - RESERVE) + policy.large_lease
    assert (outcome.did, row.count("failures")) == ("postponed", 1)
    assert (row.number("query_at") or 0) >= world.clock.now() + policy.retries[0]
    assert "no time is left" in str(outcome.error)


def test_whoever_lost_the_lease_meanwhile_reads_nothing(world: World) -> None:
    class Taken(Pieces):
        def read(self, uri: str) -> bytes:
            world.change(JOB, {"token": 99, "holder": "somebody else"})
            raise FileTooLargeError("it is to be read piece by piece")

    outcome, _ = settled(world, replace(world.services, result_files=Taken()))

    assert outcome.did == "lost"
    assert world.stored("raw/") == {}


def test_a_file_that_cannot_be_a_report_is_noted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_parts, "MOST_BYTES", len(FILE) - 1)
    summary = json.dumps({"Freeze": [{"Score": "1", "TimeStamp": "00:00:01"}]})
    job = {"JobId": JOB.job_id, "Status": "Success", "Output": "report.txt", "VideoQualityResults": summary}
    world.vendor.know(JOB.job_id, json.dumps({"Job": job}).encode())

    _, row = settled(world)

    assert (row.state, row.text("notes")) == (State.SUCCEEDED, "output too large")


def test_a_large_file_that_nobody_can_read_is_kept_whole(world: World) -> None:
    write(world, FILE + b"{")

    outcome, row = settled(world)

    assert (outcome.did, row.state) == ("quarantined", State.QUARANTINED)
    assert sorted(world.stored("quarantine/").values(), key=len)[-1] == FILE + b"{"
    assert {part.key for part in row.raw_parts} == {*world.stored("quarantine/")}


@pytest.mark.parametrize("largest", [10, 10**9])
def test_replay_makes_the_same_bytes_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch, largest: int
) -> None:
    monkeypatch.setattr(large_parts, "LARGE_FILE", largest)
    settled(world)
    before = world.stored()

    assert replay(world.services, JOB.key, deliver=False).did == "unchanged"
    assert world.stored() == before


def test_a_newer_normalizer_has_findings_beside_its_version_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_parts, "LARGE_FILE", 10)
    settled(world)
    before = beside(world)
    kind = KINDS[JOB.kind]
    normalize = kind.normalize_large
    assert normalize is not None
    newer = replace(
        kind,
        normalizer_version=99,
        normalize_large=lambda parts, lines: normalize(parts, lines).model_copy(
            update={"normalizer_version": 99}
        ),
    )
    services = replace(world.services, kinds={**KINDS, JOB.kind: newer})
    world.objects.remove(before[0])

    assert rehearse(services, JOB.key, against=True).did == "moved"
    assert before[0] not in world.stored()
    assert replay(services, JOB.key, deliver=False).did == "moved"
    assert record_of(world).normalizer_version == 99
    assert beside(world) == before


def test_a_hold_copies_the_findings_beside_the_record(world: World) -> None:
    settled(world)

    held = holds.hold(world.services, row_of(world), by="ann", reason="case 7")

    key, lines = beside(world)
    assert held.missing == ()
    assert world.stored()[f"held/{JOB.path}/versions/{key.rpartition('/')[2]}"] == lines


def test_a_record_of_another_schema_is_held_with_its_findings(world: World) -> None:
    settled(world)
    (key, lines), newer = beside(world), json.loads(canonical_bytes(record_of(world)))
    newer.update(schema_version=2, findings_more={**newer["findings_more"], "new": 1})
    world.objects.put_new(f"versions/{JOB.path}/{'f' * 64}.json", json.dumps(newer).encode(), content_type="")
    world.change(JOB, {"digest": "f" * 64})

    holds.hold(world.services, row_of(world), by="ann", reason="case 7")

    assert world.stored()[f"held/{JOB.path}/versions/{key.rpartition('/')[2]}"] == lines


def test_lines_are_read_again_as_they_were_written_and_forgotten_when_cleared() -> None:
    with FindingsFile() as lines:
        lines.write(b"of a document that broke off\n")
        lines.clear()
        lines.write(b"one\n")
        lines.write(b"two\n")

        for _ in range(2):
            with lines.open() as file:
                assert file.read() == b"one\ntwo\n"


def test_there_is_no_file_of_no_lines() -> None:
    with FindingsFile() as lines, pytest.raises(ValueError, match="no line"):
        lines.open()


def test_a_full_disk_postpones_the_job(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any, **named: Any) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("tempfile.TemporaryFile", full)

    outcome, row = settled(world)

    assert (outcome.did, row.text("digest")) == ("postponed", None)
    assert "the temporary disk takes no more" in str(outcome.error)


def test_a_disk_that_is_full_at_the_last_byte_postpones_the_job_too() -> None:
    with FindingsFile() as lines, pytest.MonkeyPatch.context() as patch:
        lines.write(b"one\n")
        patch.setattr(lines, "_writing", FullAtTheEnd())
        with pytest.raises(StoreUnavailableError, match="takes no more"):
            lines.open()


def test_who_knows_nothing_of_large_parts_gets_all_of_one(world: World) -> None:
    uri = f"{PLACE}report.txt"

    part = large_parts.fetched(
        world.services, ResultFile("output", "txt", uri), uri, deadline=world.clock.now() + 1
    )

    assert isinstance(part, LargePart)
    assert part.body == FILE
    assert part.sha256 == hashlib.sha256(FILE).hexdigest()
