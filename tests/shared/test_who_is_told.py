"""Nobody is told of a version by anything but its commit, and a person who redelivers it."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from shared import archive, tracking
from shared.announcements import read_item
from shared.interventions import retry
from shared.policy import DAY
from tests.scripted_targets import plan_to
from tests.scripted_vendor import callback
from tests.shared.test_sending import JOB, revise, send, world_with
from tests.world import KIND, World, ref

ROOT = Path(__file__).parents[2]


def call_back(world: World) -> None:
    world.deliver(callback(JOB))
    world.deliver(callback(JOB, status="fail"))  # a contradiction has the vendor asked once more


def announce(world: World) -> None:
    tracking.announce(world.services, [read_item({"kind": KIND, "job_id": JOB, "region": "cn-beijing"})])


def ask_again(world: World) -> None:
    retry(world.services, ref(JOB), by="test")


def lose_the_current_record(world: World) -> None:
    world.objects.put(archive.current_key(world.row(JOB)), b"{}", content_type="application/json")


def let_the_vendor_fail(world: World) -> None:
    world.vendor.know(JOB, b"no answer")
    ask_again(world)


def tell_others_from_now_on(world: World) -> None:
    policy = replace(world.services.policy, delivery=plan_to("a", "b"))
    world.services = replace(world.services, policy=policy)
    ask_again(world)


@pytest.mark.parametrize(
    "happens",
    [
        call_back,
        announce,
        ask_again,
        lose_the_current_record,
        let_the_vendor_fail,
        tell_others_from_now_on,
        lambda world: world.clock.advance(DAY),
    ],
)
def test_what_makes_no_new_version_tells_nobody(happens: Callable[[World], None]) -> None:
    world = world_with("a")
    send(world)
    happens(world)
    world.run_until_quiet()

    assert [(name, dispatch.version) for name, dispatch in world.targets.taken] == [("a", 1)]
    assert world.broken() == []


def test_what_makes_a_new_version_tells_of_it_once() -> None:
    world = world_with("a")
    send(world)
    revise(world)
    world.run_until_quiet()

    assert world.targets.versions("a") == [1, 2]


def test_entries_are_made_by_a_commit_and_by_redelivering_alone() -> None:
    """Whoever makes versions in another way, as a replay does, has to be told to deliver them."""
    makers = {
        path.relative_to(ROOT).as_posix()
        for folder in ("shared", "functions", "cli")
        for path in (ROOT / folder).rglob("*.py")
        if _calls(path, "Delivery")
    }

    assert makers == {"shared/answers.py", "shared/redelivery.py", "shared/delivery/outbox.py"}


def _calls(path: Path, name: str) -> bool:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    called = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return any(isinstance(function, ast.Name) and function.id == name for function in called)
