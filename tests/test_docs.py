"""Pages that speak of the code, held against it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = "function-compute|media-jobs|query-apis|tablestore-oss|local-servers|style"
CITATION = re.compile(rf"({PAGES})\.md,? ([0-9]+[a-z]?(?:\.[0-9]+)?)")
CITING = ("shared", "functions", "localcloud", "cli", "tests", "events", "template.yml")


def citing_files() -> Iterator[Path]:
    for name in CITING:
        path = ROOT / name
        found = [path] if path.is_file() else path.rglob("*")
        yield from (one for one in found if one.suffix in (".py", ".md", ".yml"))


def listed() -> set[tuple[str, str]]:
    """Give every (page, section) in the first columns of `docs/sources.md`."""
    text = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| ([a-z-]+)\.md ([^|]+) \|", text, re.MULTILINE)
    return {(page, section.strip()) for page, sections in cells for section in sections.split(",")}


def test_every_citation_in_the_code_is_listed_with_its_source() -> None:
    cited = {found for path in citing_files() for found in CITATION.findall(path.read_text(encoding="utf-8"))}

    assert cited - listed() == set()
