"""Every page loads whole, runs nothing that strangers wrote, and can be read by everybody at every size."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.accessibility import violations
from tests.browser.hostile import MARK
from tests.browser.ledger import Shelf
from tests.browser.visiting import Visits, path_of
from tests.canaries import found_in

PHONE, TABLET, DESK = 360, 768, 1440
JOBS = [
    *("review", "hostile", "made", "failed", "few", "many", "xml"),
    *("incomplete", "undelivered", "drifted", "running", "tracked", "unknown", "quarantined"),
]
LISTS = ["/", "/jobs", "/jobs?needs=any", "/jobs?state=succeeded&label=nothing-has-this"]
# Enough for people to judge the design; the others are like one of these.
SHOWN = ["/", "/jobs", "review", "hostile", "few", "quarantined"]

_PICTURES = """() => Promise.all([...document.images].map(image => {
    image.loading = "eager";
    return image.decode().then(() => image.naturalWidth, () => `broken: ${image.src}`);
}))"""
# Marks that turn the direction of writing: they would show another text than was written.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_WIDTH = "document.documentElement.scrollWidth"


def path(shelf: Shelf, name: str) -> str:
    """Give the path of a job by its name on the shelf, or a path as it is."""
    return path_of(shelf.jobs[name]) if name in shelf.jobs else name


@pytest.fixture(params=[*LISTS, *JOBS])
def name(request: pytest.FixtureRequest) -> str:
    """Name a page."""
    return str(request.param)


def test_a_page_is_whole_and_readable_by_everybody(
    visits: Visits, shelf: Shelf, keep: Callable[[Page, str], None], name: str
) -> None:
    page = visits.page(path(shelf, name), viewport={"width": DESK, "height": 900}, color_scheme="light")

    assert violations(page) == []
    assert all(isinstance(width, int) and width > 0 for width in page.evaluate(_PICTURES))
    assert page.evaluate(f"window.{MARK}") is None
    assert found_in(page.content().encode()) == set()
    assert page.locator("main style, main script, main base, main meta, main link, main iframe").count() == 0
    for width in (DESK, TABLET, PHONE):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(_WIDTH) <= width
        if name in SHOWN:
            keep(page, f"{_file(name)}-{width}")
    page.emulate_media(color_scheme="dark")
    assert violations(page, "color-contrast") == []
    if name in SHOWN:
        keep(page, f"{_file(name)}-{PHONE}-dark")


def _file(name: str) -> str:
    return name.strip("/") or "overview"


@pytest.mark.parametrize(
    ("path", "status"), [("/jobs/no.such.job", 404), ("/jobs?state=gone", 400), ("/no", 404)]
)
def test_an_error_is_a_page_too(visits: Visits, path: str, status: int) -> None:
    page = visits.page()
    visits.watch(page).wanted.add(status)
    answer = page.goto(path)

    assert answer is not None
    assert answer.status == status
    assert page.locator("main h1").count() == 1
    assert violations(page) == []


@pytest.mark.parametrize("name", ["/", "/jobs", "review", "quarantined"])
def test_a_page_speaks_the_language_that_the_browser_asks_for(
    visits: Visits, shelf: Shelf, keep: Callable[[Page, str], None], name: str
) -> None:
    page = visits.page(path(shelf, name), locale="zh-CN", viewport={"width": DESK, "height": 900})

    assert page.get_attribute("html", "lang") == "zh-CN"
    assert "概览" in page.locator("header nav").inner_text()
    assert violations(page, "valid-lang", "html-has-lang", "page-has-heading-one") == []
    keep(page, f"{_file(name)}-{DESK}-zh")
    page.set_viewport_size({"width": PHONE, "height": 900})
    assert page.evaluate(_WIDTH) <= PHONE


def test_a_language_that_was_chosen_stays(visits: Visits) -> None:
    page = visits.page("/", locale="zh-CN")
    page.get_by_role("link", name="English").click()
    page.get_by_role("navigation").get_by_role("link", name="Jobs").click()

    assert page.get_attribute("html", "lang") == "en"
    page.get_by_role("button", name="Show").click()
    assert page.get_attribute("html", "lang") == "en"


def test_words_of_strangers_are_shown_as_they_were_written(visits: Visits, shelf: Shelf) -> None:
    page = visits.page(path(shelf, "hostile"))

    assert page.locator("h1").inner_text() == shelf.jobs["hostile"].job_id
    assert "{{7*7}}" in page.locator("main").inner_text()
    assert page.locator("main a[href^='javascript:' i]").count() == 0
    assert not _TURNING.search(page.content())
