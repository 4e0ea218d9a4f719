"""The pages about the toolkit, held against it: examples are run, and print what `docs/toolkit.md` shows."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from shared.toolkit import configure_logging

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "toolkit.md"
TOOLKIT = ROOT / "shared" / "toolkit"
TEXT = PAGE.read_text(encoding="utf-8")
_EXAMPLE = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<output>.*?)^```\n)?", re.M | re.S)
_QUERY = re.compile(r"^```sql\n(.*?)^```\n", re.M | re.S)


class Example(NamedTuple):
    section: str
    line: int
    code: str
    output: str | None


def examples() -> Iterator[Example]:
    for found in _EXAMPLE.finditer(TEXT):
        before = TEXT[: found.start("code")]
        section = re.findall(r"^## (.+)$", before, re.MULTILINE)[-1]
        yield Example(section, before.count("\n"), found["code"], found["output"])


EXAMPLES = list(examples())


@pytest.fixture(autouse=True)
def _levels_are_given_back() -> Iterator[None]:
    """Undo what an example's `DebugLines` does to its loggers."""
    yield
    configure_logging(stream=io.StringIO())


@pytest.mark.parametrize("example", EXAMPLES, ids=[f"{each.section}, line {each.line}" for each in EXAMPLES])
def test_an_example_prints_what_the_page_shows(example: Example, capsys: pytest.CaptureFixture[str]) -> None:
    printed = run(example, capsys)

    assert example.output, "an example shows what it prints"
    for line, shown in zip(printed.splitlines(), whole_lines(example.output), strict=True):
        assert re.fullmatch(re.escape(shown).replace(r"\.\.\.", ".*"), line), f"{shown}\nis not\n{line}"


def test_every_utility_has_an_example() -> None:
    """So has every section but the last two, and the list at the top of the page names them all."""
    listed = re.findall(r"\[([^]]+)\]\(#", TEXT.partition("## ")[0])
    sections = re.findall(r"^## (.+)$", TEXT, re.MULTILINE)

    assert len(listed) == len(sections)
    assert list(dict.fromkeys(example.section for example in EXAMPLES)) == sections[:-2] == listed[:-2]


@pytest.mark.parametrize("query", _QUERY.findall(TEXT))
def test_a_query_finds_its_members_in_the_line_that_the_example_prints(
    query: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = [each for each in EXAMPLES if each.section == "Metrics"]
    line = run(example, capsys)
    of_line, of_metrics = members(json.loads(line)), members(json.loads(line)["metrics"])
    asked = re.findall(r"json_extract(?:_scalar)?\((message|metric), '\$\.([\w.]+)'\)", query)
    named = re.findall(r"'\$\.metric'\) = '(\w+)'", query)
    searched = re.findall(r"^(\w+) \| SELECT", query, re.MULTILINE)

    assert asked
    assert {path for place, path in asked if place == "message"} <= of_line
    assert {path for place, path in asked if place == "metric"} <= of_metrics
    assert all(f'"metric": "{name}"' in line for name in named)
    assert len(searched) == 1
    assert f'"{searched[0]}"' in line


def test_the_readme_tells_of_every_module() -> None:
    readme = (TOOLKIT / "README.md").read_text(encoding="utf-8")
    modules = {path.stem for path in TOOLKIT.glob("[a-z]*.py")}

    told = readme.partition("## What is in it\n")[2].partition("## ")[0]
    assert modules <= set(re.findall(r"`(\w+)`", told))


def run(example: Example, capsys: pytest.CaptureFixture[str]) -> str:
    """Run an example in a namespace of its own, and give what it printed."""
    source = "\n" * example.line + example.code  # so that a traceback shows the line of the page
    exec(compile(source, str(PAGE), "exec", dont_inherit=True), {"__name__": "example"})
    return capsys.readouterr().out


def whole_lines(shown: str) -> list[str]:
    """Join what the page breaks: a line that goes on begins with a blank."""
    return shown.replace("\n ", " ").splitlines()


def members(value: object, path: str = "") -> set[str]:
    """Name every member, and those within, as a JSON path without its root."""
    if isinstance(value, list):
        return {name for each in value for name in members(each, path)}
    if not isinstance(value, dict):
        return {path}
    return {path} | {
        name for key, each in value.items() for name in members(each, f"{path}.{key}".strip("."))
    }
