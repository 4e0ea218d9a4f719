"""The page of quirks, held against the tests that it names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "quirks.md").read_text(encoding="utf-8")
ROWS = [(int(number), row) for number, row in re.findall(r"^\| ([0-9]+) \| (.+) \|$", PAGE, re.MULTILINE)]
QUIRKS = PAGE.partition("\n## Examples")[0]  # what comes after tells of pages, not of quirks

NAMED_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
NAMED_CASE = re.compile(r"`(tests/data/answers/[\w.]+/[\w-]+)`")
# "Quirk 9: ...", "Quirks 54, 55 and 56."
CLAIM = re.compile(r"Quirks? ([0-9]+(?:(?:, | and )[0-9]+)*)")
MARKDOWN_ESCAPE = re.compile(r"\\[_*{}\[\]]")


def functions_of(path: Path) -> Iterator[ast.FunctionDef]:
    """Give the test functions of a module, without importing it."""
    for node in ast.parse(path.read_bytes()).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node


def claims() -> Iterator[tuple[int, str]]:
    """Give every (quirk, test) for which the test says in its docstring that it shows the quirk."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for test in functions_of(path):
            found = CLAIM.match(ast.get_docstring(test) or "")
            for number in re.findall("[0-9]+", found[1]) if found else ():
                yield int(number), f"`{path.relative_to(ROOT).as_posix()}::{test.name}`"


def test_every_quirk_has_one_row() -> None:
    assert [number for number, _ in ROWS] == list(range(1, 67))


@pytest.mark.parametrize(
    "row", re.findall(r"^\| (?!#|what ).+ \|$", QUIRKS, re.MULTILINE), ids=lambda row: row[2:30]
)
def test_every_row_ends_in_a_test(row: str) -> None:
    assert NAMED_TEST.search(row.rstrip(" |").rpartition(" | ")[2])


@pytest.mark.parametrize("path", sorted({path for path, _ in NAMED_TEST.findall(PAGE)}))
def test_every_named_test_exists(path: str) -> None:
    named = {name for at, name in NAMED_TEST.findall(PAGE) if at == path}

    assert named - {test.name for test in functions_of(ROOT / path)} == set()


@pytest.mark.parametrize("case", sorted(set(NAMED_CASE.findall(PAGE))))
def test_every_named_case_has_an_answer_and_its_record(case: str) -> None:
    assert {path.name for path in (ROOT / case).iterdir()} >= {"answer.json", "record.json"}


def test_every_test_that_claims_to_show_a_quirk_is_in_its_row() -> None:
    rows, claimed = dict(ROWS), set(claims())

    assert claimed
    assert {(number, name) for number, name in claimed if name not in rows[number]} == set()


def test_no_recorded_answer_holds_a_markdown_escape() -> None:
    """Quirk 64: the pages write `\\_` and `\\{` where answers have `_` and `{`."""
    recorded = [
        path
        for name in ("answer.json", "answer.xml", "output.txt")
        for path in (ROOT / "tests" / "data" / "answers").glob(f"*/*/{name}")
    ]

    escaped = [path for path in recorded if MARKDOWN_ESCAPE.search(path.read_text(encoding="utf-8"))]
    assert len(recorded) > 100
    assert escaped == []
