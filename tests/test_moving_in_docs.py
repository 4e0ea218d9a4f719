"""`docs/moving-in.md` and `docs/drift.md`, held against the code."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from cli.importing import COUNTED
from cli.unknown_words import What
from shared import drift
from shared.rechecking import Sample
from tests.scripted_targets import plan_to
from tests.scripted_vendor import answer, callback
from tests.world import World

DOCS = Path(__file__).parent.parent / "docs"
MOVING_IN, DRIFT = ((DOCS / f"{name}.md").read_text(encoding="utf-8") for name in ("moving-in", "drift"))


def words(text: str, heading: str) -> list[str]:
    """Give the words in code of the first column of the table under a heading row."""
    table = text.partition(f"| {heading} |")[2].partition("\n\n")[0]
    cells = [line.split("|")[1] for line in table.splitlines()[2:]]
    return [word for cell in cells for word in re.findall(r"`([^`]+)`", cell)]


def test_everything_that_an_import_says_is_explained() -> None:
    assert words(MOVING_IN, "it says") == [name.replace("_", " ") for name in COUNTED]


@pytest.mark.parametrize(
    ("heading", "known"), [("type", drift.WHAT), ("what", get_args(What))], ids=["drift", "unmapped"]
)
def test_every_type_is_explained(heading: str, known: tuple[str, ...]) -> None:
    assert sorted(words(DRIFT, heading)) == sorted(known)


def test_the_payload_of_the_page_is_that_of_the_template() -> None:
    (payload,) = re.findall(r'`(\{"recheck": .*?\})`', DRIFT)
    template = (DOCS.parent / "template.yml").read_text(encoding="utf-8")

    assert f"payload: '{payload}'" in template
    assert "twenty settled jobs of the last week" in DRIFT
    assert payload == f'{{"recheck": {{"jobs": {Sample(20, 7).jobs}, "days": {Sample(20, 7).days}}}}}'


def test_in_the_shadow_nobody_is_told_and_after_the_cut_over_only_of_what_comes_then() -> None:
    world = World(None)
    world.vendor.know("before", answer("before"))
    world.vendor.know("after", answer("after"))
    world.deliver(callback("before"))
    shadow = world.row("before")

    telling = replace(world.services.policy, delivery=plan_to("publisher"))
    world.services = replace(world.services, policy=telling)
    world.deliver(callback("after"))
    world.run_until_quiet()

    assert shadow.outbox == ()
    assert world.row("before").outbox == ()
    assert [event["data"]["job_id"] for event in world.targets.events("publisher")] == ["after"]
