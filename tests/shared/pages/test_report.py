"""The report of a job: one file that holds all it shows, and that no script and no network is needed for."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from shared.job_row import JobRow, StoredPart
from shared.job_views import view_whole_job
from shared.pages.report import render_report
from shared.pages.static_files import policy_hash
from shared.pages.view import RawPart
from shared.ports import Services
from tests.browser.ledger import MANY
from tests.shared.pages.conftest import Parsed
from tests.shared.pages.test_job_page import NAMES

RowOf = Callable[[str], JobRow]
MEGABYTE = 1_000_000


@pytest.fixture
def report_of(services: Services, row_of: RowOf) -> Callable[..., str]:
    """Give what writes the report of a job."""

    def write(name: str, *, picture_bytes: int = MEGABYTE) -> str:
        view = view_whole_job(services, row_of(name), picture_bytes=picture_bytes)
        return render_report(view, "en", services.clock.now())

    return write


@pytest.mark.parametrize("name", [name for name in NAMES if name != "many"])
def test_a_report_refers_to_nothing_outside_of_itself(report_of: Callable[..., str], name: str) -> None:
    page = Parsed(report_of(name))

    addresses = [its[one] for _, its in page.elements for one in ("href", "src") if one in its]
    assert [one for one in addresses if not one.startswith(("#", "data:image/"))] == []
    assert {one[1:] for one in addresses if one.startswith("#")} - set(page.ids) == set()
    assert (page.ill, sorted(page.ids)) == ([], sorted(set(page.ids)))


def test_its_policy_allows_its_own_style_and_script_and_nothing_else(report_of: Callable[..., str]) -> None:
    text = report_of("hostile")

    style = text.partition("<style>")[2].partition("</style>")[0]
    script = text.rpartition("<script>")[2].partition("</script>")[0]
    (policy,) = [its["content"] for its in Parsed(text).all("meta") if "http-equiv" in its]
    assert policy == (
        f"default-src 'none'; style-src {policy_hash(style)}; script-src {policy_hash(script)};"
        " img-src data:; base-uri 'none'; form-action 'none'"
    )


def test_pictures_are_in_it_as_far_as_there_is_room(report_of: Callable[..., str]) -> None:
    whole, none = Parsed(report_of("review")), Parsed(report_of("review", picture_bytes=0))

    assert whole.all("img")
    assert none.all("img") == []
    assert "too large for this file" in none.text


def test_all_findings_are_in_it(report_of: Callable[..., str]) -> None:
    page = Parsed(report_of("many"))

    addresses = [its["href"] for its in page.all("a")]
    assert {one[1:] for one in addresses} - set(page.ids) == set()
    assert sum(name.startswith("f-") for name in page.ids) > MANY // 2
    assert "stored beside the record" not in page.text


def test_a_value_leads_to_its_line_of_the_raw_answer(report_of: Callable[..., str]) -> None:
    page = Parsed(report_of("review"))

    links = [its for its in page.all("a") if its.get("class") == "source"]
    assert links
    assert all(its["href"].startswith("#raw-") for its in links)


def test_of_a_large_answer_it_shows_the_places_that_findings_point_at(
    services: Services, row_of: RowOf
) -> None:
    view = view_whole_job(services, row_of("review"), picture_bytes=0)
    (part,) = view.parts
    assert isinstance(part.tree, dict)
    large = replace(part, tree={**part.tree, "More": ["x"] * 10_000})

    text = render_report(replace(view, parts=(large,)), "en", 0)

    page = Parsed(text)
    assert "Too large to show whole" in page.text
    assert [its for its in page.all("a") if its.get("href", "").startswith("#raw-")]
    assert len(text) < MEGABYTE


def test_parts_that_cannot_be_shown_are_named(services: Services, row_of: RowOf) -> None:
    view = view_whole_job(services, row_of("review"), picture_bytes=0)
    parts = (
        RawPart(StoredPart("answer", "json", "raw/large.json"), "large", 10**9),
        RawPart(StoredPart("output", "txt", "raw/gone.txt"), "gone", None),
    )

    text = Parsed(render_report(replace(view, parts=parts), "en", 0)).text

    assert "Too large to open on a page." in text
    assert "It is gone from the archive." in text
    assert json.dumps(["raw/large.json" in text, "raw/gone.txt" in text]) == "[true, true]"
