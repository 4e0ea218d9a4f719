"""Pages that speak of the code, held against it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from cli.main import app
from shared.completeness.buckets import BUCKETS

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
# A page, and the sections that are named with it, if any; `quirk N` is a row of docs/quirks.md.
CITATION = re.compile(
    r"(?<![\w/.-])([a-z][a-z-]*)\.md\b(?!,?\s+quirk)"
    r"(?:,?\s+((?:(?:, | and )?\b[0-9]+[a-z]?(?:\.[0-9]+)?\b)+))?"
)
# A relative link: a file or folder, and the heading in it, if any.
LINK = re.compile(r"\]\(((?!https?:)[^)\s]+)\)")
OTHER_PAGES = ("README.md", "CHANGELOG.md", "events/README.md", "shared/toolkit/README.md")
PAGES = [*sorted(DOCS.glob("*.md")), *(ROOT / name for name in OTHER_PAGES)]
CITING = ("shared", "functions", "localcloud", "cli", "tests", "events", "benchmarks", "template.yml")


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def citing_files() -> Iterator[Path]:
    for name in CITING:
        path = ROOT / name
        found = [path] if path.is_file() else path.rglob("*")
        yield from (
            one for one in found if one.suffix in (".py", ".md", ".yml") and "node_modules" not in one.parts
        )


def cited(text: str) -> set[tuple[str, str]]:
    """Give every (page, section) of the fact sheets that a text names; without a section, it is empty."""
    found = [one for one in CITATION.findall(text) if not (DOCS / f"{one[0]}.md").exists()]
    return {(sheet, section) for sheet, sections in found for section in re.split(", | and ", sections)}


def listed() -> set[tuple[str, str]]:
    """Give every (page, section) in the first columns of `docs/sources.md`."""
    cells = re.findall(r"^\| ([a-z-]+)\.md ([^|]*)\|", page("docs/sources.md"), re.MULTILINE)
    return {(sheet, section.strip()) for sheet, sections in cells for section in sections.split(",")}


def rights(text: str) -> set[str]:
    return set(re.findall(r"`((?:oss|ots):\w+)`", text))


def linked(name: str) -> set[str]:
    """Give the pages of `docs/` that a page links to, one by one and through each other."""
    seen: set[str] = set()
    to_read = [name]
    while to_read:
        links = re.findall(r"\]\((?:docs/)?(README\.md|[a-z-]+\.md)[)#]", page(to_read.pop()))
        new = {f"docs/{link}" for link in links} - seen
        seen |= new
        to_read += sorted(new)
    return seen


def leads(page_with_it: Path, link: str) -> bool:
    """Tell whether a link's file is there, and has its heading."""
    name, _, anchor = link.partition("#")
    target = (page_with_it.parent / name).resolve() if name else page_with_it
    if not anchor:
        return target.exists()
    text = re.sub(r"^```.*?^```", "", target.read_text(encoding="utf-8"), flags=re.M | re.S)
    return anchor in {heading_anchor(one) for one in re.findall(r"^#+ (.+)$", text, re.M)}


def heading_anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-")


def test_every_citation_in_the_code_is_listed_with_its_source() -> None:
    named = {found for path in citing_files() for found in cited(path.read_text(encoding="utf-8"))}

    assert named - listed() == set()


def test_a_citation_is_known_with_and_without_sections() -> None:
    text = """(cold-start.md), (media-jobs.md 1.1, 2), function-compute.md
    2.2 and 4a, sources.md 3"""

    assert cited(text) == {
        ("cold-start", ""),
        ("media-jobs", "1.1"),
        ("media-jobs", "2"),
        ("function-compute", "2.2"),
        ("function-compute", "4a"),
    }


def test_what_init_needs_is_the_same_on_both_pages() -> None:
    (row,) = re.findall(r"^\| `init` \|.*$", page("docs/deploy.md"), re.MULTILINE)
    (told,) = re.findall(r"^`init` creates .*?Its key needs (.*?)\n\n", page("docs/settings.md"), re.M | re.S)

    assert "oss:GetBucketVersioning" in rights(told)
    assert rights(row) == rights(told)


def test_the_buckets_of_a_report_are_told_in_their_order() -> None:
    table = page("docs/completeness.md").partition("| bucket |")[2].partition("\n\n")[0]

    assert re.findall(r"^\| \**(\w+)\** \|", table, re.MULTILINE) == [
        "corrupt",
        *(one.name for one in BUCKETS),
    ]


def test_every_command_is_in_the_changelog() -> None:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    told = re.findall(r"^- Command line `media-ledger`: (.*?)\.$", page("CHANGELOG.md"), re.M | re.S)

    assert set(re.findall(r"`([a-z-]+)`", "".join(told))) == set(group.commands)


def test_every_page_is_reached_from_the_readme() -> None:
    assert {f"docs/{path.name}" for path in DOCS.glob("*.md")} - linked("README.md") == set()


def test_the_index_names_every_page() -> None:
    named = set(re.findall(r"\]\(([a-z-]+\.md)\)", page("docs/README.md")))

    assert named == {path.name for path in DOCS.glob("*.md")} - {"README.md"}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    broken = [link for link in LINK.findall(path.read_text(encoding="utf-8")) if not leads(path, link)]

    assert broken == []
