"""Jobs are found by the form, with and without script, page by page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.ledger import QUEUED, Shelf
from tests.browser.visiting import Visits

PAGE = 50


@pytest.fixture(params=[True, False], ids=["script", "no-script"])
def jobs(request: pytest.FixtureRequest, visits: Visits) -> Page:
    """Open the list of jobs."""
    return visits.page("/jobs", java_script_enabled=request.param)


def listed(page: Page) -> set[str]:
    """Give the ids of the jobs on a page of the list."""
    return set(page.locator("table.jobs tbody th a").all_inner_texts())


def show(page: Page) -> None:
    """Send the form."""
    page.get_by_role("button", name="Show").click()


def test_fields_of_the_form_narrow_the_list_together(jobs: Page, shelf: Shelf) -> None:
    jobs.get_by_label("State").select_option("succeeded")
    jobs.get_by_label("Kind").select_option(shelf.jobs["many"].kind)
    show(jobs)
    assert listed(jobs) == {shelf.jobs[name].job_id for name in ("few", "many")}
    jobs.get_by_label("Job id").fill(shelf.jobs["few"].job_id)
    show(jobs)

    assert listed(jobs) == {shelf.jobs["few"].job_id}
    expect(jobs.get_by_label("State")).to_have_value("succeeded")
    jobs.get_by_role("link", name="Show all").click()
    assert len(listed(jobs)) == PAGE


@pytest.mark.parametrize(
    ("label", "value", "names"),
    [
        ("Label", "qrcode", []),
        ("Label", "terrorism", ["review", "hostile"]),
        ("Media id", "media-review", ["review"]),
        ("Needs a person", "drift", ["drifted"]),
        ("State", "quarantined", ["quarantined"]),
        ("Verdict", "block", ["review", "hostile", "undelivered", "drifted"]),
    ],
)
def test_a_field_alone_finds_its_jobs(
    visits: Visits, shelf: Shelf, label: str, value: str, names: list[str]
) -> None:
    page = visits.page("/jobs")
    field = page.get_by_role("search").get_by_label(label, exact=True)
    if field.evaluate("field => field.tagName") == "SELECT":
        field.select_option(value)
    else:
        field.fill(value)
    show(page)

    assert listed(page) == {shelf.jobs[name].job_id for name in names}


def test_pages_follow_each_other_without_gap_or_repetition(jobs: Page, shelf: Shelf) -> None:
    jobs.get_by_label("State").select_option("tracked")
    show(jobs)
    first = listed(jobs)
    jobs.get_by_role("link", name="Next page").click()
    second = listed(jobs)

    assert len(first) == PAGE
    assert not first & second
    assert len(first | second) == QUEUED + 1
    assert jobs.get_by_role("link", name="Next page").count() == 0
    jobs.get_by_role("link", name="First page").click()
    assert listed(jobs) == first


def test_a_tile_of_the_overview_leads_to_the_jobs_that_it_counts(visits: Visits, shelf: Shelf) -> None:
    page = visits.page("/")
    tile = page.locator(".tile a", has_text="Not delivered")
    (count,) = re.findall(r"\d+", tile.inner_text())
    tile.click()

    assert len(listed(page)) == int(count) > 0


def test_a_job_is_reached_from_its_line_and_a_label_from_its_tag(visits: Visits, shelf: Shelf) -> None:
    review = shelf.jobs["review"].job_id
    page = visits.page(f"/jobs?job_id={review}")
    page.locator("a.tag", has_text="porn").click()
    assert review in listed(page)
    page.get_by_role("link", name=review).click()

    expect(page.locator("h1")).to_have_text(review)
