"""The record that a settled job has, for a later answer to be held against."""

from __future__ import annotations

import pytest

from shared import archive
from tests.scripted_vendor import answer
from tests.shared.test_sending import JOB, revise, world_with
from tests.world import ref


@pytest.mark.parametrize("stored", [None, b"{"])
def test_a_new_version_needs_no_present_one_that_can_be_read(stored: bytes | None) -> None:
    world = world_with("a")
    key = archive.version_key(ref(JOB), world.row(JOB).text("digest") or "")
    if stored is None:
        world.objects.remove(key)
    else:
        world.objects.put(key, stored, content_type="application/json")
    revise(world)
    row = world.row(JOB)

    assert (row.text("suggestion"), row.count("version"), row.count("drifts")) == ("block", 2, 0)
    assert list(world.stored("raw/").values()) == [answer(JOB), answer(JOB, suggestion="block")]
    assert world.broken() == []
