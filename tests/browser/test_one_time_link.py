"""The link that `media-ledger console` prints lets one browser in, once, to what a demonstration left."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.visiting import COMMAND, Console, Visits, console_command


@pytest.fixture(scope="module")
def link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Play the demonstration, and look at what it left."""
    folder = tmp_path_factory.mktemp("demonstration") / "shown"
    subprocess.run([*COMMAND, "demo", "--json", "--dir", str(folder)], check=True, stdout=subprocess.DEVNULL)
    with console_command(folder) as link:
        yield link


@pytest.fixture
def visits(browser: Browser, link: str) -> Iterator[Visits]:
    """Give what opens pages of that console for strangers."""
    visits = Visits(browser, Console(f"http://{urlsplit(link).netloc}"))
    yield visits
    assert visits.end() == []


def test_the_link_opens_the_demonstration_for_one_browser_alone(visits: Visits, link: str) -> None:
    page = visits.stranger()
    page.goto(link)
    expect(page.locator("h1")).to_have_text("Overview")
    assert urlsplit(page.url).path == "/"
    (cookie,) = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert cookie["value"] not in page.content()

    other = visits.stranger()
    visits.watch(other).wanted |= {401, 403}
    refused = other.goto(link)
    assert refused is not None
    assert refused.status == 403
    assert "media-ledger console" in other.locator("main").inner_text()
    denied = other.goto("/jobs")
    assert denied is not None
    assert denied.status == 401
    assert other.locator("table").count() == 0

    _look_around(page)


def _look_around(page: Page) -> None:
    """Follow whoever looks from the overview to a verdict, its picture and its place in the raw answer."""
    page.get_by_role("navigation").get_by_role("link", name="Jobs").click()
    page.get_by_label("Verdict").select_option("block")
    page.get_by_role("button", name="Show").click()
    page.locator("table.jobs tbody th a").first.click()
    picture = page.locator("main img").first
    picture.scroll_into_view_if_needed()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    page.locator("ol.findings a[data-raw]").first.click()
    expect(page.locator("#raw .here")).to_be_in_viewport()
