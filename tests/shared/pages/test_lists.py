"""The list and the overview show what was read, say what to do about it, and lead on."""

from __future__ import annotations

import json
import re
from datetime import date
from html import unescape
from typing import Any, get_args

import pytest

from shared import attention
from shared.job_filter import Filter
from shared.job_row import JobRow
from shared.jobs import State
from shared.listings import Listing
from shared.overview import Count, Overview, Slack
from shared.pages.context import ConsoleLinks, PageContext
from shared.pages.error import TOLD, render_error
from shared.pages.list import COMMANDS, render_list
from shared.pages.overview import render_overview
from shared.pages.words import LANGUAGES, Language, catalogue
from tests.world import START, job_row

KINDS = ("vod.media_audit", "mts.production")
HOSTILE = "<script>alert(1)</script>"
DAY = date(2025, 11, 20)
EVERY = Filter()
UNDELIVERED = {
    "target": "desk",
    "version": 1,
    "digest": "d",
    "since": START,
    "attempts": 3,
    "reason": "HTTP 410",
}


def context(language: Language = "en", chosen: Language | None = None) -> PageContext:
    """Look at a page at noon."""
    return PageContext(language, ConsoleLinks(".", chosen), START)


def text_of(html: str) -> str:
    """Give what a page says, in one line."""
    body = re.sub(r"<(style|script)\b.*?</\1>", "", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def listed(*rows: JobRow, wanted: Filter = EVERY, **more: Any) -> str:
    """Write a list of these jobs."""
    listing = Listing(rows, more.pop("after", None), 50, more.pop("unreadable", ()))
    return render_list(wanted, listing, context(), kinds=KINDS, is_later=bool(more.get("is_later")))


def counted(**changes: Any) -> Overview:
    """Make an overview of a quiet day."""
    quiet: dict[str, Any] = {
        "now": START,
        "day": DAY,
        "jobs": Count(0),
        "by_state": dict.fromkeys((state.value for state in State), 0),
        "by_verdict": {},
        "by_kind": {},
        "lost_callbacks": Count(0),
        "due": Count(0),
        "oldest_due_at": None,
        "attention": Count(0),
        "by_need": dict.fromkeys(attention.REASONS, 0),
        "evidence": Count(0),
        "by_slack": dict.fromkeys(get_args(Slack), 0),
    }
    return Overview(**{**quiet, **changes})


def test_a_line_tells_of_a_job_and_leads_to_it_and_to_those_like_it() -> None:
    row = job_row(State.SUCCEEDED, suggestion="block", labels="porn,ad", media_id="m-1", first_seen_at=START)
    html = listed(row)

    assert "job-1 VOD automated review" in text_of(html)
    assert "2025-11-20 12:00:00 UTC" in text_of(html)
    assert {f"./jobs/{row.key}", "./jobs?label=porn", "./jobs?label=ad", "./jobs?media_id=m-1"} <= set(
        re.findall(r'href="([^"]+)"', html)
    )


def test_only_so_many_labels_are_shown() -> None:
    html = listed(job_row(State.SUCCEEDED, labels="a,b,c,d,e,f"))

    assert "and 2 more" in text_of(html)


@pytest.mark.parametrize(
    ("columns", "reason", "told"),
    [
        ({"state": "quarantined", "reason": "no JSON"}, "quarantined", "no JSON"),
        ({"state": "unknown", "reason": "not found"}, "unknown", "not found"),
        ({"drifts": 1, "drift": "pass, not block"}, "drift", "pass, not block"),
        ({"at_risk": 1}, "evidence", "Pictures are not kept yet"),
        ({"undelivered": json.dumps([UNDELIVERED])}, "undelivered", "desk: HTTP 410"),
    ],
)
def test_who_needs_a_person_says_why_and_what_to_do(
    columns: dict[str, str | int], reason: attention.Reason, told: str
) -> None:
    state = State(columns.pop("state", "succeeded"))
    html = listed(job_row(state, **columns), wanted=Filter(needs="any"))

    assert told in text_of(html)
    assert COMMANDS[reason].format(job="vod.media_audit/job-1") in text_of(html)


def test_a_filter_stays_in_the_form_and_in_the_pages_that_follow() -> None:
    wanted = Filter(state=State.FAILED, verdict="odd", label='"x"', day=DAY, lost_callback=True)
    html = listed(wanted=wanted, after="cursor", is_later=True)
    selected = re.findall(r'<option value="([^"]*)" selected', html)
    (following,) = re.findall(r'href="([^"]+)" rel="next"', html)

    assert selected == ["failed", "odd"]
    assert 'value="&#34;x&#34;"' in html
    assert 'value="2025-11-20"' in html
    assert re.search(r'name="lost_callback"[^>]* checked', html)
    assert all(
        part in following for part in ("state=failed", "label=%22x%22", "lost_callback=1", "after=cursor")
    )
    assert "First page" in text_of(html)


def test_a_chosen_language_is_sent_with_the_form() -> None:
    page = context("zh", "zh")
    html = render_list(Filter(), Listing((), None, 0), page, kinds=KINDS, is_later=False)

    assert '<input type="hidden" name="lang" value="zh">' in html


@pytest.mark.parametrize(("after", "says"), [(None, "No job matches."), ("more", "go to the next page.")])
def test_an_empty_page_tells_whether_there_may_be_more(after: str | None, says: str) -> None:
    assert says in text_of(listed(after=after))


def test_jobs_whose_rows_cannot_be_read_are_named() -> None:
    said = text_of(listed(unreadable=("ff.vod.media_audit.x",)))

    assert "1 job has a row that cannot be read" in said
    assert "ff.vod.media_audit.x" in said


def test_what_strangers_wrote_stays_text() -> None:
    row = job_row(
        State.QUARANTINED,
        labels=HOSTILE,
        media_id=HOSTILE,
        suggestion=HOSTILE,
        reason=f"{HOSTILE} token=canary",
    )
    html = listed(row, wanted=Filter(needs="any", verdict=HOSTILE))

    assert "<script" not in html
    assert "canary" not in html


def test_no_address_on_a_page_holds_what_is_masked_in_its_text() -> None:
    signed = "https://x.example/1.mp4?Signature=canary"
    row = job_row(State.SUCCEEDED, labels=f"porn,{signed}", media_id=signed, suggestion=signed)
    html = listed(row)
    numbers = counted(by_verdict={"block": 1, signed: 1})

    assert "https://x.example/1.mp4?***" in html
    assert "./jobs?label=porn" in html
    assert "canary" not in html + render_overview(numbers, Listing((row,), None, 1), context())


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_overview_of_a_quiet_day_says_so(language: Language) -> None:
    html = render_overview(counted(), Listing((), None, 0), context(language))

    assert catalogue(language)["overview.none_needs"] in text_of(html)
    assert html.count('<tr>\n<th scope="row">') == len(State)


def test_an_overview_of_a_bad_day_leads_to_what_is_wrong() -> None:
    numbers = counted(
        jobs=Count(10_000, at_least=True),
        by_state={**dict.fromkeys((state.value for state in State), 0), "succeeded": 900, "failed": 100},
        by_verdict={"block": 7, HOSTILE: 1},
        by_kind={"vod.media_audit": 1_000},
        lost_callbacks=Count(2),
        due=Count(3),
        oldest_due_at=START - 15 * 60_000,
        attention=Count(1),
        by_need={**dict.fromkeys(attention.REASONS, 0), "quarantined": 1},
        evidence=Count(4),
        by_slack={**dict.fromkeys(get_args(Slack), 0), "1 day": 4},
    )
    html = render_overview(numbers, Listing((job_row(State.QUARANTINED),), None, 1), context())
    said, links = text_of(html), set(map(unescape, re.findall(r'href="([^"]+)"', html)))

    assert "Jobs that need a person: 1." in said
    assert "10,000 or more" in said
    assert "15 min" in said
    assert "media-ledger release vod.media_audit/job-1" in said
    assert "<script" not in html
    assert links >= {
        "./jobs?needs=quarantined",
        "./jobs?day=2025-11-20&lost_callback=1",
        "./jobs?state=failed&day=2025-11-20",
        "./jobs?verdict=block&day=2025-11-20",
        "./jobs?kind=vod.media_audit&day=2025-11-20",
    }
    # The longest bar of a chart is as long as can be, and the others are in proportion.
    assert re.findall(r'class="fill tone-\w+" width="(\d+)"', html)[:4] == ["0", "0", "1000", "111"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("status", [*sorted(TOLD), 418, 500, 502])
def test_every_error_has_words_of_its_own_or_those_of_any_other(status: int, language: Language) -> None:
    name = status if status in TOLD else 500
    said = text_of(render_error(status, f"{HOSTILE} token=canary", context(language), is_in=True))

    assert catalogue(language)[f"error.{name}"] in said
    assert catalogue(language)[f"error.{name}.do"] in said
    assert "canary" not in said


def test_who_is_not_let_in_is_shown_no_way_on() -> None:
    html = render_error(401, None, context(), is_in=False)

    assert re.findall(r"<(?:link|nav)\b", html) == []
