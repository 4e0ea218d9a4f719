"""The page of a job: what is on it for jobs of each sort, and that it is a sound document."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.pages.view import JobPlace
from shared.pages.words import LANGUAGES, Language
from tests.browser.ledger import FEW, MANY, Shelf
from tests.shared.pages.conftest import Parsed

PageOf = Callable[..., Parsed]
NAMES = (
    *("unknown", "incomplete", "undelivered", "drifted", "review", "hostile", "xml", "made", "failed"),
    *("few", "many", "running", "quarantined", "tracked"),
)


@pytest.fixture
def page(request: pytest.FixtureRequest, page_of: PageOf) -> Parsed:
    return page_of(request.param)


every_job = pytest.mark.parametrize("page", NAMES, indirect=True)


@every_job
def test_a_page_is_well_formed_and_each_id_stands_once(page: Parsed) -> None:
    assert page.ill == []
    assert sorted(page.ids) == sorted(set(page.ids))


@every_job
def test_nothing_on_a_page_needs_a_laxer_policy(page: Parsed) -> None:
    inside = [name for _, its in page.elements for name in its if name == "style" or name.startswith("on")]
    scripts = [its for its in page.all("script") if not its.get("src", "").startswith("/desk/static/")]

    assert (inside, scripts, page.all("style"), page.all("base"), page.all("iframe")) == ([], [], [], [], [])


@every_job
def test_every_reference_on_a_page_leads_somewhere(page: Parsed) -> None:
    fragments = [its["href"][1:] for its in page.all("a") if its["href"].startswith("#")]
    named = [name for _, its in page.elements for name in its.get("aria-labelledby", "").split()]

    assert {*fragments, *named} - set(page.ids) == set()


@every_job
def test_every_link_stays_in_the_console(page: Parsed) -> None:
    addresses = [
        its.get("href") or its.get("src") or "" for tag, its in page.elements if {"href", "src"} & its.keys()
    ]

    assert [one for one in addresses if not one.startswith(("#", "/desk/"))] == []


@every_job
def test_headings_are_in_order(page: Parsed) -> None:
    levels = [int(tag[1]) for tag, _ in page.elements if tag in ("h1", "h2", "h3", "h4")]

    assert levels.count(1) == 1 == levels[0]
    assert all(after <= before + 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_says_its_language(page_of: PageOf, language: Language) -> None:
    page = page_of("review", language=language)

    assert page.all("html") == [{"lang": {"en": "en", "zh": "zh-CN"}[language]}]
    assert {"en": "Verdict", "zh": "审核结论"}[language] in page.text


def test_a_finding_is_told_in_our_words_and_the_vendors_with_its_place(page_of: PageOf) -> None:
    text = " ".join(page_of("review").text.split())

    assert "Sexually suggestive sexual.suggestive vendor: sexy" in text
    assert "Verdict of each module" in text


def test_what_flagged_a_job_stands_before_all_else_and_leads_to_its_finding(page_of: PageOf) -> None:
    page = page_of("review")
    text = " ".join(page.text.split())

    why = text[: text.index("What to know first")]
    assert "block Advertising QR code advertising.qr_code vendor: qrcode 100 (0-100) 00:00.500" in why
    assert "review Terrorism and politics Weapon" in why
    assert why.index("block Text and speech") < why.index("review Terrorism")


def test_a_verdict_that_no_finding_explains_is_said(page_of: PageOf) -> None:
    assert "The answer names no finding that explains this verdict." in page_of("drifted").text


def test_a_failure_without_a_reason_is_said(page_of: PageOf) -> None:
    text = page_of("failed").text

    assert "No reason for the failure was recognised in the answer." in text
    assert "Findings" not in text


def test_a_job_without_a_verdict_has_a_result(page_of: PageOf) -> None:
    text = page_of("made").text

    assert ("Result" in text, "Verdict" in text, "Findings" in text) == (True, False, False)


def test_a_value_leads_to_its_place_in_the_raw_answer(page_of: PageOf) -> None:
    links = [its["href"] for its in page_of("review").all("a") if its.get("class") == "source"]
    at = parse_qs(urlsplit(links[0]).query)["at"][0]

    page = page_of("review", place=JobPlace(at=at))

    assert (urlsplit(links[0]).fragment, "here" in page.ids) == ("here", True)


def test_a_place_that_is_not_there_is_said(page_of: PageOf) -> None:
    page = page_of("review", place=JobPlace(at="answer:/Nothing/<b>"))

    assert "Nothing stands at answer:/Nothing/<b>" in " ".join(page.text.split())


def test_an_xml_answer_is_shown_as_the_tree_that_addresses_lead_into(page_of: PageOf) -> None:
    assert "The answer is XML" in page_of("xml").text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("unknown", "The vendor does not know this job."),
        ("incomplete", "The vendor calls it finished, but gave no result."),
        ("undelivered", "A target never took a version:"),
        ("drifted", "A later answer or callback differed from the record"),
        ("running", "It is not finished."),
        ("tracked", "It is not finished."),
        ("quarantined", "Nobody could read the vendor's answer"),
        ("few", "Its callback never came"),
    ],
)
def test_what_is_remarkable_about_a_job_stands_on_its_page(page_of: PageOf, name: str, said: str) -> None:
    assert said in page_of(name).text


def test_what_could_not_be_read_is_shown_as_it_came(page_of: PageOf) -> None:
    assert "502 Bad Gateway" in page_of("quarantined").text


def test_hostile_text_is_text(page_of: PageOf) -> None:
    page = page_of("hostile")

    assert "<script>window.ran=1</script>" in page.text
    assert "{{7*7}}" in page.text
    assert {"srcdoc", "onerror", "onload", "onfocus"} & {
        name for _, its in page.elements for name in its
    } == set()
    assert [its for its in page.all("a") if its["href"].startswith("javascript:")] == []


def test_no_query_of_a_signed_address_is_on_a_page(page_of: PageOf) -> None:
    for name in ("review", "hostile"):
        page = page_of(name, place=JobPlace(at="answer:"))
        assert "Signature=" not in page.text.replace("Signature=***", "")


def test_a_page_of_many_findings_is_hardly_larger_than_one_of_few(page_of: PageOf) -> None:
    few, many = page_of("few"), page_of("many")

    assert len(many.elements) < 1.5 * len(few.elements)
    assert f"{MANY:,} findings" in many.text
    assert f"{FEW} findings" in few.text


def test_a_group_is_shown_whole_page_by_page(page_of: PageOf) -> None:
    page = page_of("many", place=JobPlace(check="freeze", start=50))

    shown = [name for name in page.ids if name.startswith("f-")]
    assert f"51\u2013100 of {MANY // 2:,}" in page.text
    assert len(shown) >= 50
    addresses = [its["href"] for its in page.all("a") if "check=freeze&from=" in its["href"]]
    assert {"/desk/jobs/", "from=0", "from=100"} <= {
        part for one in addresses for part in ("/desk/jobs/", "from=0", "from=100") if part in one
    }


def test_places_in_the_raw_answer_keep_the_page_of_a_group(page_of: PageOf) -> None:
    page = page_of("many", place=JobPlace(check="freeze", start=50))

    links = [its["href"] for its in page.all("a") if its.get("class") == "source"]
    assert all("check=freeze&from=50" in one for one in links)


def test_a_page_that_there_is_not_is_the_first(page_of: PageOf) -> None:
    for place in (JobPlace(check="freeze", start=10**6), JobPlace(check="freeze", start=-1)):
        assert f"1\u201350 of {MANY // 2:,}" in page_of("many", place=place).text


def test_every_mark_says_what_it_is(page_of: PageOf) -> None:
    marks = [its for its in page_of("many").all("a") if its.get("class", "").startswith("mark")]

    assert marks
    assert all(its["aria-label"].startswith("00:") or ":" in its["aria-label"] for its in marks)


def test_places_in_the_frame_are_drawn(page_of: PageOf) -> None:
    assert [its for its in page_of("few").all("rect") if its.get("class") == "box"]


def test_what_a_job_made_is_listed(page_of: PageOf, shelf: Shelf) -> None:
    page = page_of("made")

    assert "outputs" in page.ids
    assert shelf.jobs["made"].job_id in page.text
