"""Every sample of `events/webhook/` is replayed through the handler, as Function Compute would."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from functions.webhook.handler import handle, handler
from shared import bootstrap
from shared.adapters.clocks import SystemClock
from shared.due import DueJobs
from shared.errors import StoreUnavailableError
from shared.intake import MAX_BODY
from shared.job_row import read_job
from shared.jobs import State
from shared.ports import Services
from shared.record import digest
from shared.tables import INBOX, Row, nameless_key
from shared.toolkit import fake_context
from tests.callers import CALLERS, DOMAIN, KEY, SAMPLES, TOPIC, audit, event, sample, signed
from tests.faults import ANSWER_LOST, UNAVAILABLE, Fault, Faults, first
from tests.scripted_vendor import answer
from tests.world import START, World, ref

# What each is answered with, and whether a job is marked.
EXPECTED: dict[str, tuple[int, bool]] = {
    "ice": (200, True),
    "mns-changed": (403, False),
    "mns-json": (204, True),
    "mns-other-account": (403, False),
    "mns-simplified": (400, False),
    "mns-xml": (204, True),
    "other-path": (404, False),
    "vod": (200, True),
    "vod-forged": (403, False),
    "vod-old-key": (200, True),
    "vod-other-event": (200, False),
    "vod-replayed": (403, False),
    "vod-unreadable": (200, False),
    "vod-unsigned": (403, False),
}
MARKED = [name for name, (_, marks) in EXPECTED.items() if marks]
REFUSED = [name for name, (status, _) in EXPECTED.items() if status >= 300]

each_sample = pytest.mark.parametrize("name", sorted(path.stem for path in SAMPLES.iterdir()))


def status(event: bytes, services: Services) -> object:
    """Give the status with which a request is answered."""
    return handle(event, services, CALLERS)["statusCode"]


def jobs(world: World) -> list[str]:
    """Give the keys of the jobs that are due."""
    return [hint.key for hint in DueJobs(world.services).take(99)]


def inbox(world: World, key: str) -> Sequence[Row]:
    """Give what is kept under a key."""
    columns = ("transport", "body", "body_key", "reason")
    return world.ledger.under(INBOX, key, columns=columns, limit=9).rows


@each_sample
def test_a_sample_is_answered_as_its_sender_wants(name: str) -> None:
    world = World(None)

    assert status(sample(name), world.services) == EXPECTED[name][0]
    assert len(jobs(world)) == EXPECTED[name][1]
    assert world.vendor.calls == []


@each_sample
def test_a_sample_that_comes_again_is_answered_alike_and_kept_once(name: str) -> None:
    world = World(None)
    services = world.services
    before = status(sample(name), services)
    kept = world.stored(), jobs(world)

    assert status(sample(name), services) == before
    assert (world.stored(), jobs(world)) == kept


@pytest.mark.parametrize("name", MARKED)
def test_a_callback_that_is_taken_is_kept_as_it_came(name: str) -> None:
    world = World(None)
    handle(sample(name), world.services, CALLERS)
    ((row,),) = [inbox(world, key) for key in jobs(world)]

    if name.startswith("mns"):
        assert row["transport"] == "mns-topic"
        assert json.loads(bytes(row["body"]))["Type"] == "IProduction"  # type: ignore[arg-type]
    else:
        body = json.loads(sample(name))["body"].encode()
        assert (row["transport"], row["body"]) == ("http", body)
        assert row["message_id"] == hashlib.sha256(b"http\0" + body).hexdigest()


def test_a_push_tells_the_region_of_its_topic_and_the_account() -> None:
    world = World(None)
    handle(sample("mns-xml"), world.services, CALLERS)
    row = read_job(world.ledger, jobs(world)[0])

    assert row is not None
    assert (row.text("region"), row.text("user_id")) == (TOPIC.region, TOPIC.account)


@pytest.mark.parametrize("name", REFUSED)
def test_a_callback_that_is_refused_costs_nothing(name: str) -> None:
    world, faults = World(None), Faults(lambda call: None)
    handle(sample(name), world.through(faults), CALLERS)

    assert faults.calls == ()


def test_the_job_is_settled_by_reconcile_which_is_invoked_for_it() -> None:
    world = World(None)
    world.vendor.say("job-1", answer("job-1"))
    handle(event(audit("job-1")), world.services, CALLERS)
    assert (world.row("job-1").state, world.vendor.calls) == (State.TRACKED, [])
    world.invoker.run_accepted()

    assert world.row("job-1").state is State.SUCCEEDED


def test_a_settled_job_that_agrees_wakes_nobody() -> None:
    world, faults = World(None), Faults(lambda call: None)
    world.vendor.say("job-1", answer("job-1"))
    services = world.through(faults)
    handle(event(audit("job-1")), services, CALLERS)
    world.run_timer()
    woken = len([call for call in faults.calls if call.method == "invoke"])
    handle(event(audit("job-1")), services, CALLERS)

    assert world.row("job-1").count("notified") == 2
    assert len([call for call in faults.calls if call.method == "invoke"]) == woken == 1


@pytest.mark.parametrize("fault", [UNAVAILABLE, ANSWER_LOST], ids=["refused", "lost"])
def test_when_nobody_can_be_invoked_the_timer_settles_the_job(fault: Fault) -> None:
    world = World(None)
    world.vendor.say("job-1", answer("job-1"))
    services = world.through(Faults(first("invoke", fault)))

    assert status(event(audit("job-1")), services) == 200
    world.run_timer()
    assert world.row("job-1").state is State.SUCCEEDED


@pytest.mark.parametrize("fault", [UNAVAILABLE, ANSWER_LOST], ids=["refused", "lost"])
@pytest.mark.parametrize("table", ["jobs", "inbox"])
def test_what_is_not_marked_or_kept_is_to_be_sent_again(table: str, fault: Fault) -> None:
    world = World(None)
    failing = world.through(Faults(first("insert", fault, target=table)))
    with pytest.raises(StoreUnavailableError):
        handle(event(audit("job-1")), failing, CALLERS)

    assert status(event(audit("job-1")), failing) == 200
    assert world.row("job-1").wants_query(START)
    assert len(inbox(world, ref("job-1").key)) == 1


def test_an_unreadable_callback_is_kept_with_its_reason() -> None:
    world = World(None)
    handle(sample("vod-unreadable"), world.services, CALLERS)
    body = json.loads(sample("vod-unreadable"))["body"].encode()
    (row,) = inbox(world, nameless_key("unreadable", digest(body)))

    assert "not JSON" in str(row["reason"])
    assert world.stored() == {str(row["body_key"]): body}


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"no event of HTTP", 400),
        (event(audit("a"), method="GET"), 405),
        (event(audit("a"), method="PUT"), 405),
        (event(" " * (MAX_BODY + 1)), 413),
        (event('"' * (4 * MAX_BODY)), 413),
        (event(audit("a"), headers={"X-Long": "x" * 8_192}), 431),
        (event("not a push", path="/mns"), 403),
    ],
    ids=["no request", "get", "put", "large body", "large event", "large headers", "no push"],
)
def test_a_request_of_the_wrong_form_is_refused_before_it_costs_anything(sent: bytes, expected: int) -> None:
    faults = Faults(lambda call: None)

    assert status(sent, World(None).through(faults)) == expected
    assert faults.calls == ()


def test_deep_or_wide_bodies_are_unreadable_and_nothing_more() -> None:
    world = World(None)
    for body in ("[" * 60_000, '{"a":' * 60_000, "[" + "1," * 400_000 + "1]", '{"a":' + "9" * 500_000 + "}"):
        assert status(event(body), world.services) == 200

    assert jobs(world) == []


def test_nothing_of_a_request_is_in_an_answer() -> None:
    answers = [handle(sample(path.stem), World(None).services, CALLERS) for path in SAMPLES.iterdir()]
    secrets = [KEY, "sample-key", "7b1e0c2a", "192.0.2.1", DOMAIN]

    assert [secret for secret in secrets if secret in json.dumps(answers)] == []


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], None]:
    """Set what the function needs, with stores in a folder."""
    for name, value in {
        "LEDGER_OBJECTS": f"file://{tmp_path}/archive",
        "LEDGER_TABLES": f"sqlite://{tmp_path}/ledger.sqlite",
        "LEDGER_VOD_CALLBACK_KEY": KEY,
    }.items():
        monkeypatch.setenv(name, value)
    return bootstrap.end_instance


def called_now() -> object:
    """Give the status with which the entry point answers a callback of now."""
    headers = signed("vod", KEY, url=f"https://{DOMAIN}/vod", now=SystemClock().now())
    answered = handler(event(audit("job-1"), headers=headers), fake_context(function_name="webhook"))
    assert isinstance(answered, dict)
    return answered["statusCode"]


def test_the_entry_point_takes_a_callback_of_now(environment: Callable[[], None]) -> None:
    answered = called_now()
    environment()

    assert answered == 200


def test_an_instance_remembers_who_called_until_it_ends(
    environment: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_SOURCE_RATE", "0.001")
    answered = [called_now(), called_now()]
    environment()
    anew = called_now()
    environment()

    assert (answered, anew) == ([200, 429], 200)


def test_the_entry_point_lets_no_error_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEDGER_OBJECTS", raising=False)
    answered = handler(b"{}", fake_context(function_name="webhook"))

    assert isinstance(answered, dict)
    assert answered["statusCode"] == 503
