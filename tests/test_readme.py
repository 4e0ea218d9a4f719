"""The README's tables are what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from localcloud.template import read_template
from shared.jobs import TRANSITIONS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")

EDGES = {(before.value if before else None, after.value) for before, s in TRANSITIONS.items() for after in s}


def rows(heading: str) -> list[list[str]]:
    """Give the cells of the first table under a heading, without its head."""
    section = README.partition(f" {heading}\n")[2]
    table = re.search(r"\|[^\n]+\n\|[-|]+\n((?:\|[^\n]+\n)+)", section)
    assert table
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[1].splitlines()]


def test_the_state_table_is_the_transition_table() -> None:
    told = {(re.sub(r"\(none\)|`", "", a) or None, b.strip("`")) for a, b, _ in rows("States of a job")}

    assert told == EDGES


def test_the_diagram_shows_the_transition_table() -> None:
    drawn = re.findall(r"^ +(\S+) --> (\S+)$", README, re.MULTILINE)

    assert {(None if a == "[*]" else a, b) for a, b in drawn} == EDGES


def test_the_table_of_functions_is_the_template() -> None:
    told = {(name.strip("`"), handler.strip("`")) for name, _, handler, _ in rows("Functions")}
    functions = read_template(ROOT / "template.yml").functions

    assert told == {(name, spec.handler) for name, spec in functions.items()}
