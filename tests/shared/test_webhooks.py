"""What a stranger can make the ledger do over HTTP, and what not."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from functions.webhook.handler import handle
from shared.adapters.admission import BudgetPerName
from shared.announcements import Announcement
from shared.job_row import read_job
from shared.jobs import JobRef, State
from shared.marks import Mark, mark_for_others
from shared.policy import DAY, HOUR, MINUTE, SECOND, Policy
from shared.ports import Services
from shared.tracking import announce
from shared.webhooks import Callers
from tests.callers import ANYBODY, CALLERS, audit, event, sample
from tests.faults import Call, Faults
from tests.scripted_vendor import answer, callback
from tests.world import START, World, ref


def envelope(job: JobRef, *, user_id: int) -> str:
    """Write what ICE says when a job has ended."""
    told = {"JobId": job.job_id, "Status": "Success"}
    return json.dumps({"EventType": "AIProduceComplete", "UserId": user_id, "MessageBody": told})


def hint(job_id: str) -> bytes:
    """Write an unsigned callback about a job."""
    return event(audit(job_id), headers={})


def flooded(world: World, count: int) -> None:
    """Let strangers name jobs that nobody knows."""
    for number in range(count):
        assert handle(hint(f"forged-{number}"), world.services, ANYBODY)["statusCode"] == 200


def hearsay(world: World, *, burst: int) -> Services:
    """Give services with a budget for what strangers say: so many now, and one an hour."""
    admission = BudgetPerName(lambda _: SECOND / HOUR, burst=burst, clock=world.clock)
    return replace(world.services, hearsay=admission)


def test_a_forged_job_id_costs_a_mark_and_an_inbox_row() -> None:
    world, faults = World(None), Faults(lambda call: None)
    handle(hint("forged"), world.through(faults), ANYBODY)

    assert [(call.method, call.target) for call in faults.calls] == [
        ("get", "jobs"),
        ("insert", "jobs"),
        ("insert", "inbox"),
        ("invoke", "reconcile"),
    ]


def test_a_forged_job_id_is_asked_about_twice_where_the_vendor_knows_other_jobs() -> None:
    world = World(None)
    handle(hint("forged"), world.services, ANYBODY)
    world.run_timer()
    world.clock.advance(HOUR)
    world.vendor.know("real", answer("real"))
    handle(hint("real"), world.services, ANYBODY)
    world.run_timer()

    assert world.row("forged").state is State.UNKNOWN
    assert world.row("forged").count("queries") == 2


def test_a_forged_job_id_is_asked_about_three_times_at_most() -> None:
    world = World(None)
    handle(hint("forged"), world.services, ANYBODY)
    world.run_until_quiet()

    assert world.row("forged").state is State.UNKNOWN
    assert world.row("forged").count("queries") == 3
    assert world.clock.now() - START == HOUR + DAY


def test_a_flood_of_forged_ids_leaves_the_vendor_to_the_rest() -> None:
    world = World(None)
    flooded(world, 50)
    for number in range(10):
        world.vendor.know(f"real-{number}", answer(f"real-{number}"))
        world.deliver(callback(f"real-{number}"))
    services = hearsay(world, burst=3)
    world.run_timer(services)

    settled = [f"real-{number}" for number in range(10)]
    assert {world.row(job).state for job in settled} == {State.SUCCEEDED}
    assert sum(world.row(f"forged-{number}").count("queries") for number in range(50)) == 3


def test_what_was_left_is_asked_about_later() -> None:
    world = World(None)
    flooded(world, 4)
    services = hearsay(world, burst=3)
    world.run_timer(services)
    left = [n for n in range(4) if not world.row(f"forged-{n}").count("queries")]
    world.clock.advance(HOUR)
    world.run_timer(services)

    assert len(left) == 1
    assert world.row(f"forged-{left[0]}").count("queries") == 1


@pytest.mark.parametrize("first_seen_by", ["track", "mns-topic"])
def test_a_job_that_somebody_vouches_for_needs_no_budget(first_seen_by: str) -> None:
    world = World(None)
    handle(hint("job-1"), world.services, ANYBODY)
    world.vendor.know("job-1", answer("job-1"))
    world.change("job-1", {"first_seen_by": first_seen_by})
    world.run_timer(hearsay(world, burst=0))

    assert world.row("job-1").state is State.SUCCEEDED


def test_a_job_that_is_announced_after_its_callback_needs_no_budget() -> None:
    world = World(None)
    world.vendor.know("job-1", answer("job-1"))
    handle(hint("job-1"), world.services, ANYBODY)
    announce(world.services, [Announcement(ref("job-1"))])
    world.run_timer(hearsay(world, burst=0))

    assert world.row("job-1").state is State.SUCCEEDED


def test_a_job_that_is_named_in_a_signed_message_needs_no_budget() -> None:
    world = World(None)
    world.vendor.know("job-1", answer("job-1"))
    handle(hint("job-1"), world.services, ANYBODY)
    mark_for_others(world.services, Mark(ref("job-1"), by="mns-queue", is_notification=True))
    world.run_timer(hearsay(world, burst=0))

    assert world.row("job-1").state is State.SUCCEEDED


def test_a_forged_callback_does_not_say_whose_job_it_is() -> None:
    """Asked for in another account, it would not be found, and be given up."""
    world = World(None)
    job = JobRef("ice.production", "job-1")
    forged = envelope(job, user_id=6666)
    announce(world.services, [Announcement(job)])
    handle(event(forged, path="/ice", headers={}), world.services, ANYBODY)
    row = read_job(world.ledger, job.key)

    assert row is not None
    assert (row.count("notified"), row.text("user_id")) == (1, None)


def test_who_may_be_believed_says_whose_job_it_is_after_a_stranger_did() -> None:
    world = World(None)
    job = JobRef("ice.production", "job-1")
    users = []
    for by, user_id in (("http", "6666"), ("http", "7777"), ("mns-queue", "1234"), ("mns-queue", "8888")):
        mark_for_others(world.services, Mark(job, by=by, is_notification=True, user_id=user_id))
        row = read_job(world.ledger, job.key)
        users.append(row and row.text("user_id"))

    assert users == ["6666", "6666", "1234", "1234"]


def test_what_is_not_signed_takes_nothing_from_whoever_has_the_same_address() -> None:
    """VOD calls back for everybody from the same addresses, and anybody may have it call us."""
    world = World(None)
    callers = replace(CALLERS, sources=BudgetPerName(lambda _: 1, burst=1, clock=world.clock))
    forged = [handle(sample("vod-forged"), world.services, callers)["statusCode"] for _ in range(5)]

    assert forged == [403] * 5
    assert handle(sample("vod"), world.services, callers)["statusCode"] == 200


def test_a_job_that_the_vendor_knows_is_no_hearsay() -> None:
    world = World(None)
    handle(hint("job-1"), world.services, ANYBODY)
    assert world.row("job-1").is_hearsay
    world.vendor.know("job-1", answer("job-1", "processing"))
    world.run_timer()

    assert not world.row("job-1").is_hearsay


def test_forged_ids_do_not_speak_against_our_settings() -> None:
    world = World(None)
    flooded(world, 20)
    world.run_timer()
    world.clock.advance(Policy().not_found_grace + MINUTE)

    assert world.run_timer().misconfigured == []


def test_an_address_that_sends_too_often_is_refused_and_nobody_else() -> None:
    world = World(None)
    callers = replace(CALLERS, sources=BudgetPerName(lambda _: 1, burst=2, clock=world.clock))

    def statuses(source_ip: str, count: int) -> list[object]:
        sent = event(audit("job-1"), source_ip=source_ip)
        return [handle(sent, world.services, callers)["statusCode"] for _ in range(count)]

    assert statuses("192.0.2.1", 3) == [200, 200, 429]
    assert statuses("192.0.2.2", 1) == [200]
    world.clock.advance(SECOND)
    assert statuses("192.0.2.1", 2) == [200, 429]
    # Whoever has one address of the newer kind has 2^64 of them.
    assert statuses("2001:db8::1", 1) + statuses("2001:db8::2", 1) == [200, 200]
    assert statuses("2001:db8:0:0:2:3:4:5", 1) == [429]
    assert statuses("2001:db8:0:2::1", 1) == [200]
    # All of the older kind, in the spelling of the newer, would else be one.
    assert statuses("::ffff:192.0.2.7", 2) + statuses("::ffff:192.0.2.8", 1) == [200, 200, 200]
    assert statuses("::ffff:192.0.2.7", 1) == statuses("192.0.2.7", 1) == [429]
    assert statuses("nobody's", 3) == [200, 200, 429]


def test_a_stranger_who_sends_too_often_costs_nothing() -> None:
    world, seen = World(None), Faults(lambda call: None)
    callers = replace(ANYBODY, sources=BudgetPerName(lambda _: 1, burst=0, clock=world.clock))

    assert handle(hint("job-1"), world.through(seen), callers)["statusCode"] == 429
    assert seen.calls == ()


def test_a_flood_leaves_jobs_to_the_timer_which_needs_its_own_turn() -> None:
    world, seen = World(None), Faults(lambda call: None)
    callers = replace(ANYBODY, wake_ups=BudgetPerName(lambda _: 1, burst=2, clock=world.clock))
    for number in range(9):
        assert handle(hint(f"job-{number}"), world.through(seen), callers)["statusCode"] == 200

    assert len([call for call in seen.calls if call.method == "invoke"]) == 2
    assert {world.row(f"job-{number}").number("due_at") for number in range(9)} == {START}


def test_a_topic_of_somebody_else_has_no_certificate_fetched() -> None:
    class Certificates:
        def get(self, url: str, *, source: str, deadline: int) -> bytes:
            """See `PushCertificates.get`."""
            raise AssertionError(url)

    callers = replace(CALLERS, push_certificates=Certificates())

    assert handle(sample("mns-other-account"), World(None).services, callers)["statusCode"] == 403


def test_who_was_told_of_nobody_takes_nothing_in() -> None:
    services = World(None).services

    assert [
        handle(sample(name), services, Callers())["statusCode"] for name in ("vod", "ice", "mns-xml")
    ] == [403] * 3


def test_a_callback_while_somebody_settles_the_job_wakes_nobody() -> None:
    world = World(None)
    world.vendor.know("job-1", answer("job-1"))
    invoked: list[Call] = []

    def called_back_meanwhile(call: Call) -> None:
        if call.method == "query" and not invoked:
            faults = Faults(lambda call: None)
            handle(event(audit("job-1")), world.through(faults), CALLERS)
            invoked.extend(call for call in faults.calls if call.method == "invoke")
            marks.append(world.row("job-1").count("wanted"))

    marks: list[int] = []
    world.deliver(callback("job-1"), world.through(Faults(lambda call: called_back_meanwhile(call))))

    assert (invoked, marks) == ([], [2])
    assert world.row("job-1").state is State.SUCCEEDED


def test_a_callback_is_seen_although_a_clock_that_was_ahead_wrote_a_lease() -> None:
    world = World(None)
    world.vendor.know("job-1", answer("job-1"))
    handle(hint("job-1"), world.services, ANYBODY)
    ahead = START + 30 * DAY
    world.change("job-1", {"holder": "x", "token": 1, "lease_until": ahead, "due_at": ahead})
    assert handle(hint("job-1"), world.services, ANYBODY)["statusCode"] == 200
    world.run_timer()

    assert world.row("job-1").state is State.SUCCEEDED


def test_the_job_that_is_handed_over_is_named_by_its_key() -> None:
    world = World(None)
    payloads: list[bytes] = []

    class Invoker:
        def invoke(self, function: str, payload: bytes, *, task_id: str) -> bool:
            """See `Invoker.invoke`."""
            payloads.append(payload)
            return True

    handle(event(audit("job-1")), replace(world.services, invoker=Invoker()), CALLERS)

    assert [json.loads(payload)["jobs"] for payload in payloads] == [[ref("job-1").key]]
