"""Taking in a message: kept, marked, settled; answered with success only then."""

from __future__ import annotations

import json

import pytest

from shared.errors import (
    ContendedError,
    CorruptRowError,
    OutcomeUnknownError,
    StoreUnavailableError,
    VendorUnavailableError,
)
from shared.intake import MAX_BODY, Receipt
from shared.jobs import State
from shared.policy import SECOND
from shared.record import digest
from shared.tables import INBOX, JOBS, Row
from shared.toolkit.message import Message
from tests.faults import ANSWER_LOST, UNAVAILABLE, Fault, Faults, first
from tests.scripted_vendor import answer, callback
from tests.world import START, World, ref

JOB = "job-1"
KEY = ref(JOB).key


def begin(suggestion: str = "pass") -> World:
    """Begin with a job that only the vendor knows."""
    world = World(None)
    world.vendor.know(JOB, answer(JOB, suggestion=suggestion))
    return world


def nameless(world: World, why: str, message: Message) -> Row | None:
    """Read the inbox row of a delivery that names no job."""
    name = digest(message.body)
    return world.ledger.get(INBOX, (f"{name[:2]}..{why}.{name}", message.message_id))


def test_a_callback_becomes_a_record_a_row_and_a_kept_delivery() -> None:
    world, message = begin(), callback(JOB)
    receipt = world.deliver(message)

    assert receipt == Receipt(message.message_id, "notification", KEY, "settled", "succeeded")
    assert world.row(JOB).state is State.SUCCEEDED
    assert digest(world.version(JOB) or b"") == world.row(JOB).text("digest")
    assert world.inbox(message, JOB) == {
        "transport": "mns-topic",
        "received_at": START,
        "body": message.body,
        "event_type": "AIMediaAuditComplete",
        "claimed": "succeeded",
    }
    assert world.broken() == []


def test_a_callback_costs_five_calls_in_sequence() -> None:
    """Read, mark and claim, [inbox beside query], [raw beside version], commit: nothing waits for more."""
    world, seen = begin(), Faults(lambda call: None)
    world.deliver(callback(JOB), world.through(seen))

    assert [f"{call.method} {call.target.partition('/')[0]}" for call in seen.calls] == [
        "get jobs",
        "insert jobs",
        *("insert inbox", "query query"),
        *("put_new raw", "put_new versions"),
        "update jobs",
    ]


@pytest.mark.parametrize(
    "repeated", [callback(JOB), callback(JOB, number=2), callback(JOB, "processing", number=2)]
)
def test_an_agreeing_callback_again_is_kept_and_asks_nobody(repeated: Message) -> None:
    world = begin()
    world.deliver(callback(JOB))
    before = world.row(JOB)
    seen = Faults(lambda call: None)
    receipt = world.deliver(repeated, world.through(seen))

    assert receipt.did == "marked"
    assert [f"{call.method} {call.target}" for call in seen.calls] == [
        "get jobs",
        "update jobs",
        "insert inbox",
    ]
    assert world.vendor.calls == [JOB]
    assert [world.row(JOB).count(name) for name in ("wanted", "notified", "queries")] == [2, 2, 1]
    waits = ("query_at", "effects_at", "due_at")
    assert [world.row(JOB).number(name) for name in waits] == [before.number(name) for name in waits]
    assert world.inbox(repeated, JOB) is not None


@pytest.mark.parametrize("status", ["success", "fail"])
def test_a_contradicting_callback_is_checked_once_however_often_it_comes(status: str) -> None:
    world = begin()
    world.deliver(callback(JOB))
    for number in range(2, 6):
        world.deliver(callback(JOB, status, suggestion="block", number=number))

    assert world.vendor.calls == [JOB, JOB]
    assert world.row(JOB).state is State.SUCCEEDED
    assert world.row(JOB).count("version") == 1
    assert world.row(JOB).number("query_at") == START + world.services.policy.confirm_after
    assert world.row(JOB).count("drifts") == 1


def test_a_contradicting_callback_that_the_vendor_confirms_against_the_row_is_checked_once() -> None:
    world = begin()
    world.deliver(callback(JOB))
    world.vendor.know(JOB, answer(JOB, "fail"))
    for number in range(2, 6):
        world.deliver(callback(JOB, "fail", number=number))

    assert world.vendor.calls == [JOB, JOB]
    assert (world.row(JOB).state, world.row(JOB).count("drifts")) == (State.SUCCEEDED, 1)


def test_a_contradicting_callback_that_the_vendor_bears_out_is_a_new_version() -> None:
    world = begin()
    world.deliver(callback(JOB))
    world.vendor.know(JOB, answer(JOB, suggestion="block"))
    world.deliver(callback(JOB, suggestion="block", number=2))

    assert (world.row(JOB).text("suggestion"), world.row(JOB).count("version")) == ("block", 2)
    assert (world.row(JOB).count("drifts"), world.row(JOB).text("drift")) == (1, "verdict: block, was pass")
    assert len(world.stored("versions/")) == 2


def test_a_callback_before_the_vendor_knows_of_the_end_is_asked_about_soon_after() -> None:
    world = begin()
    world.vendor.say(JOB, answer(JOB, "processing"))
    receipt = world.deliver(callback(JOB))

    assert (receipt.did, receipt.state) == ("waiting", "running")
    assert world.next_due() == START + 5 * SECOND


def test_the_first_callback_tells_region_and_account() -> None:
    world = begin()
    world.deliver(callback(JOB)._replace(region="cn-shanghai", account_id="42"))

    assert (world.row(JOB).text("region"), world.row(JOB).text("user_id")) == ("cn-shanghai", "42")


