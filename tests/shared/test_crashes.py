"""A process that ends at any moment: delivered again, and with the timer, the end is the same.

Every port call of receiving, settling and draining is a case of its own: the process ends before it and
after it; the store is away; a write happens and its answer is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, Protocol

import pytest

from shared import archival, archive, evidence_rows
from shared.errors import StoreUnavailableError
from shared.kinds import KINDS
from shared.kinds.findings_beside import FindingsBeside, Lines
from shared.marks import Mark, mark
from shared.ports import Parallel, Services
from shared.record import Finding, JobRecord, read_record
from shared.vendor import Part
from tests.faults import ANSWER_LOST, UNAVAILABLE, Fault, Faults, at
from tests.scripted_vendor import answer, callback
from tests.world import ENDS_AFTER, ENDS_BEFORE, KIND, BackwardParallel, Crash, World, ref

JOB = "job-1"
FIRST = callback(JOB)
CHANGED = callback(JOB, suggestion="block", number=2)
WRITES = ("insert", "insert_many", "update", "put", "put_new", "put_file")
PICTURES = ("http://oss.example/1.jpg", "http://oss.example/2.jpg")


class NewWorld(Protocol):
    """Makes an empty world; the stores that it is over are the test's to choose."""

    def __call__(self, *, parallel: Parallel | None = None) -> World:
        """Make one."""
        ...


def unseen(new_world: NewWorld) -> World:
    """Begin with a job that only the vendor knows."""
    world = new_world()
    world.vendor.know(JOB, answer(JOB))
    return world


def unseen_backwards(new_world: NewWorld) -> World:
    """Begin so, and let what may run beside each other run the last first."""
    world = new_world(parallel=BackwardParallel())
    world.vendor.know(JOB, answer(JOB))
    return world


def settled(new_world: NewWorld) -> World:
    """Begin with a settled job."""
    world = unseen(new_world)
    world.deliver(FIRST)
    return world


def changed(new_world: NewWorld) -> World:
    """Begin with a settled and drained job of which the vendor has changed its mind since."""
    world = settled(new_world)
    world.settle(JOB)
    world.vendor.know(JOB, answer(JOB, suggestion="block"))
    return world


def to_be_confirmed(new_world: NewWorld) -> World:
    """Begin with a job whose confirming query is due and brings another answer."""
    world = changed(new_world)
    world.clock.advance(world.services.policy.confirm_after)
    return world


def reviewed(new_world: NewWorld) -> World:
    """Begin with a job that only the vendor knows, and that has a picture to show."""
    world = new_world()
    world.pictures.have(*PICTURES)
    world.vendor.know(JOB, answer(JOB, pictures=PICTURES[:1]))
    return world


def reviewed_again(new_world: NewWorld) -> World:
    """Begin with a settled job of which the vendor shows another picture since."""
    world = reviewed(new_world)
    world.deliver(FIRST)
    world.settle(JOB)
    world.vendor.know(JOB, answer(JOB, suggestion="block", pictures=PICTURES))
    return world


def reviewed_and_settled(new_world: NewWorld) -> World:
    """Begin with a settled job whose picture is to be kept."""
    world = reviewed(new_world)
    world.deliver(FIRST)
    return world


def seen_by_many(new_world: NewWorld) -> World:
    """Begin with a job that only the vendor knows, and whose record has no room for a finding."""
    world = unseen(new_world)
    kind = KINDS[KIND]

    def normalize(parts: Sequence[Part], lines: Lines) -> JobRecord:
        beside = FindingsBeside(lines)
        beside.add(
            Finding(
                id="1",
                modality="video",
                check="freeze",
                label="freeze",
                canonical_label=None,
                source="answer:/x",
            )
        )
        return kind.normalize(parts).model_copy(update={"findings_more": beside.end()})

    kinds = {**KINDS, KIND: replace(kind, normalize_large=normalize)}
    world.services = replace(world.services, kinds=kinds)
    return world


def never_called_back(new_world: NewWorld) -> World:
    """Begin with a job that the timer settled, and whose callback has had its time."""
    world = unseen(new_world)
    mark(world.services, Mark(ref(JOB), by="test", is_notification=False))
    world.clock.advance(world.services.policy.lease)
    world.settle(JOB)
    world.vendor.know(JOB, answer(JOB))
    world.clock.advance(world.services.policy.confirm_after)
    world.settle(JOB)
    world.clock.advance(world.services.policy.callback_grace - world.services.policy.confirm_after)
    return world


def first_callback(world: World, services: Services) -> None:
    """Deliver the first callback."""
    world.deliver(FIRST, services)


def contradiction(world: World, services: Services) -> None:
    """Deliver one that says something else than the record."""
    world.deliver(CHANGED, services)


def archivist(world: World, services: Services) -> None:
    """Do what is done for the job when it is handed over to `archive`."""
    archival.keep_evidence_of(services, [ref(JOB).key])


def timer(world: World, services: Services) -> None:
    """Let the timer get to the job."""
    world.settle(JOB, services)


in_memory: NewWorld = partial(World, None)


@dataclass(frozen=True)
class Story:
    """What is tried with a crash, and the port calls that it makes without one."""

    begin: Callable[[NewWorld], World]
    act: Callable[[World, Services], None]
    calls: str


