"""A ledger with a job of each sort, and its pages as a browser's parser reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html.parser import HTMLParser

import pytest

from shared import bootstrap
from shared.job_row import JobRow, read_job
from shared.job_views import view_job
from shared.pages.context import ConsoleLinks, PageContext
from shared.pages.job import render_job
from shared.pages.view import TOP, JobPlace
from shared.pages.words import Language
from shared.ports import Services
from shared.settings import Settings
from tests.browser.ledger import Shelf, fill

VOID = {"meta", "link", "img", "input", "br", "hr", "base"}


class Parsed(HTMLParser):
    """A page's elements as (name, attributes), its text, and what was not closed as it was opened."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.ill: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        self.ill += self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.ill.append(f"{tag}: an attribute twice")
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.ill.append(tag)

    def handle_data(self, data: str) -> None:
        if self._open[-1:] not in (["script"], ["style"]):
            self.text += data

    def all(self, name: str) -> list[dict[str, str]]:
        """Give the attributes of every element of a name."""
        return [attributes for tag, attributes in self.elements if tag == name]

    @property
    def ids(self) -> list[str]:
        """Give every id in order."""
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """Fill a ledger once."""
    return fill(tmp_path_factory.mktemp("shelf"))


@pytest.fixture
def services(shelf: Shelf) -> Iterator[Services]:
    """Open it."""
    folder = shelf.folder
    services = bootstrap.build(
        Settings.read(
            {
                "LEDGER_OBJECTS": f"file://{folder}/archive",
                "LEDGER_TABLES": f"sqlite://{folder}/ledger.db",
                "LEDGER_CLOCK": f"{folder}/clock",
            }
        )
    )
    yield services
    bootstrap.close(services)


@pytest.fixture
def row_of(services: Services, shelf: Shelf) -> Callable[[str], JobRow]:
    """Give what reads the row of a job by what is remarkable about it."""

    def read(name: str) -> JobRow:
        row = read_job(services.ledger, shelf.jobs[name].key)
        assert row is not None
        return row

    return read


@pytest.fixture(scope="session")
def rendered() -> dict[object, Parsed]:
    """Keep pages for other tests, which only look at them."""
    return {}


@pytest.fixture
def page_of(
    services: Services, row_of: Callable[[str], JobRow], rendered: dict[object, Parsed]
) -> Callable[..., Parsed]:
    """Give what renders the page of a job and reads it."""

    def render(name: str, *, language: Language = "en", place: JobPlace = TOP) -> Parsed:
        key = name, language, place
        if key not in rendered:
            context = PageContext(language, ConsoleLinks("/desk"), services.clock.now())
            rendered[key] = Parsed(render_job(view_job(services, row_of(name), place), context, place))
        return rendered[key]

    return render
