"""A browser and a console for all tests of a process, and a watch over each visit."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.ledger import Shelf, fill
from tests.browser.visiting import NAME, PATIENCE_MS, Console, Visits, served, started

FOLDER = Path(__file__).parent
SCREENSHOTS = FOLDER.parents[1] / "build" / "screenshots"
expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run these tests last: Playwright's event loop stays open in the process, and others run theirs."""
    items.sort(key=lambda item: item.path.is_relative_to(FOLDER))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Chromium; where there is none, nothing is run, unless the environment needs it."""
    executable = shutil.which(NAME)
    if executable is None:
        if "NEEDS_CHROMIUM" in os.environ:
            pytest.fail(f"{NAME} is missing: apt-get install {NAME}", pytrace=False)
        pytest.skip(f"not run: no {NAME}")
    with started(executable) as browser:
        yield browser


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """Fill a ledger with a job of each sort."""
    return fill(tmp_path_factory.mktemp("shelf"))


@pytest.fixture(scope="session")
def console(shelf: Shelf) -> Iterator[Console]:
    """Serve its pages."""
    with served(shelf.folder) as console:
        yield console


@pytest.fixture
def visits(browser: Browser, console: Console) -> Iterator[Visits]:
    """Give what opens pages; the test fails when anything goes wrong on one of them."""
    visits = Visits(browser, console)
    yield visits
    assert visits.end() == []


@pytest.fixture
def keep() -> Callable[[Page, str], None]:
    """Give what keeps a picture of a page, for people to look at."""

    def take(page: Page, name: str) -> None:
        page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    return take