# Read, mark and claim, keep the delivery beside asking, archive, commit.
STORIES = {
    "a first callback": Story(
        unseen,
        first_callback,
        "get jobs, insert jobs, insert inbox, query query, put_new raw, put_new versions, update jobs",
    ),
    "a first callback, backwards": Story(
        unseen_backwards,
        first_callback,
        "get jobs, insert jobs, query query, put_new versions, put_new raw, update jobs, insert inbox",
    ),
    "a contradiction": Story(
        changed,
        contradiction,
        "get jobs, update jobs, insert inbox, query query, get versions, put_new raw, put_new versions,"
        " update jobs",
    ),
    "the record": Story(
        settled,
        timer,
        "get jobs, get jobs, get records, get versions, put records, get jobs, insert_many lookups,"
        " update jobs, get jobs",
    ),
    "the confirming query": Story(
        to_be_confirmed,
        timer,
        "get jobs, update jobs, query query, get versions, put_new raw, put_new versions, update jobs,"
        " get jobs, get records, get versions, put records, get jobs, insert_many lookups, update jobs,"
        " get jobs",
    ),
    "a first callback with a picture": Story(
        reviewed,
        first_callback,
        "get jobs, insert jobs, insert inbox, query query, put_new raw, put_new versions,"
        " insert_many evidence, update jobs",
    ),
    "a contradiction with another picture": Story(
        reviewed_again,
        contradiction,
        "get jobs, update jobs, insert inbox, query query, get versions, put_new raw, put_new versions,"
        " under evidence, insert_many evidence, update evidence, update jobs",
    ),
    "a picture": Story(
        reviewed_and_settled,
        archivist,
        "under evidence, download http:, put_file evidence, update evidence, get jobs, under evidence,"
        " get evidence, put evidence, get jobs, under evidence, get evidence",
    ),
    "a first callback with findings beside the record": Story(
        seen_by_many,
        first_callback,
        "get jobs, insert jobs, insert inbox, query query, put_new raw, put_new versions, put_file versions,"
        " update jobs",
    ),
    "a lost callback": Story(
        never_called_back, timer, "get jobs, get jobs, insert_many lookups, update jobs, get jobs"
    ),
}


def faults(story: Story) -> Iterator[tuple[str, int, Fault]]:
    """Name every way in which each call can go wrong."""
    for number, call in enumerate(story.calls.split(", "), start=1):
        method, _ = call.split()
        yield f"ends before {number} {call}", number, ENDS_BEFORE
        yield f"ends after {number} {call}", number, ENDS_AFTER
        if method not in ("query", "download"):
            yield f"store away at {number} {call}", number, UNAVAILABLE
        if method in WRITES:
            yield f"answer lost of {number} {call}", number, ANSWER_LOST


def end(world: World) -> Mapping[str, object]:
    """Let the timer run out; give all that must be the same whatever happened on the way."""
    world.run_until_quiet()
    row = world.row(JOB)
    assert not world.broken()
    assert world.current_record(JOB) == world.version(JOB) is not None
    names = ("state", "digest", "version", "suggestion", "raw_parts", "claimed", "effects", "due_at")
    counts = ("crashes", "lost_callback", "drifts", "evidence")
    kept = {
        one.id: (one.status, one.sha256, one.digests)
        for one in evidence_rows.read_all(world.ledger, row.key).values()
    }
    objects = world.stored()
    more = read_record(world.version(JOB) or b"").findings_more
    assert more is None or archive.findings_key(row.ref, more) in objects
    manifest = objects.pop(archive.manifest_key(row.ref), None)
    assert (manifest is not None) == bool(kept)
    return {name: row.columns.get(name) for name in (*names, *counts)} | {"kept": kept} | objects


@pytest.mark.parametrize("name", STORIES)
def test_these_are_the_calls_of_each_story(name: str) -> None:
    story, seen = STORIES[name], Faults(lambda call: None)
    world = story.begin(in_memory)
    story.act(world, world.through(seen))

    assert ", ".join(f"{one.method} {one.target.partition('/')[0]}" for one in seen.calls) == story.calls


def cases(*names: str) -> list[Any]:
    """Give the parameters of every way in which these stories can be cut off."""
    return [
        pytest.param(name, number, fault, id=f"{name} {what}")
        for name in names
        for what, number, fault in faults(STORIES[name])
    ]


@cache
def ended_calmly(name: str) -> Mapping[str, object]:
    """Give what comes of a story that nothing cuts off."""
    world = STORIES[name].begin(in_memory)
    STORIES[name].act(world, world.services)
    return end(world)


def check_its_end(name: str, new_world: NewWorld, number: int, fault: Fault) -> None:
    """Cut a story off at a call, let it run again, and compare."""
    story = STORIES[name]
    world, planned = story.begin(new_world), Faults(at(number, fault))
    with suppress(Crash, StoreUnavailableError):
        story.act(world, world.through(planned))
    story.act(world, world.services)

    assert end(world) == ended_calmly(name)
    assert len(planned.calls) >= number
    for message, act in ((FIRST, first_callback), (CHANGED, contradiction)):
        assert story.act is not act or world.inbox(message, JOB) is not None


@pytest.mark.parametrize(("name", "number", "fault"), cases(*STORIES))
def test_every_story_ends_alike_wherever_it_is_cut_off(name: str, number: int, fault: Fault) -> None:
    check_its_end(name, in_memory, number, fault)
