"""Settling one job: ask, archive, record; and give the claim back whatever happens."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared import leasing, settlement
from shared.errors import (
    SettingError,
    StoreUnavailableError,
    ThrottledError,
    VendorRefusedError,
    VendorUnavailableError,
)
from shared.job_row import JobRow, read_job
from shared.jobs import JobRef, State
from shared.policy import HOUR, MINUTE, SECOND, Policy
from shared.record import digest
from shared.tables import Value
from shared.vendor import ApiAnswer, ApiRequest
from tests.due_job import JOB, due_world, held, settle
from tests.faults import UNAVAILABLE, Fault, Faults, first
from tests.scripted_vendor import NOT_FOUND, answer, callback
from tests.world import START, World, job_row, ref


def test_what_the_vendor_says_is_archived_and_recorded() -> None:
    raw = answer(JOB, suggestion="block")
    world = due_world(raw)
    outcome = settle(world)
    row = world.row(JOB)

    assert (outcome.did, outcome.state, outcome.digest) == ("settled", State.SUCCEEDED, row.text("digest"))
    confirmed_at = START + world.services.policy.confirm_after
    assert (outcome.key, outcome.next_at, outcome.error) == (ref(JOB).key, confirmed_at, None)
    assert world.stored("raw/") == {f"raw/vod.media_audit/{JOB}/{digest(raw)}.json": raw}
    assert [part.key for part in row.raw_parts] == list(world.stored("raw/"))
    assert digest(world.version(JOB) or b"") == row.text("digest")
    assert row.text("suggestion") == "block"
    assert world.broken() == []


def test_polls_are_not_kept() -> None:
    world = due_world(answer(JOB, "processing"))
    outcome = settle(world)

    assert (outcome.did, outcome.next_at) == ("waiting", START + MINUTE)
    assert world.stored() == {}
    assert world.row(JOB).text("holder") is None


def test_everything_is_archived_before_the_row_says_so() -> None:
    world = due_world(answer(JOB))
    seen = Faults(lambda call: None)
    settle(world, seen)

    assert [call.method for call in seen.calls] == ["update", "query", "put_new", "put_new", "update"]


@pytest.mark.parametrize(
    "columns",
    [
        {"query_at": START + 1},
        {"query_at": START, "holder": "h", "lease_until": START + 1},
    ],
)
def test_a_job_that_is_not_due_or_is_held_is_left_alone(columns: dict[str, Value]) -> None:
    world, seen = due_world(**columns), Faults(lambda call: None)

    assert settlement.settle(world.through(seen), world.row(JOB), by="timer") is None
    assert seen.calls == ()


def test_a_claim_that_is_lost_asks_nothing() -> None:
    world = due_world(answer(JOB))
    row = world.row(JOB)
    leasing.claim(world.services, row)

    assert settlement.settle(world.services, row, by="timer") is None
    assert world.vendor.calls == []


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.UNKNOWN, State.QUARANTINED])
def test_a_lapsed_lease_with_nothing_left_to_ask_is_cleared_away(state: State) -> None:
    world = World(None)
    world.put(job_row(state, holder="h", lease_until=START))

    assert settlement.settle(world.services, world.row(JOB), by="timer") is None
    assert not {"holder", "lease_until", "due_at", "due_bucket"} & set(world.row(JOB).columns)
    assert (world.row(JOB).state, world.vendor.calls) == (state, [])
    assert world.broken() == []


@pytest.mark.parametrize(
    ("reply", "did", "wait"),
    [
        (VendorUnavailableError("away"), "postponed", 30 * SECOND),
        (ThrottledError("slow down", retry_after_ms=2 * MINUTE), "postponed", 2 * MINUTE),
        (VendorRefusedError("your key is disabled"), "postponed", 30 * SECOND),
        (RuntimeError("a bug"), "postponed", 30 * SECOND),
        (NOT_FOUND, "waiting", 30 * SECOND),
    ],
)
def test_an_error_releases_the_claim_and_is_told(reply: Exception, did: str, wait: int) -> None:
    world = due_world(reply)
    outcome = settle(world)
    row = world.row(JOB)

    assert (outcome.did, outcome.error, outcome.next_at) == (did, reply, START + wait)
    assert (row.state, row.text("holder"), row.number("due_at")) == (State.RUNNING, None, START + wait)
    assert str(reply) in (row.text("reason") or "")
    assert world.broken() == []


def test_after_the_error_the_reason_is_gone() -> None:
    world = due_world(VendorUnavailableError("away"), answer(JOB))
    settle(world)
    world.clock.advance(30 * SECOND)
    settle(world)

    assert not {"reason", "failures"} & set(world.row(JOB).columns)


def test_an_answer_that_nobody_can_read_is_kept_and_the_job_set_aside() -> None:
    world = due_world(b"<html>")
    outcome = settle(world)
    row = world.row(JOB)

    assert (outcome.did, row.state) == ("quarantined", State.QUARANTINED)
    assert world.stored() == {f"quarantine/2025-11-20/{digest(b'<html>')}": b"<html>"}
    assert [part.key for part in row.raw_parts] == list(world.stored())
    assert row.number("due_at") is None


def test_no_job_is_set_aside_whose_answer_could_not_be_kept() -> None:
    world = due_world(b"<html>")
    outcome = settle(world, Faults(first("put_new", UNAVAILABLE)))
    row = world.row(JOB)

    assert (outcome.did, row.state) == ("postponed", State.RUNNING)
    assert isinstance(outcome.error, StoreUnavailableError)
    assert (row.text("holder"), row.number("due_at")) == (None, START + 30 * SECOND)


def test_an_unreadable_answer_about_a_settled_job_leaves_its_raw_parts() -> None:
    world = due_world(answer(JOB), b"<html>")
    settle(world)
    world.deliver(callback(JOB, "fail"))

    assert world.row(JOB).count("drifts") == 1
    assert [part.key for part in world.row(JOB).raw_parts] == list(world.stored("raw/"))
    assert len(world.stored("quarantine/")) == 1


def test_an_archive_that_is_away_postpones_and_commits_nothing() -> None:
    world = due_world(answer(JOB))
    outcome = settle(world, Faults(first("put_new", UNAVAILABLE)))

    assert (outcome.did, outcome.state) == ("postponed", State.RUNNING)
    assert world.row(JOB).text("digest") is None


def test_a_ledger_that_is_away_leaves_the_claim_to_lapse() -> None:
    world = due_world(answer(JOB))
    calls: list[str] = []

    def away_after_the_claim(method: str) -> Fault | None:
        calls.append(method)
        return UNAVAILABLE if calls.count("update") > 1 and method == "update" else None

    outcome = settle(world, Faults(lambda call: away_after_the_claim(call.method)))
    row = world.row(JOB)

    assert outcome.did == "lost"
    assert row.number("due_at") == START + world.services.policy.lease
    world.run_until_quiet()
    assert world.broken() == []


def test_who_comes_back_after_the_lease_changes_nothing() -> None:
    world = due_world(answer(JOB, "processing"))
    world.vendor.know(JOB, answer(JOB))

    def take_over() -> None:
        world.clock.advance(world.services.policy.lease)
        settlement.settle(world.services, world.row(JOB), by="timer")

    outcome = settle(world, Faults(first("query", Fault(after=take_over))))

    assert outcome.did == "lost"
    assert world.row(JOB).state is State.SUCCEEDED
    assert world.broken() == []


def test_a_kind_that_is_not_understood_here_is_our_own_mistake() -> None:
    world = World(None)
    key = JobRef("acme.transcription", JOB).key
    columns: dict[str, Value] = {"state": "tracked", "token": 1, "wanted": 1, "query_at": START}
    world.put(JobRow.read(key, columns))
    row = read_job(world.ledger, key)
    assert row is not None
    outcome = settlement.settle(world.services, row, by="timer")

    assert outcome is not None
    assert isinstance(outcome.error, SettingError)
    assert outcome.state is State.TRACKED


class AskingMediaApi:
    """A vendor that remembers in which region, and until when, it was asked."""

    def __init__(self, world: World) -> None:
        self.asked: list[tuple[str | None, int]] = []
        self._world = world

    def call(self, request: ApiRequest, *, deadline: int) -> ApiAnswer:
        """See `MediaApi.call`."""
        self.asked.append((request.region, deadline))
        return self._world.vendor.call(request, deadline=deadline)


@pytest.mark.parametrize(("known", "asked"), [("cn-beijing", "cn-beijing"), (None, "cn-shanghai")])
def test_a_job_is_asked_about_in_its_region_else_in_ours(known: str | None, asked: str) -> None:
    world = due_world(answer(JOB), **({"region": known} if known else {}))
    api = AskingMediaApi(world)
    policy = Policy(region="cn-shanghai")
    settlement.settle(replace(world.services, media_api=api, policy=policy), world.row(JOB), by="timer")

    assert [region for region, _ in api.asked] == [asked]


@pytest.mark.parametrize(("ends", "asked_until"), [(HOUR, 55 * SECOND), (20 * SECOND, 15 * SECOND)])
def test_a_query_leaves_time_to_commit_before_lease_and_invocation_end(ends: int, asked_until: int) -> None:
    world = due_world(answer(JOB))
    api = AskingMediaApi(world)
    settlement.settle(
        replace(world.services, media_api=api, deadline=START + ends), world.row(JOB), by="timer"
    )

    assert [deadline for _, deadline in api.asked] == [START + asked_until]


def test_waits_are_stretched_by_the_given_randomness() -> None:
    ends = set()
    for seed in range(20):
        world = World(None, seed=seed, policy=Policy(jitter=0.1))
        world.vendor.say(JOB, answer(JOB, "processing"))
        world.deliver(callback(JOB, "processing"))
        ends.add((world.row(JOB).number("query_at") or 0) - START)

    assert len(ends) == 20
    assert all(MINUTE <= wait <= 1.1 * MINUTE for wait in ends)


def test_a_mark_that_comes_while_the_vendor_is_asked_is_seen_by_the_commit() -> None:
    world = due_world(answer(JOB, "processing"))
    marks = Fault(after=lambda: world.deliver(callback(JOB)))
    settlement.settle_claimed(world.through(Faults(first("query", marks))), held(world), by="timer")

    assert world.row(JOB).number("query_at") == START
    assert world.broken() == []


def test_a_word_that_no_page_knows_keeps_the_job_polling_and_is_told() -> None:
    outcome = settle(due_world(answer(JOB, "pondering")))

    assert (outcome.did, outcome.state, outcome.unknown_status) == ("waiting", State.RUNNING, "pondering")


@pytest.mark.parametrize("word", ["init", "Processing", "Analyzing", "Queuing"])
def test_a_word_that_a_page_knows_is_not_told(word: str) -> None:
    assert settle(due_world(answer(JOB, word))).unknown_status is None
