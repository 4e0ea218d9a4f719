"""A run over many jobs is one run, however often it is interrupted, and whoever works on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date

import pytest

from shared.errors import ContendedError, ParseError
from shared.policy import DAY, MINUTE
from shared.ports import Services
from shared.replay.run import Run, Work, one_after_the_other, run
from shared.replay.selection import Batch, Cursor, Selection, batches
from shared.replay.tally import Tally
from tests.newer_kinds import suggesting, with_normalizer
from tests.scripted_vendor import answer, callback
from tests.world import KIND, START, Crash, World

TODAY = date(2025, 11, 20)
ALL = Selection((KIND,), first=date(2025, 11, 1))
NEWER = with_normalizer(KIND, suggesting("review"))


def world_of(jobs: int) -> World:
    """Begin with so many settled jobs, ten each day."""
    world = World(None)
    for number in range(jobs):
        name = f"job-{number}"
        world.vendor.know(name, answer(name))
        world.deliver(callback(name))
        world.settle(name)
        if number % 10 == 9:
            world.clock.advance(DAY)
    return world


def newer(world: World) -> Services:
    return replace(world.services, kinds=NEWER)


def replayed(world: World, selection: Selection = ALL, *, until: int | None = None) -> Run:
    services = newer(world)
    return run(services, selection, one_after_the_other(services, deliver=False), deliver=False, until=until)


def versions(world: World, jobs: int) -> list[int]:
    return [world.row(f"job-{number}").count("normalizer_version") for number in range(jobs)]


def test_every_job_is_replayed_once() -> None:
    world = world_of(40)
    done = replayed(world)

    assert (done.tally.outcomes, done.ended, done.resumed) == ({"moved": 40}, True, False)
    assert versions(world, 40) == [2] * 40
    assert replayed(world).tally.outcomes == {"unchanged": 40}
    assert world.broken() == []


@pytest.mark.parametrize(
    ("selection", "jobs"),
    [
        (Selection((KIND,)), 40),
        (Selection(("ice.production",)), 0),
        (Selection((KIND,), date(2025, 11, 21)), 30),
        (Selection((KIND,), date(2025, 11, 21), date(2025, 11, 22)), 20),
    ],
)
def test_a_selection_has_the_jobs_of_its_kinds_and_days(selection: Selection, jobs: int) -> None:
    assert replayed(world_of(40), selection).tally.jobs == jobs


def test_shards_divide_a_selection() -> None:
    world = world_of(40)
    keys = [
        [key for batch in batches(world.services, shard) for key in batch.keys] for shard in ALL.shards(3)
    ]

    assert sum(map(len, keys)) == len(set().union(*keys)) == 40
    assert all(keys)


def stopping(services: Services, after: int) -> Work:
    """Do so many batches, then end without a word."""

    def work(chosen: Iterable[Batch]) -> Iterator[tuple[Batch, Tally]]:
        for number, one in enumerate(one_after_the_other(services, deliver=False)(chosen)):
            if number == after:
                raise Crash
            yield one

    return work


@pytest.mark.parametrize("after", [0, 1, 5, 20])
def test_a_run_that_was_interrupted_goes_on_where_it_stopped(after: int) -> None:
    world = world_of(40)
    services = newer(world)
    with pytest.raises(Crash):
        run(services, ALL, stopping(services, after), deliver=False)
    before = len(world.ledger.writes)
    done = replayed(world)

    assert (done.tally.jobs, done.ended, done.resumed) == (40, True, after > 0)
    assert versions(world, 40) == [2] * 40
    assert len(world.ledger.writes) - before <= 2 * 40
    assert replayed(world).resumed is False


def test_a_run_that_was_interrupted_goes_on_the_next_day_and_takes_that_in() -> None:
    world = world_of(40)
    services = newer(world)
    with pytest.raises(Crash):
        run(services, ALL, stopping(services, 3), deliver=False)
    world.clock.advance(3 * DAY)
    world.vendor.know("job-40", answer("job-40"))
    world.deliver(callback("job-40"))
    world.settle("job-40")

    assert replayed(world).tally.jobs == 41


def test_a_run_ends_when_its_time_is_over_and_has_done_something() -> None:
    world = world_of(40)
    turns = [replayed(world, until=0)]
    while not turns[-1].ended:
        turns.append(replayed(world, until=0))

    assert turns[-1].tally.jobs == 40
    assert len(turns) > 10


def test_nobody_works_on_what_another_run_holds() -> None:
    world = world_of(5)
    services = newer(world)
    seen: list[str] = []

    def work(chosen: Iterable[Batch]) -> Iterator[tuple[Batch, Tally]]:
        for one in one_after_the_other(services, deliver=False)(chosen):
            with pytest.raises(ContendedError, match="another run replays these jobs"):
                replayed(world)
            seen.append("held")
            yield one

    run(services, ALL, work, deliver=False)
    assert seen


def test_a_run_that_was_taken_over_ends() -> None:
    world = world_of(5)
    services = newer(world)

    def work(chosen: Iterable[Batch]) -> Iterator[tuple[Batch, Tally]]:
        for one in one_after_the_other(services, deliver=False)(chosen):
            world.clock.advance(6 * MINUTE)
            assert replayed(world).ended
            yield one

    with pytest.raises(ContendedError, match="took over"):
        run(services, ALL, work, deliver=False)


def test_another_normalizer_another_selection_and_delivering_are_other_runs() -> None:
    names = {
        ALL.name(kinds, deliver=deliver)
        for kinds in (NEWER, with_normalizer(KIND, suggesting("pass"), version=3))
        for deliver in (True, False)
    }

    assert len(names) == 4
    assert ALL.name(NEWER, deliver=True) not in {one.name(NEWER, deliver=True) for one in ALL.shards(2)}


@pytest.mark.parametrize("text", ["{}", "[]", '{"place": ["2025-11-20"], "after": null}', "1"])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        Cursor.read(text)


@pytest.mark.parametrize(
    "tree", [{}, {"outcomes": {"settled": 1}, "problems": []}, {"outcomes": [], "problems": 1}]
)
def test_what_no_replay_has_counted_is_refused(tree: dict[str, object]) -> None:
    with pytest.raises(ParseError):
        Tally.read(tree)


def test_the_present_day_is_where_an_open_selection_ends() -> None:
    places = list(Selection((KIND,), TODAY).places(START))

    assert {day for day, _ in places} == {"2025-11-20", "2025-11-21"}
    assert places == sorted(places)
