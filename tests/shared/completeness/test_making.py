"""The whole report: what it says needs a person, what it keeps, and the page that people read."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from cli.schema import path, schema_text
from shared.completeness.making import keep, make_report, run_name
from shared.completeness.page import page
from shared.completeness.report import CompletenessReport, report_bytes
from shared.jobs import JobRef, State
from tests.shared.completeness.conftest import DAY, WINDOW, found, seen
from tests.world import START, World, ref

HOSTILE = "<script>alert('x')</script>&\"媒"


class Tags(HTMLParser):
    """Collects tags, their attributes and text; void elements are those of the page."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, str]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.seen += [(tag, name) for name, _ in attrs] or [(tag, "")]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Check that tags are closed in order."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text += data


def parsed(text: str) -> Tags:
    tags = Tags()
    tags.feed(text)
    tags.close()
    assert tags.open == []
    return tags


def made(world: World, **more: object) -> CompletenessReport:
    return make_report(world.services, WINDOW, run="run-1", **more)  # type: ignore[arg-type]  # any option


def settled(world: World) -> None:
    world.put(seen("job-1"))
    world.objects.put(f"raw/{ref('job-1').path}/1.json", b"{}", content_type="application/json")


def test_a_world_in_order_needs_nobody(world: World) -> None:
    settled(world)

    report = made(world, submitted={"list": [ref("job-1")]})

    assert (report.needs_person, report.jobs, report.warnings) == (False, 1, ())
    assert "Every job is accounted for" in page(report)


@pytest.mark.parametrize("state", [State.QUARANTINED, State.UNKNOWN])
def test_a_job_that_nothing_brings_forward_needs_a_person(world: World, state: State) -> None:
    settled(world)
    world.put(seen("job-2", state))

    assert made(world).needs_person


def test_a_job_missing_from_the_ledger_needs_a_person(world: World) -> None:
    settled(world)

    assert made(world, submitted={"list": [ref("job-1"), ref("lost")]}).needs_person


def test_jobs_that_the_vendor_keeps_not_knowing_need_a_person_though_their_verdict_is_held_back(
    world: World,
) -> None:
    settled(world)
    for number in range(20):
        world.put(seen(f"lost-{number}", State.TRACKED, not_found_since=START - 3 * 86_400_000))

    assert made(world).needs_person


def test_a_line_that_nobody_could_read_needs_a_person_and_is_in_the_report(world: World) -> None:
    settled(world)

    report = made(world, submitted={"list": [ref("job-1")]}, unreadable={"list": ["list:3: not JSON"]})

    (source,) = [one for one in report.sources if one.name == "list"]
    assert found(source) == {"unreadable_lines": ("list:3: not JSON",)}
    assert report.needs_person
    assert "list:3: not JSON" in page(report)


def test_a_waiting_job_needs_nobody_while_the_timer_runs(world: World) -> None:
    settled(world)
    world.put(seen("job-2", State.RUNNING))

    assert not made(world).needs_person
    world.clock.advance(3_600_000)
    assert made(world).needs_person


def test_an_empty_ledger_is_a_warning_and_no_zero(world: World) -> None:
    report = made(world, submitted={"list": []})

    assert not report.needs_person
    assert len(report.warnings) == 3
    assert "not everything could be proven" in page(report)


def test_sources_that_were_not_asked_or_cannot_be_are_named(world: World) -> None:
    statuses = {source.name: source.status for source in made(world).sources}

    assert (statuses["submit list"], statuses["VOD ListJobInfo"]) == ("not_asked", "not_asked")
    assert [*statuses.values()].count("not_listable") == 3


def test_two_reports_of_the_same_rows_are_the_same(world: World) -> None:
    settled(world)

    assert report_bytes(made(world)) == report_bytes(made(world))


def test_a_report_is_kept_as_json_and_as_a_page(world: World) -> None:
    settled(world)
    report = made(world)

    keys = keep(world.services, report)

    assert keys == tuple(f"reports/completeness/{DAY}/run-1.{form}" for form in ("json", "html"))
    assert CompletenessReport.model_validate_json(world.stored()[keys[0]]) == report
    assert world.stored()[keys[1]].decode() == page(report)


def test_two_runs_of_one_second_have_two_names() -> None:
    assert run_name(START, 1) == "120000Z-00000001"
    assert run_name(START, 2) != run_name(START, 1)


def test_the_published_schema_is_the_one_that_is_used() -> None:
    """When this fails: `python -m cli.schema`, and read the difference as a reader of reports would."""
    assert path("completeness-1").read_text(encoding="utf-8") == schema_text("completeness-1")


def test_every_field_is_written_null_or_not(world: World) -> None:
    settled(world)

    document = json.loads(report_bytes(made(world)))

    assert set(document) == set(json.loads(schema_text("completeness-1"))["required"])
    assert document["oldest_waiting"] is None


def test_the_page_loads_nothing_and_runs_nothing(world: World) -> None:
    settled(world)

    text = page(made(world))

    tags = parsed(text)
    assert {tag for tag, _ in tags.seen} & {"script", "link", "img", "iframe", "object", "form", "a"} == set()
    assert {name for _, name in tags.seen} & {"src", "href", "style"} == set()
    assert re.findall(r"https?:|@import|url\(", text) == []


def test_a_strangers_text_stays_text_on_the_page(world: World) -> None:
    job = JobRef("vod.media_audit", HOSTILE)
    world.put(seen(job, State.QUARANTINED, reason=HOSTILE, vendor_status=HOSTILE, first_seen_by=HOSTILE))
    world.objects.put("raw/<script>/x/y", b"", content_type="text/plain")

    text = page(made(world, submitted={HOSTILE: [JobRef("vod.media_audit", "<b>")]}))

    tags = parsed(text)
    assert "script" not in {tag for tag, _ in tags.seen}
    assert tags.text.count(HOSTILE) >= 3


def test_what_needs_a_person_stands_first_with_what_helps(world: World) -> None:
    settled(world)
    world.put(seen("stuck", State.QUARANTINED))

    text = parsed(page(made(world))).text

    assert text.index("A person is needed") < text.index("media-ledger release") < text.index("in one bucket")
    assert "stuck" in text
