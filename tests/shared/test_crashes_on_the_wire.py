"""The crash matrix of a callback again, over OSS and Tablestore on the wire.

At every call of these stories. The others of `tests/shared/test_crashes.py` make the same calls again; those
of the timer's runs and of deliveries, some thousand cases, are over the stores in memory alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from tests.faults import Fault
from tests.shared.test_crashes import cases, check_its_end
from tests.stores_on_the_wire import StoresOnTheWire, stores_on_the_wire
from tests.world import World

STORIES = ("a first callback", "a contradiction", "the confirming query", "a lost callback")


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
