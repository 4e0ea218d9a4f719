"""Stored answers become rows and records: nobody is asked, nobody told, and what is settled stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared import archive, evidence_rows
from shared.delivery.rules import DeliveryPlan
from shared.errors import InvalidJobIdError, JobNotFoundError, ParseError, StoreUnavailableError
from shared.importing import BY, Outcome, StoredAnswer, take_in
from shared.job_row import read_job
from shared.jobs import State
from shared.kinds import KINDS
from shared.marks import Mark, mark
from shared.policy import DAY, Policy
from shared.ports import Change
from shared.record import canonical_bytes
from tests.faults import UNAVAILABLE, Fault, Faults, at
from tests.scripted_vendor import answer, callback
from tests.world import ENDS_AFTER, ENDS_BEFORE, START, Crash, World, ref

JOB = "job-1"
ANSWERS = Path(__file__).parents[1] / "data" / "answers"
PICTURE = "http://p.oss-cn-shanghai.aliyuncs.com/a.jpg?Signature=s"
TOLD = DeliveryPlan.parse(
    '{"targets": {"publisher": {"url": "https://publisher.example/"}}, "rules": [{"to": ["publisher"]}]}',
    kinds=KINDS,
)


def stored(body: bytes, *, kind: str | None = None) -> StoredAnswer:
    return StoredAnswer.read(KINDS, body, kind=kind)


# Its answer does not name its file as text, so nobody would fetch it.
UNNAMED_FILE = ANSWERS / "mts.video_quality" / "wrong-types" / "answer.json"
CASES = sorted({*ANSWERS.glob("*/*/answer.json")} - {UNNAMED_FILE})
BLOCKED = stored(answer(JOB, suggestion="block"))


def world_that_tells() -> World:
    return World(None, policy=Policy(jitter=0.0, delivery=TOLD))


def test_an_unseen_job_gets_its_record_and_its_row() -> None:
    world = World(None)

    taken = take_in(world.services, BLOCKED, region="cn-shanghai", user_id="1234567890123456")

    row = world.row(JOB)
    assert taken.outcome is Outcome.IMPORTED
    assert (row.state, row.text("suggestion"), row.text("digest")) == (
        State.SUCCEEDED,
        "block",
        BLOCKED.digest,
    )
    assert (row.text("first_seen_by"), row.text("settled_by")) == (BY, BY)
    assert (row.text("region"), row.text("user_id")) == ("cn-shanghai", "1234567890123456")
    assert world.version(JOB) == world.current_record(JOB) == canonical_bytes(BLOCKED.record)
    assert world.stored("raw/").popitem()[1] == BLOCKED.answer.body


def test_nobody_is_asked_or_told_and_nothing_is_left_to_do() -> None:
    world = world_that_tells()

    take_in(world.services, BLOCKED)

    row = world.row(JOB)
    assert (world.vendor.calls, row.outbox, row.effects, row.number("due_at")) == ([], (), (), None)
    assert world.broken() == []


def test_imported_again_it_changes_nothing() -> None:
    world = World(None)
    take_in(world.services, BLOCKED)
    before, objects = world.row(JOB), dict(world.stored())

    assert take_in(world.services, BLOCKED).outcome is Outcome.KNOWN
    assert (world.row(JOB), world.stored()) == (before, objects)


@pytest.mark.parametrize(
    ("present", "change", "told"),
    [
        (answer(JOB), {}, "the stored answer says succeeded/block, the ledger succeeded/pass"),
        (
            answer(JOB, "fail", suggestion=None),
            {},
            "the stored answer says succeeded/block, the ledger failed",
        ),
        (
            answer(JOB, suggestion="block", pictures=[PICTURE]),
            {},
            "the verdict is the same, the record is not",
        ),
        (
            answer(JOB, suggestion="block", pictures=[PICTURE]),
            {"normalizer_version": 9},
            "the ledger's record was made by another normalizer: replay it first",
        ),
    ],
)
def test_a_settled_job_stays_whatever_was_stored(present: bytes, change: Change, told: str) -> None:
    world = World(None)
    world.vendor.know(JOB, present)
    world.deliver(callback(JOB))
    if change:
        world.change(JOB, change)
    before = world.row(JOB)

    taken = take_in(world.services, BLOCKED)

    assert (taken.outcome, taken.reason) == (Outcome.DIFFERS, told)
    assert world.row(JOB) == before


def test_a_job_that_the_ledger_follows_is_settled_and_its_targets_are_told() -> None:
    world = world_that_tells()
    lease = mark(world.services, Mark(ref(JOB), "track", is_notification=False))
    assert lease is not None
    world.clock.advance(2 * world.services.policy.lease)

    taken = take_in(world.services, BLOCKED)

    row = world.row(JOB)
    assert (taken.outcome, row.state, len(row.outbox)) == (Outcome.SETTLED, State.SUCCEEDED, 1)
    assert row.number("query_at") == START + 2 * world.services.policy.lease + 10 * 60_000


def test_a_job_that_is_being_asked_about_is_left() -> None:
    world = World(None)
    mark(world.services, Mark(ref(JOB), "track", is_notification=False))

    assert take_in(world.services, BLOCKED).outcome is Outcome.LEFT


def test_a_quarantined_job_is_for_a_person() -> None:
    world = World(None)
    mark(world.services, Mark(ref(JOB), "track", is_notification=False))
    world.change(JOB, {"state": "quarantined", "holder": None, "lease_until": None})

    taken = take_in(world.services, BLOCKED)

    assert (taken.outcome, taken.reason) == (Outcome.LEFT, "quarantined: release it first")


@pytest.mark.parametrize("status", ["processing", "a word of tomorrow"])
def test_an_answer_about_a_running_job_is_not_taken_in(status: str) -> None:
    world = World(None)

    taken = take_in(world.services, stored(answer(JOB, status, suggestion=None)))

    assert taken.outcome is Outcome.UNFINISHED
    assert (read_job(world.ledger, ref(JOB).key), world.stored()) == (None, {})


def test_a_finished_job_without_its_result_is_recorded_as_incomplete() -> None:
    world = World(None)

    take_in(world.services, stored(answer(JOB, suggestion=None)))

    assert (world.row(JOB).state, world.row(JOB).number("incomplete")) == (State.SUCCEEDED, 1)


@pytest.mark.parametrize(
    ("age", "sought"), [(15 * DAY, 0), (13 * DAY, 1)], ids=["deleted by the vendor", "still there"]
)
def test_evidence_is_sought_while_the_vendor_has_it(age: int, sought: int) -> None:
    world = World(None)
    world.clock.advance(age)
    old = answer(JOB, suggestion="block", pictures=[PICTURE], completed="2025-11-20T12:00:00Z")

    take_in(world.services, stored(old))

    assert len(evidence_rows.read_all(world.ledger, ref(JOB).key)) == sought
    assert world.row(JOB).count("evidence") == sought


def test_a_result_file_that_was_stored_too_is_part_of_the_record() -> None:
    case = ANSWERS / "mts.video_quality" / "file-in-place-of-summary"
    stored_beside = {"output": (case / "output.txt").read_bytes()}
    world = World(None)

    whole = StoredAnswer.read(KINDS, (case / "answer.json").read_bytes(), beside=stored_beside.get)
    take_in(world.services, whole)

    row = read_job(world.ledger, whole.ref.key)
    assert row is not None
    assert world.stored("versions/").popitem()[1] == (case / "record.json").read_bytes()
    assert [part.name for part in row.raw_parts] == ["answer", "output"]
    assert row.text("notes") is None


def test_a_result_file_that_was_not_stored_is_noted() -> None:
    case = ANSWERS / "mts.video_quality" / "file-in-place-of-summary"
    alone = stored((case / "answer.json").read_bytes())
    world = World(None)

    take_in(world.services, alone)

    row = read_job(world.ledger, alone.ref.key)
    assert row is not None
    assert row.text("notes") == "output unlocated"


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.parent.name)
def test_every_finished_answer_gives_the_record_that_the_vendors_own_would(case: Path) -> None:
    file = case.parent / "output.txt"
    stored_beside = {"output": file.read_bytes()} if file.exists() else {}
    world = World(None)

    one = StoredAnswer.read(KINDS, case.read_bytes(), beside=stored_beside.get)
    taken = take_in(world.services, one)

    versions = list(world.stored("versions/").values())
    if one.record.status == "running":
        assert (taken.outcome, versions) == (Outcome.UNFINISHED, [])
    else:
        assert (taken.outcome, versions) == (Outcome.IMPORTED, [(case.parent / "record.json").read_bytes()])


@pytest.mark.parametrize(
    ("body", "kind", "error"),
    [
        (b"not an answer", None, ParseError),
        (b'{"MediaAuditJob": {"JobId": "j"}}', None, ParseError),
        (b'{"RequestId": "r", "JobId": "j", "FunctionName": ""}', "mts.production", JobNotFoundError),
        (answer("x" * 200), None, InvalidJobIdError),
    ],
)
def test_what_is_no_answer_about_a_job_is_refused(
    body: bytes, kind: str | None, error: type[Exception]
) -> None:
    with pytest.raises(error):
        stored(body, kind=kind)


def calls_of_an_import() -> int:
    faults = Faults(lambda call: None)
    take_in(World(None).through(faults), BLOCKED)
    return len(faults.calls)


@pytest.mark.parametrize("fault", [ENDS_BEFORE, ENDS_AFTER, UNAVAILABLE], ids=["before", "after", "away"])
@pytest.mark.parametrize("number", range(1, calls_of_an_import() + 1))
def test_an_import_that_was_cut_short_is_finished_by_another(number: int, fault: Fault) -> None:
    world = world_that_tells()
    try:
        take_in(world.through(Faults(at(number, fault))), BLOCKED)
    except (Crash, StoreUnavailableError):
        world.clock.advance(2 * world.services.policy.lease)
    take_in(world.services, BLOCKED)
    world.run_until_quiet()

    row = world.row(JOB)
    assert (row.state, row.text("digest"), row.outbox) == (State.SUCCEEDED, BLOCKED.digest, ())
    assert world.stored()[archive.current_key(row)] == canonical_bytes(BLOCKED.record)
    assert (world.vendor.calls, world.broken()) == ([], [])


def test_two_imports_beside_each_other_record_a_job_once() -> None:
    world = World(None)

    def another() -> None:
        take_in(world.services, BLOCKED)

    for number in range(1, calls_of_an_import() + 1):
        world = World(None)
        take_in(world.through(Faults(at(number, Fault(before=another)))), BLOCKED)

        assert (world.row(JOB).count("version"), world.broken()) == (1, [])
        assert world.row(JOB).text("digest") == BLOCKED.digest
