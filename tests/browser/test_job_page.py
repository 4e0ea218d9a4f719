"""A finding leads to its place in the raw answer, its picture and its moment, with script and without."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from shared.pages.findings import FIRST
from tests.browser.hostile import WORDS
from tests.browser.ledger import BOX, FEW, HEIGHT, MANY, WIDTH, Shelf
from tests.browser.visiting import Visits, path_of

WIDE = "element => element.getBoundingClientRect().width"
VIEW = "svg => [svg.viewBox.baseVal.width, svg.viewBox.baseVal.height]"
SIZE = """async image => {
    const answer = await fetch(image.href.baseVal);
    const { width, height } = await createImageBitmap(await answer.blob());
    return [width, height];
}"""


@pytest.fixture(params=[True, False], ids=["script", "no-script"])
def script(request: pytest.FixtureRequest) -> bool:
    """Tell whether the browser runs script."""
    return bool(request.param)


def test_choosing_a_source_opens_its_place_in_the_raw_answer(
    visits: Visits, shelf: Shelf, script: bool
) -> None:
    page = visits.page(path_of(shelf.jobs["review"]), java_script_enabled=script)
    page.evaluate("window.is_same = true")
    text = page.locator("#findings ~ section li", has_text="spam").first
    text.locator("a[data-raw]").first.click()

    here = page.locator("#raw .here")
    expect(here).to_have_count(1)
    expect(here).to_be_in_viewport()
    expect(page.locator("#raw .tree")).to_contain_text("加微信")
    assert page.evaluate("window.is_same") is (True if script else None)
    page.go_back()
    expect(page.locator("#raw .here")).to_have_count(0)


def test_a_place_in_a_large_part_is_opened_alone(visits: Visits, shelf: Shelf, script: bool) -> None:
    page = visits.page(path_of(shelf.jobs["many"]), java_script_enabled=script)
    page.locator("ol.findings a[title='output:/1/mosaic/0']").click()

    expect(page.locator("#raw .here")).to_be_in_viewport()
    assert page.locator("#raw .tree li").count() < 200


def test_the_way_back_from_the_raw_answer_leads_to_where_one_was(visits: Visits, shelf: Shelf) -> None:
    page = visits.page(path_of(shelf.jobs["review"]), viewport={"width": 360, "height": 800})
    page.locator("ol.findings a[data-raw]").nth(8).click()
    expect(page.locator("#raw .here")).to_be_in_viewport()
    page.go_back()

    expect(page.locator("#raw .here")).to_have_count(0)
    expect(page.locator("ol.findings a[data-raw]").nth(8)).to_be_in_viewport()


def test_of_two_places_the_one_that_was_chosen_last_is_shown(visits: Visits, shelf: Shelf) -> None:
    page = visits.page(path_of(shelf.jobs["review"]), viewport={"width": 1440, "height": 900})
    held: list[Route] = []
    sources = page.locator("ol.findings a[data-raw]")
    page.route("**/*at=*", lambda route: route.continue_() if held else held.append(route))
    sources.nth(0).click()
    sources.nth(5).click()
    expect(page.locator("#raw .here")).to_have_count(1)
    chosen, address = page.locator("#raw .here").inner_text(), page.url
    with page.expect_event("requestfinished"):
        held[0].continue_()
    page.evaluate("new Promise((done) => setTimeout(done))")

    assert (page.locator("#raw .here").inner_text(), page.url) == (chosen, address)


def test_every_value_that_is_chosen_in_the_tree_opens_there(visits: Visits, shelf: Shelf) -> None:
    page = visits.page(path_of(shelf.jobs["xml"]))
    page.locator("#raw a[data-raw]").last.click()

    expect(page.locator("#raw .here")).to_be_in_viewport()


def freezes(page: Page) -> Locator:
    """Find the findings of one check."""
    return page.locator("section.group", has=page.get_by_role("heading", name="Freezes"))


def ids(group: Locator) -> set[str]:
    """Give the anchors of its findings."""
    return {str(one.get_attribute("id")) for one in group.locator("ol.findings > li").all()}


def test_every_finding_of_a_check_is_reached_page_by_page(visits: Visits, shelf: Shelf) -> None:
    page = visits.page(path_of(shelf.jobs["few"]))
    first = ids(freezes(page))
    freezes(page).locator(".more a").last.click()
    rest = ids(freezes(page))

    assert first
    assert not first & rest
    assert len(first | rest) == FEW // 2
    freezes(page).locator(".more a").first.click()
    assert first <= ids(freezes(page))


def test_findings_that_lie_beside_their_record_are_shown_with_their_check(
    visits: Visits, shelf: Shelf
) -> None:
    page = visits.page(path_of(shelf.jobs["many"]))
    assert f"{MANY:,}" in page.locator("#findings").inner_text()
    freezes(page).locator(".more a").last.click()
    assert f"{MANY // 2:,}" in freezes(page).locator(".more").inner_text()
    first = ids(freezes(page))
    freezes(page).locator(".more a").last.click()
    second = ids(freezes(page))

    assert len(first) == len(second) == len(first | second) // 2
    assert page.locator("ol.findings > li").count() < 200


def test_the_timeline_is_walked_with_arrow_keys_and_zooms(visits: Visits, shelf: Shelf) -> None:
    page = visits.page(path_of(shelf.jobs["few"]), viewport={"width": 1440, "height": 900})
    lanes = page.locator(".track .lane")
    first = lanes.nth(0).locator(".mark").first
    first.focus()
    page.keyboard.press("ArrowRight")
    expect(lanes.nth(0).locator(".mark").nth(1)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(lanes.nth(1).locator(".mark:focus")).to_have_count(1)
    page.keyboard.press("End")
    expect(lanes.nth(1).locator(".mark").last).to_be_focused()
    drawing = page.locator(".track > svg")
    narrow = drawing.evaluate(WIDE)
    for _ in range(3):
        page.keyboard.press("+")

    assert drawing.evaluate(WIDE) == pytest.approx(8 * narrow, rel=0.01)
    expect(lanes.nth(1).locator(".mark").last).to_be_in_viewport()
    # No tick may be in sight: what is, is said.
    assert page.locator("[data-range]").inner_text().count(":") == 2
    page.keyboard.press("0")
    assert drawing.evaluate(WIDE) == narrow
    # The whole timeline is one stop of the Tab key.
    page.keyboard.press("Tab")
    assert page.locator(".track :focus").count() == 0


def test_a_mark_leads_to_its_finding(visits: Visits, shelf: Shelf, script: bool) -> None:
    page = visits.page(path_of(shelf.jobs["few"]), java_script_enabled=script)
    page.locator(".track .mark").first.focus()
    page.keyboard.press("Enter")

    expect(page.locator("ol.findings li:target")).to_be_in_viewport()


def test_a_box_lies_on_the_picture_where_its_region_is_in_the_frame(visits: Visits, shelf: Shelf) -> None:
    page = visits.page(path_of(shelf.jobs["review"]))
    drawn = page.locator("ol.findings figure svg")
    picture = drawn.locator("image")

    assert _fractions(drawn.locator("rect.box"), picture) == pytest.approx(
        (BOX[0] / WIDTH, BOX[1] / HEIGHT, BOX[2] / WIDTH, BOX[3] / HEIGHT), abs=0.01
    )
    assert picture.evaluate(SIZE) == [WIDTH, HEIGHT]


def test_a_place_without_a_picture_is_drawn_in_an_empty_frame(visits: Visits, shelf: Shelf) -> None:
    page = visits.page(path_of(shelf.jobs["few"]))
    drawn = page.locator("figure.frame").first
    left, top, right, bottom = _fractions(drawn.locator("rect.box"), drawn.locator("svg"))

    # How large the frame is nobody tells: it ends where the last of the page's boxes does.
    width, height = drawn.locator("svg").evaluate(VIEW)
    assert (left, top) == pytest.approx((100 / width, 50 / height), abs=0.02)
    assert (right, bottom) == pytest.approx((180 / width, 120 / height), abs=0.02)
    assert (width, height) == (180 + FIRST - 1, 120)


def _fractions(box: Locator, frame: Locator) -> tuple[float, float, float, float]:
    """Give the corners of a box as parts of the frame that it lies in."""
    inner, outer = box.bounding_box(), frame.bounding_box()
    assert inner is not None
    assert outer is not None
    left, top = (inner["x"] - outer["x"]) / outer["width"], (inner["y"] - outer["y"]) / outer["height"]
    return left, top, left + inner["width"] / outer["width"], top + inner["height"] / outer["height"]


def test_the_keyboard_reaches_the_content_first(visits: Visits, shelf: Shelf) -> None:
    page = visits.page(path_of(shelf.jobs["review"]))
    page.keyboard.press("Tab")
    expect(page.locator("a.skip")).to_be_in_viewport()
    page.keyboard.press("Enter")

    expect(page.locator("main")).to_be_focused()


def test_a_raw_part_is_saved_and_never_opened(visits: Visits, shelf: Shelf) -> None:
    page = visits.page(path_of(shelf.jobs["quarantined"]))
    with page.expect_download() as download:
        page.locator("#raw").get_by_role("link", name="Download").click()

    assert WORDS.encode() in Path(download.value.path()).read_bytes()
