"""A run with much to do divides it among shards, which together are no more than one run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from functions.reconcile.handler import handle
from shared.adapters.local.inline_invoker import InlineInvoker
from shared.errors import StoreUnavailableError
from shared.policy import HOUR, SECOND, Policy
from shared.ports import Services
from tests.functions.test_reconcile import COUNT, TICK, in_time, tick
from tests.shared.test_reconciliation import world_of
from tests.world import World

SHARDS = Policy().shards


def sharded(world: World) -> tuple[Services, InlineInvoker, list[dict[str, object]]]:
    """Give services that fan out, and what their shards answer."""
    answers: list[dict[str, object]] = []
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

    assert answered == {"shards": SHARDS, "more": False}
    assert "another run" in str(meanwhile["reason"])
    settled = [one["outcomes"] for one in answers]
    assert sum(one.get("settled", 0) for one in settled if isinstance(one, dict)) == COUNT
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


def test_a_run_whose_shards_cannot_be_begun_gives_the_lease_back_and_says_that_there_is_more() -> None:
    world = world_of(COUNT)

    def resolve(name: str) -> Callable[[bytes], object]:
        raise StoreUnavailableError("no function answers")

    policy = replace(world.services.policy, fan_out_at=COUNT)
    answered = tick(world, policy=policy, invoker=InlineInvoker(resolve))

    assert answered["more"] is True
    assert tick(world)["outcomes"] == {"settled": COUNT}
