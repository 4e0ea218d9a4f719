"""A run with much to do divides it among shards, which together are no more than one run."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from functions.reconcile.handler import handle
from shared import runs
from shared.adapters.local.inline_invoker import InlineInvoker
from shared.errors import OutcomeUnknownError, SettingError, StoreUnavailableError
from shared.leasing import LedgerRows
from shared.policy import HOUR, SECOND, Policy
from shared.ports import Invoker, Services
from shared.runs import Shard
from shared.tables import LEASES
from tests.functions.test_reconcile import COUNT, TICK, hold, in_time, tick
from tests.measured import measured
from tests.shared.test_reconciliation import due_row, world_of
from tests.world import START, World

SHARDS = Policy().shards


def sharded(world: World) -> tuple[Services, InlineInvoker, list[dict[str, Any]]]:
    """Give services that fan out, and what their shards answer."""
    answers: list[dict[str, Any]] = []
    services = in_time(world)

    def resolve(name: str) -> Callable[[bytes], object]:
        assert name == "reconcile"
        return lambda payload: answers.append(handle(payload, services))

    invoker = InlineInvoker(resolve)
    policy = replace(services.policy, fan_out_at=COUNT)
    services = replace(services, invoker=invoker, policy=policy)
    return services, invoker, answers


def test_a_run_with_much_to_do_hands_it_to_shards_under_its_lease() -> None:
    world = world_of(COUNT)
    services, invoker, answers = sharded(world)

    answered = handle(TICK, services)
    meanwhile = handle(TICK, services)
    invoker.run_accepted()

    assert answered == {"shards": SHARDS}
    assert "another run" in str(meanwhile["reason"])
    assert sum(one["outcomes"].get("settled", 0) for one in answers) == COUNT
    assert sorted(world.vendor.calls) == sorted(f"job-{number}" for number in range(COUNT))
    assert invoker.failed == ()


def test_less_work_than_the_threshold_is_not_divided() -> None:
    world = world_of(COUNT - 1)
    services, invoker, _ = sharded(world)

    assert handle(TICK, services)["outcomes"] == {"settled": COUNT - 1}
    assert invoker.run_accepted() == 0


def test_shards_together_have_the_part_of_one_run() -> None:
    world = world_of(COUNT)
    services, invoker, _ = sharded(world)
    handle(TICK, services)
    begun = world.clock.now()
    invoker.run_accepted()

    # They run one after the other here: each at a quarter of the rate.
    rate = services.policy.calls_per_second["vod"] * 0.4 / SHARDS
    assert world.clock.now() - begun >= COUNT / rate * SECOND


def test_a_shard_of_a_run_that_is_over_does_nothing() -> None:
    world = world_of(COUNT)
    services, invoker, answers = sharded(world)
    handle(TICK, services)
    world.clock.advance(HOUR)
    invoker.run_accepted()

    assert answers == [{"reason": "the run of this shard is over"}] * SHARDS
    assert world.vendor.calls == []


class FailingInvoker:
    """Hands on to another invoker, but fails for the shards that are named."""

    def __init__(self, errors: Mapping[int, Exception], inner: Invoker | None = None) -> None:
        self._errors = errors
        self._inner = inner

    def invoke(self, function: str, payload: bytes, *, task_id: str) -> bool:
        """See `Invoker.invoke`; an `OutcomeUnknownError` comes after the effect."""
        error = self._errors.get(json.loads(payload)["shard"]["number"])
        if self._inner is not None and (error is None or isinstance(error, OutcomeUnknownError)):
            self._inner.invoke(function, payload, task_id=task_id)
        if error is not None:
            raise error
        return True


@pytest.mark.parametrize(
    "error", [StoreUnavailableError("nobody answers"), SettingError("no right to invoke")]
)
def test_a_run_of_which_no_shard_can_be_begun_does_the_work_itself(error: Exception) -> None:
    world = world_of(COUNT)
    policy = replace(world.services.policy, fan_out_at=COUNT)
    answered = tick(world, policy=policy, invoker=FailingInvoker(dict.fromkeys(range(SHARDS), error)))

    assert answered["outcomes"] == {"settled": COUNT}
    row = LedgerRows(world.ledger, LEASES).get(runs.NAME)
    assert row is not None
    assert "holder" not in row


def test_that_no_shard_may_be_begun_is_for_a_person(caplog: pytest.LogCaptureFixture) -> None:
    world = world_of(COUNT)
    policy = replace(world.services.policy, fan_out_at=COUNT)
    refused = SettingError("no right to invoke")
    tick(world, policy=policy, invoker=FailingInvoker(dict.fromkeys(range(SHARDS), refused)))

    assert "no right to invoke" in "".join(
        record.getMessage() for record in caplog.records if record.levelname == "CRITICAL"
    )


def test_shards_that_cannot_be_begun_are_worked_on_by_the_run_at_their_rate() -> None:
    world = world_of(COUNT)
    services, invoker, answers = sharded(world)
    away = StoreUnavailableError("nobody answers")
    answered = handle(TICK, replace(services, invoker=FailingInvoker({0: away, 2: away}, invoker)))
    here = answered.pop("here")

    assert answered == {"shards": SHARDS - 2}
    assert isinstance(here, list)
    rate = services.policy.calls_per_second["vod"] * 0.4 / SHARDS
    assert world.clock.now() - START >= len(world.vendor.calls) / rate * SECOND
    invoker.run_accepted()
    assert sum(one["outcomes"].get("settled", 0) for one in [*here, *answers]) == COUNT


@pytest.mark.parametrize("error", [OutcomeUnknownError("timed out"), TimeoutError("timed out")])
def test_the_lease_is_kept_when_a_shard_may_have_begun(error: Exception) -> None:
    world = world_of(COUNT)
    services, _, _ = sharded(world)
    handle(TICK, replace(services, invoker=FailingInvoker(dict.fromkeys(range(SHARDS), error))))

    world.put(due_row(COUNT))
    assert "another run" in str(handle(TICK, services)["reason"])


def test_a_shard_that_began_without_a_word_is_worked_on_once() -> None:
    world = world_of(COUNT)
    services, invoker, answers = sharded(world)
    lost = FailingInvoker({1: OutcomeUnknownError("timed out")}, invoker)
    handle(TICK, replace(services, invoker=lost))
    invoker.run_accepted()

    assert sorted(world.vendor.calls) == sorted(f"job-{number}" for number in range(COUNT))
    assert [one for one in answers if "reason" in one] == [
        {"reason": "this shard is or was worked on by another execution"}
    ]


@pytest.mark.parametrize(
    ("until", "deadline"),
    [(START + 12 * SECOND, START + HOUR), (START + HOUR, START + 12 * SECOND)],
    ids=["the run that began it", "its own invocation"],
)
def test_a_shard_outlives_neither_the_run_that_began_it_nor_its_own_invocation(
    until: int, deadline: int
) -> None:
    world = world_of(COUNT)
    hold(world, START + HOUR)
    shard = Shard("other", 0, 1, until)
    summary = handle(shard.payload, replace(world.services, deadline=deadline))

    assert summary["more"]
    assert 0 < len(world.vendor.calls) < COUNT
    assert world.clock.now() < START + 12 * SECOND


def test_shards_and_the_age_of_the_backlog_are_measured(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    world = world_of(COUNT)
    services, invoker, _ = sharded(world)
    away = StoreUnavailableError("nobody answers")
    handle(TICK, replace(services, invoker=FailingInvoker({0: away}, invoker)))

    assert measured(caplog, "shards") == {(): SHARDS - 1}
    assert measured(caplog, "oldest_due_ms") == {(): COUNT - 1}


def test_that_no_shard_may_be_begun_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    world = world_of(COUNT)
    policy = replace(world.services.policy, fan_out_at=COUNT)
    refused = SettingError("no right to invoke")
    tick(world, policy=policy, invoker=FailingInvoker({0: refused}))

    assert measured(caplog, "misconfigured") == {("shards",): 1}


def test_a_shard_that_is_executed_twice_does_nothing_the_second_time() -> None:
    world = world_of(COUNT)
    services, _, _ = sharded(world)
    handle(TICK, services)
    row = LedgerRows(world.ledger, LEASES).get(runs.NAME)
    assert row is not None
    again = Shard(str(row["holder"]), 0, SHARDS, services.deadline)
    handle(again.payload, services)
    world.clock.advance(SECOND)

    assert "reason" in handle(again.payload, services)
