"""The crash matrices again, over OSS and Tablestore on the wire.

A callback's at every call: other stories of `tests/shared/test_crashes.py` make the same calls again. Of the
timer's run that settles, and of a delivery, every ninth case of `tests/functions/test_crashes.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from tests.faults import Fault
from tests.functions import test_crashes as functions
from tests.shared.test_crashes import cases, check_its_end
from tests.stores_on_the_wire import StoresOnTheWire, stores_on_the_wire
from tests.world import World

STORIES = (
    "a first callback",
    "a contradiction",
    "the confirming query",
    "a first callback with a picture",
    "a picture",
    "a lost callback",
)


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoresOnTheWire]:
    """Serve the stores of all cases."""
    with stores_on_the_wire(tmp_path_factory.mktemp("wire")) as wire:
        yield wire


@pytest.mark.parametrize(("name", "number", "fault"), cases(*STORIES))
def test_every_story_ends_as_in_memory_wherever_it_is_cut_off(
    wire: StoresOnTheWire, name: str, number: int, fault: Fault
) -> None:
    with wire.open() as stores:
        check_its_end(name, partial(World, None, stores=stores), number, fault)


@pytest.mark.parametrize(("nth", "fault"), [*enumerate(functions.FAULTS)])
@pytest.mark.parametrize("name", ["a run that settles", "a delivery"])
def test_every_function_ends_as_in_memory_wherever_it_is_cut_off(
    wire: StoresOnTheWire, name: str, nth: int, fault: str
) -> None:
    for call in functions.calls(name, fault)[nth::9]:
        with wire.open() as stores:
            world = functions.STORIES[name].begin(partial(World, None, stores=stores))
            functions.check_its_end(name, world, fault, call)
