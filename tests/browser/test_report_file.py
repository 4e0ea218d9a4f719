"""The report of a job is one file: it opens offline, shows all of the job, runs nothing foreign, prints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import violations
from tests.browser.conftest import SCREENSHOTS
from tests.browser.hostile import MARK
from tests.browser.ledger import Shelf
from tests.browser.visiting import Visits
from tests.canaries import found_in
from tests.cli.conftest import Shell

FILE = "file://"


def report(shelf: Shelf, name: str, *options: str) -> Path:
    """Write the report of a job."""
    file = shelf.folder / f"{name}.html"
    shell = Shell(shelf.folder, {"LEDGER_CLOCK": str(shelf.folder / "clock")})
    written = shell.run(
        "report-job", shelf.jobs[name].key, "-o", str(file), "--dir", str(shelf.folder), *options
    )
    assert written.exit_code == 0, written.output
    return file


@pytest.mark.parametrize("name", ["review", "hostile", "few", "quarantined"])
def test_a_report_is_whole_without_anything_beside_it(
    visits: Visits, shelf: Shelf, keep: Callable[[Page, str], None], name: str
) -> None:
    file = report(shelf, name)
    page = visits.stranger(origin=FILE, offline=True, viewport={"width": 1440, "height": 900})
    page.goto(file.as_uri())

    assert visits.watch(page).asked[0] == file.as_uri()
    assert {url.partition(":")[0] for url in visits.watch(page).asked[1:]} <= {"data"}
    assert violations(page) == []
    assert page.evaluate(f"window.{MARK}") is None
    assert found_in(file.read_bytes()) == set()
    assert page.locator("img").count() > 0 or name != "review"
    page.set_viewport_size({"width": 360, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    keep(page, f"report-{name}-360")


def test_a_report_reads_without_script_and_its_places_are_links_in_it(visits: Visits, shelf: Shelf) -> None:
    file = report(shelf, "review", "--lang", "zh")
    page = visits.stranger(origin=FILE, offline=True, java_script_enabled=False)
    page.goto(file.as_uri())
    page.locator("ol.findings a[data-raw]").first.click()

    assert page.get_attribute("html", "lang") == "zh-CN"
    expect(page.locator("#raw li:target")).to_be_in_viewport()


def test_a_report_prints_on_a_few_pages_of_paper_without_what_only_a_screen_can_do(
    visits: Visits, shelf: Shelf
) -> None:
    page = visits.stranger(origin=FILE, offline=True)
    page.goto(report(shelf, "review").as_uri())
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size({"width": 718, "height": 1040})  # A4 between Chromium's own margins

    assert page.evaluate("document.documentElement.scrollWidth") <= 718
    expect(page.locator("[data-zoom]")).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") in (
        "rgb(255, 255, 255)",
        "rgba(0, 0, 0, 0)",
    )
    paper = page.pdf(path=SCREENSHOTS / "report-review.pdf", format="A4")
    assert 1 <= paper.count(b"/Type /Page\n") <= 12