# What cannot be a notification of ours.


def test_what_nobody_can_read_is_quarantined_with_its_reason() -> None:
    world, message = World(None), Message("m-1", "mns-queue", b"\xff\x00 no callback")
    receipt = world.deliver(message)

    row = nameless(world, "unreadable", message)
    assert (receipt.was, receipt.job) == ("unreadable", None)
    assert row is not None
    assert row["reason"] == receipt.reason
    assert world.stored() == {row["body_key"]: message.body}
    assert "body" not in row


def test_what_could_not_be_unwrapped_is_quarantined_with_the_triggers_reason() -> None:
    message = callback(JOB)._replace(reason="two bodies in one message")
    receipt = World(None).deliver(message)

    assert receipt.was == "unreadable"
    assert "two bodies in one message" in (receipt.reason or "")


def test_what_is_too_large_is_quarantined_unread() -> None:
    world, message = World(None), Message("m-1", "mns-queue", b"[" * (MAX_BODY + 1))
    receipt = world.deliver(message)

    assert receipt.was == "unreadable"
    assert f"size={MAX_BODY + 1}" in (receipt.reason or "")
    assert list(world.stored().values()) == [message.body]


def test_the_same_unreadable_delivery_again_is_no_other() -> None:
    world, message = World(None), Message("m-1", "mns-queue", b"no callback")

    assert world.deliver(message) == world.deliver(message)
    assert len(world.stored()) == 1


@pytest.mark.parametrize("event_type", ["FileUploadComplete", "SomethingNewComplete"])
def test_an_event_about_no_job_of_ours_is_kept_and_set_aside(event_type: str) -> None:
    body = json.dumps({"EventType": event_type, "JobId": JOB}).encode()
    world, message = World(None), Message("m-1", "mns-queue", body)
    receipt = world.deliver(message)

    row = nameless(world, "set_aside", message)
    assert (receipt.was, receipt.job) == ("set_aside", None)
    assert row is not None
    assert (row["body"], row["event_type"]) == (body, event_type)
    assert world.ledger.get(JOBS, (KEY,)) is None


def test_no_inbox_key_of_a_nameless_delivery_is_a_job_key() -> None:
    world, message = World(None), Message("m-1", "mns-queue", b"no callback")
    world.deliver(message)

    assert nameless(world, "unreadable", message) is not None
    assert world.next_due() is None


# Answered with success only after mark and inbox row.


@pytest.mark.parametrize(
    ("method", "target", "fault", "error"),
    [
        ("get", "jobs", UNAVAILABLE, StoreUnavailableError),
        ("insert", "jobs", UNAVAILABLE, StoreUnavailableError),
        ("insert", "inbox", UNAVAILABLE, StoreUnavailableError),
        ("insert", "inbox", ANSWER_LOST, OutcomeUnknownError),
    ],
)
def test_without_mark_and_inbox_row_the_sender_is_told(
    method: str, target: str, fault: Fault, error: type[Exception]
) -> None:
    world = begin()

    with pytest.raises(error):
        world.deliver(callback(JOB), world.through(Faults(first(method, fault, target=target))))


def test_a_lost_inbox_row_does_not_undo_the_settling() -> None:
    world = begin()
    with pytest.raises(StoreUnavailableError):
        world.deliver(callback(JOB), world.through(Faults(first("insert", UNAVAILABLE, target="inbox"))))

    assert world.row(JOB).state is State.SUCCEEDED


def test_an_inbox_row_that_is_there_does_not_skip_the_mark() -> None:
    world = begin()
    world.vendor.say(JOB, VendorUnavailableError("away"))
    world.deliver(callback(JOB))
    receipt = world.deliver(callback(JOB))

    assert receipt.did == "settled"
    assert world.row(JOB).count("notified") == 2


def test_the_first_delivery_of_a_message_is_the_one_that_is_kept() -> None:
    world = begin()
    world.deliver(callback(JOB))
    world.clock.advance(1)
    world.deliver(callback(JOB))

    assert (world.inbox(callback(JOB), JOB) or {})["received_at"] == START


@pytest.mark.parametrize("reply", [VendorUnavailableError("away"), RuntimeError("a bug"), b"<html>"])
def test_an_error_while_settling_never_changes_the_answer(reply: bytes | Exception) -> None:
    world = begin()
    world.vendor.say(JOB, reply)
    receipt = world.deliver(callback(JOB))

    assert receipt.was == "notification"
    assert world.inbox(callback(JOB), JOB) is not None
    assert world.broken() == []


def test_what_a_commit_leaves_to_do_is_the_timers() -> None:
    world = begin()
    world.deliver(callback(JOB))

    assert world.stored("records/") == {}
    assert world.next_due() == START
    assert world.run_timer().drained == 1
    assert world.current_record(JOB) == world.version(JOB)


def test_a_callback_of_a_job_that_others_keep_winning_is_given_back() -> None:
    world = begin()
    world.deliver(callback(JOB))
    ahead = Fault(before=lambda: world.deliver(callback(JOB, number=2)))
    busy = Faults(lambda call: ahead if (call.method, call.target) == ("update", "jobs") else None)

    with pytest.raises(ContendedError):
        world.deliver(callback(JOB, number=3), world.through(busy))


def test_a_callback_about_a_row_that_nobody_can_read_is_kept_all_the_same() -> None:
    world = begin()
    world.deliver(callback(JOB))
    world.change(JOB, {"effects": "not json"})

    with pytest.raises(CorruptRowError, match=KEY):
        world.deliver(callback(JOB, number=2))
    assert world.inbox(callback(JOB, number=2), JOB) is not None
