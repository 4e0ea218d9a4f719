"""What a stranger can make the ledger do over HTTP, and what not."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from functions.webhook.handler import handle
from shared.adapters.admission import BudgetPerName
from shared.inbound.senders import Senders
from shared.inbound.signatures import KeyedSender
from shared.jobs import State
from shared.policy import DAY, HOUR, MINUTE, SECOND, Policy
from shared.ports import Services
from tests.callers import audit, event, listening, sample
from tests.faults import Call, Faults
from tests.scripted_vendor import answer, callback
from tests.world import START, World, ref

ANYBODY = Senders({"vod": KeyedSender("vod", may_be_unsigned=True)})


def hint(job_id: str) -> bytes:
    """Write an unsigned callback about a job."""
    return event(audit(job_id), headers={})


def flooded(world: World, count: int) -> None:
    """Let strangers name jobs that nobody knows."""
    for number in range(count):
        assert handle(hint(f"forged-{number}"), listening(world.services, ANYBODY))["statusCode"] == 200


def hearsay(world: World, *, burst: int) -> Services:
    """Give services with a budget for what strangers say: so many now, and one an hour."""
    admission = BudgetPerName(lambda _: SECOND / HOUR, burst=burst, clock=world.clock)
    return replace(world.services, hearsay=admission)


def test_a_forged_job_id_costs_a_mark_and_an_inbox_row() -> None:
    world, faults = World(None), Faults(lambda call: None)
    handle(hint("forged"), listening(world.through(faults), ANYBODY))

    assert [(call.method, call.target) for call in faults.calls] == [
        ("get", "jobs"),
        ("insert", "jobs"),
        ("insert", "inbox"),
        ("invoke", "reconcile"),
    ]


def test_a_forged_job_id_is_asked_about_twice_where_the_vendor_knows_other_jobs() -> None:
    world = World(None)
    handle(hint("forged"), listening(world.services, ANYBODY))
    world.run_timer()
    world.clock.advance(HOUR)
    world.vendor.know("real", answer("real"))
    handle(hint("real"), listening(world.services, ANYBODY))
    world.run_timer()

    assert world.row("forged").state is State.UNKNOWN
    assert world.row("forged").count("queries") == 2


def test_a_forged_job_id_is_asked_about_three_times_at_most() -> None:
    world = World(None)
    handle(hint("forged"), listening(world.services, ANYBODY))
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
    handle(hint("job-1"), listening(world.services, ANYBODY))
    world.vendor.know("job-1", answer("job-1"))
    world.change("job-1", {"first_seen_by": first_seen_by})
    world.run_timer(hearsay(world, burst=0))

    assert world.row("job-1").state is State.SUCCEEDED


def test_a_job_that_the_vendor_knows_is_no_hearsay() -> None:
    world = World(None)
    handle(hint("job-1"), listening(world.services, ANYBODY))
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
    services = replace(
        listening(world.services), sources=BudgetPerName(lambda _: 1, burst=2, clock=world.clock)
    )

    def statuses(source_ip: str, count: int) -> list[object]:
        sent = event(audit("job-1"), source_ip=source_ip)
        return [handle(sent, services)["statusCode"] for _ in range(count)]

    assert statuses("192.0.2.1", 3) == [200, 200, 429]
    assert statuses("192.0.2.2", 1) == [200]
    world.clock.advance(SECOND)
    assert statuses("192.0.2.1", 2) == [200, 429]
    # Whoever has one address of the newer kind has 2^64 of them.
    assert statuses("2001:db8::1", 1) + statuses("2001:db8::2", 1) == [200, 200]
    assert statuses("2001:db8:0:0:2:3:4:5", 1) == [429]
    assert statuses("2001:db8:0:2::1", 1) == [200]
    assert statuses("nobody's", 3) == [200, 200, 429]


def test_a_stranger_who_sends_too_often_costs_nothing() -> None:
    world, seen = World(None), Faults(lambda call: None)
    services = replace(
        listening(world.through(seen)), sources=BudgetPerName(lambda _: 1, burst=0, clock=world.clock)
    )

    assert handle(hint("job-1"), services)["statusCode"] == 429
    assert seen.calls == ()


def test_a_flood_leaves_jobs_to_the_timer_which_needs_its_own_turn() -> None:
    world, seen = World(None), Faults(lambda call: None)
    services = replace(
        listening(world.through(seen), ANYBODY),
        wake_ups=BudgetPerName(lambda _: 1, burst=2, clock=world.clock),
    )
    for number in range(9):
        assert handle(hint(f"job-{number}"), services)["statusCode"] == 200

    assert len([call for call in seen.calls if call.method == "invoke"]) == 2
    assert {world.row(f"job-{number}").number("due_at") for number in range(9)} == {START}


def test_a_topic_of_somebody_else_has_no_certificate_fetched() -> None:
    class Certificates:
        def get(self, url: str, *, deadline: int) -> bytes:
            """See `PushCertificates.get`."""
            raise AssertionError(url)

    services = replace(listening(World(None).services), push_certificates=Certificates())

    assert handle(sample("mns-other-account"), services)["statusCode"] == 403


def test_services_that_were_told_of_nobody_take_nothing_in() -> None:
    services = World(None).services

    assert [handle(sample(name), services)["statusCode"] for name in ("vod", "ice", "mns-xml")] == [403] * 3


def test_a_callback_while_somebody_settles_the_job_wakes_nobody() -> None:
    world = World(None)
    world.vendor.know("job-1", answer("job-1"))
    invoked: list[Call] = []

    def called_back_meanwhile(call: Call) -> None:
        if call.method == "query" and not invoked:
            faults = Faults(lambda call: None)
            handle(event(audit("job-1")), listening(world.through(faults)))
            invoked.extend(call for call in faults.calls if call.method == "invoke")
            marks.append(world.row("job-1").count("wanted"))

    marks: list[int] = []
    world.deliver(callback("job-1"), world.through(Faults(lambda call: called_back_meanwhile(call))))

    assert (invoked, marks) == ([], [2])
    assert world.row("job-1").state is State.SUCCEEDED


def test_the_job_that_is_handed_over_is_named_by_its_key() -> None:
    world = World(None)
    payloads: list[bytes] = []

    class Invoker:
        def invoke(self, function: str, payload: bytes, *, task_id: str) -> bool:
            """See `Invoker.invoke`."""
            payloads.append(payload)
            return True

    handle(event(audit("job-1")), replace(listening(world.services), invoker=Invoker()))

    assert [json.loads(payload)["jobs"] for payload in payloads] == [[ref("job-1").key]]
