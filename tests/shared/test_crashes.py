"""A callback whose process ends at any moment: delivered again, and with the timer, the end is the same.

Every port call of receiving, settling and draining is a case of its own: the process ends before it and
after it; the store is away; a write happens and its answer is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

import pytest

from shared.errors import StoreUnavailableError
from shared.inbound.triggers import Message
from tests.faults import ANSWER_LOST, UNAVAILABLE, Fault, Faults, at
from tests.scripted_vendor import answer, callback
from tests.world import ENDS_AFTER, ENDS_BEFORE, Crash, World

JOB = "job-1"
FIRST = callback(JOB)
CHANGED = callback(JOB, suggestion="block", number=2)

# Read, mark and claim, keep the delivery, ask, archive, commit; then drain.
CALLS = (
    ("get", "jobs"),
    ("insert", "jobs"),
    ("insert", "inbox"),
    ("query", "query"),
    ("put_new", "raw"),
    ("put_new", "versions"),
    ("update", "jobs"),
    ("get", "jobs"),
    ("get", "versions"),
    ("put", "records"),
    ("get", "jobs"),
    ("update", "jobs"),
    ("get", "jobs"),
)
# On a known job the mark is an update.
CALLS_ON_A_KNOWN_JOB = (CALLS[0], ("update", "jobs"), *CALLS[2:])

WRITES = ("insert", "update", "put", "put_new")


def faults(calls: tuple[tuple[str, str], ...]) -> Iterator[tuple[str, int, Fault]]:
    """Name every way in which each call can go wrong."""
    for number, (method, target) in enumerate(calls, start=1):
        name = f"{number} {method} {target}"
        yield f"ends before {name}", number, ENDS_BEFORE
        yield f"ends after {name}", number, ENDS_AFTER
        if method != "query":
            yield f"store away at {name}", number, UNAVAILABLE
        if method in WRITES:
            yield f"answer lost of {name}", number, ANSWER_LOST


def begin() -> World:
    """Begin with a job that only the vendor knows."""
    world = World(None)
    world.vendor.know(JOB, answer(JOB))
    return world


def begin_settled() -> World:
    """Begin with a settled job of which the vendor has changed its mind since."""
    world = begin()
    world.deliver(FIRST)
    world.vendor.know(JOB, answer(JOB, suggestion="block"))
    return world


def deliver_with(world: World, message: Message, number: int, fault: Fault) -> Faults:
    """Deliver with one fault, and again until it is taken in."""
    planned = Faults(at(number, fault))
    with suppress(Crash, StoreUnavailableError):
        world.deliver(message, world.through(planned))
    world.deliver(message)
    return planned


def end(world: World) -> Mapping[str, object]:
    """Let the timer run out; give all that must be the same whatever happened on the way."""
    world.run_until_quiet()
    row = world.row(JOB)
    assert not world.broken()
    assert world.current_record(JOB) == world.version(JOB) is not None
    names = (
        "state",
        "digest",
        "version",
        "suggestion",
        "raw_parts",
        "claimed",
        "effects",
        "due_at",
        "crashes",
    )
    return {name: row.columns.get(name) for name in names} | world.stored()


@pytest.mark.parametrize(
    ("beginning", "message", "calls"),
    [(begin, FIRST, CALLS), (begin_settled, CHANGED, CALLS_ON_A_KNOWN_JOB)],
    ids=["first", "changed"],
)
def test_these_are_the_calls_of_a_callback(
    beginning: Callable[[], World],
    message: Message,
    calls: tuple[tuple[str, str], ...],
) -> None:
    world, seen = beginning(), Faults(lambda call: None)
    world.deliver(message, world.through(seen))

    assert [(call.method, call.target.partition("/")[0]) for call in seen.calls] == list(calls)


@pytest.mark.parametrize(
    ("number", "fault"), [pytest.param(number, fault, id=name) for name, number, fault in faults(CALLS)]
)
def test_a_first_callback_ends_alike(number: int, fault: Fault) -> None:
    calm, world = begin(), begin()
    calm.deliver(FIRST)

    planned = deliver_with(world, FIRST, number, fault)

    assert end(world) == end(calm)
    assert world.inbox(FIRST, JOB) is not None
    assert len(planned.calls) >= number


@pytest.mark.parametrize(
    ("number", "fault"),
    [pytest.param(number, fault, id=name) for name, number, fault in faults(CALLS_ON_A_KNOWN_JOB)],
)
def test_a_callback_that_contradicts_a_settled_job_ends_alike(number: int, fault: Fault) -> None:
    calm, world = begin_settled(), begin_settled()
    calm.deliver(CHANGED)

    planned = deliver_with(world, CHANGED, number, fault)

    assert end(world) == end(calm)
    assert world.row(JOB).text("suggestion") == "block"
    assert world.inbox(CHANGED, JOB) is not None
    assert len(planned.calls) >= number
