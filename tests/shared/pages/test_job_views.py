"""What is read for the page of a job: as much as it shows; and what is gone or strange is said."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared import archive, job_views
from shared.errors import ObjectNotFoundError
from shared.evidence import EvidenceRow
from shared.job_row import JobRow
from shared.job_views import view_job, view_whole_job
from shared.pages.context import ConsoleLinks, PageContext
from shared.pages.findings import groups
from shared.pages.job import boxes_of, frame_of, render_job
from shared.pages.timeline import timeline
from shared.pages.view import JobPlace, JobView
from shared.ports import ObjectInfo, Services
from shared.record import VendorError, finding_line
from tests.browser.ledger import HEIGHT, MANY, WIDTH
from tests.shared.pages.conftest import Parsed

RowOf = Callable[[str], JobRow]
PIECES = (b"null", b"[]", b"{}", b"-1", b'"x"', b"1e400", b"NaN", b"],", b"},", b'},{"canonical_label":')


class Shelves:
    """An archive from which some objects are gone, or hold something else."""

    def __init__(self, services: Services, gone: str = "", other: dict[str, bytes] | None = None) -> None:
        self._objects, self._gone, self._other = services.objects, gone, other or {}
        self.read: list[str] = []

    def get(self, key: str) -> bytes:
        """See `ObjectStore.get`."""
        self._check(key)
        self.read.append(key)
        return self._other.get(key) or self._objects.get(key)

    def info(self, key: str) -> ObjectInfo:
        """See `ObjectReads.info`."""
        self._check(key)
        return self._objects.info(key)

    def chunks(self, key: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """See `ObjectReads.chunks`."""
        self._check(key)
        return self._objects.chunks(key, start=start, end=end)

    def _check(self, key: str) -> None:
        if self._gone and key.startswith(self._gone):
            raise ObjectNotFoundError("no object stands there", key=key)

    def __getattr__(self, name: str) -> object:
        return getattr(self._objects, name)


def without(services: Services, folder: str) -> Services:
    return replace(services, objects=Shelves(services, folder))  # type: ignore[arg-type]  # `__getattr__` has the rest


def page(view: JobView) -> Parsed:
    return Parsed(render_job(view, PageContext("en", ConsoleLinks(""), 0)))


def test_a_record_that_is_gone_is_said(services: Services, row_of: RowOf) -> None:
    view = view_job(without(services, "versions/"), row_of("review"))

    assert (view.record, view.trouble) == (None, "gone")
    assert "Its record is gone from the archive." in page(view).text


def test_a_record_that_cannot_be_read_is_said(services: Services, row_of: RowOf) -> None:
    row = row_of("review")
    other = {archive.version_key(row.ref, row.text("digest") or ""): b'{"schema_version": 99}'}
    stores = replace(services, objects=Shelves(services, other=other))  # type: ignore[arg-type]  # as above

    view = view_job(stores, row)

    assert view.trouble == "unreadable"
    assert "This version cannot read its record." in page(view).text


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.parametrize("name", ["few", "many"])
def test_whatever_became_of_the_bytes_of_findings_there_is_a_page(
    services: Services, row_of: RowOf, name: str, data: st.DataObject
) -> None:
    row = row_of(name)
    record = view_job(services, row).record
    assert record is not None
    more = record.findings_more
    key = (
        archive.findings_key(row.ref, more)
        if more
        else archive.version_key(row.ref, row.text("digest") or "")
    )
    spoilt = bytearray(services.objects.get(key)[:20_000])
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(spoilt)))
        new = data.draw(st.sampled_from(PIECES) | st.binary(max_size=5))
        spoilt[at : at + data.draw(st.integers(0, 40))] = new
    stores = replace(services, objects=Shelves(services, other={key: bytes(spoilt)}))  # type: ignore[arg-type]  # as above

    view = view_job(stores, row)

    assert view.trouble in (None, "unreadable")
    assert (view.record is None) == (view.trouble is not None)
    assert "<main" in render_job(view, PageContext("en", ConsoleLinks(""), 0))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_a_stored_finding_says_there_is_a_page(
    services: Services, row_of: RowOf, data: st.DataObject
) -> None:
    row = row_of("few")
    key = archive.version_key(row.ref, row.text("digest") or "")
    document = json.loads(services.objects.get(key))
    strange: st.SearchStrategy[Any] = st.sampled_from(
        [None, [], {}, -1, 10**30, 1e308, float("nan"), "x", [[1, 2]], [[0, 0, 1e308, -1e308]]]
    )
    for one in data.draw(st.lists(st.sampled_from(document["findings"]), min_size=1, max_size=5)):
        one[data.draw(st.sampled_from(sorted(one)))] = data.draw(strange)
    stored = json.dumps(document, separators=(",", ":")).encode()
    stores = replace(services, objects=Shelves(services, other={key: stored}))  # type: ignore[arg-type]  # as above

    view = view_job(stores, row)

    assert view.trouble in (None, "unreadable")
    assert "<main" in render_job(view, PageContext("en", ConsoleLinks(""), 0))


def test_raw_parts_that_are_gone_are_said(services: Services, row_of: RowOf) -> None:
    view = view_job(without(services, "raw/"), row_of("review"))

    assert [part.condition for part in view.parts] == ["gone"]
    assert "It is gone from the archive." in page(view).text


def test_the_raw_answer_of_a_kind_that_is_not_known_is_shown_as_text(
    services: Services, row_of: RowOf
) -> None:
    view = view_job(replace(services, kinds={}), row_of("review"))

    (part,) = view.parts
    assert (part.condition, part.text[:1]) == ("unreadable", "{")
    assert "does not know the kind" in part.reason


def test_a_large_raw_part_is_opened_when_it_is_asked_for(services: Services, row_of: RowOf) -> None:
    opened = [
        {part.name: part.condition for part in view_job(services, row_of("many"), JobPlace(at=at)).parts}
        for at in (None, "output:/0")
    ]

    assert opened == [{"answer": "open", "output": "closed"}, {"answer": "open", "output": "open"}]


def test_a_raw_part_beyond_all_measure_is_not_read(
    services: Services, row_of: RowOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_views, "LARGEST", 300_000)

    view = view_job(services, row_of("many"), JobPlace(at="output:/0"))

    assert [part.condition for part in view.parts] == ["open", "large"]


def test_findings_beside_the_record_are_counted_and_drawn_on_the_first_page(
    services: Services, row_of: RowOf
) -> None:
    view = view_job(services, row_of("many"))

    drawn = timeline(view.groups, ())
    assert view.record is not None
    assert view.record.findings_more is not None
    assert view.unread == 0
    counts = {group.check: group.count for group in view.groups}
    assert counts == {"freeze": MANY // 2, "mosaic": MANY * 3 // 10, "brightness": MANY // 5}
    assert drawn is not None
    assert sum(mark.count for lane in drawn.lanes for mark in lane.marks) == MANY


def test_findings_that_are_too_many_for_the_first_page_are_read_when_a_check_is_asked_for(
    services: Services, row_of: RowOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_views, "DRAWN_BESIDE", 0)

    first, chosen = (view_job(services, row_of("many"), JobPlace(check=one)) for one in (None, "freeze"))

    assert first.unread > 0
    assert f"{MANY - first.unread} of {MANY:,} findings are drawn" in page(first).text
    assert chosen.unread == 0
    assert sum(group.count for group in chosen.groups) == MANY
    assert sum(group.count for group in first.groups) + first.unread == MANY


@pytest.mark.parametrize("limit", [0, job_views.MOST_BESIDE])
def test_findings_that_cannot_be_read_are_counted(
    services: Services, row_of: RowOf, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(job_views, "MOST_BESIDE", limit)
    row = row_of("many")
    record = view_job(services, row).record
    assert record is not None
    assert record.findings_more is not None
    gone = archive.findings_key(row.ref, record.findings_more) if limit else "no such folder"

    view = view_job(without(services, gone), row, JobPlace(check="freeze"))

    assert view.unread == record.findings_more.count
    assert "stored beside the record" in page(view).text
    assert "50 findings or more" in page(view).text


def kept(view: JobView) -> tuple[JobView, EvidenceRow]:
    """Give a view in which the first finding that has a picture has places in its frame."""
    finding = next(one for one in view.shown if any(view.evidence[name].key for name in one.evidence[:1]))
    placed = replace(finding, regions=((10.0, 20.0, 110.0, 80.0), (300.0, 200.0, 200.0, 100.0)))
    return replace(view, groups=groups([finding_line(placed)]), flags=()), view.evidence[finding.evidence[0]]


def test_boxes_are_drawn_in_the_pixels_of_the_picture(services: Services, row_of: RowOf) -> None:
    row = row_of("review")
    view, picture = kept(view_job(services, row))
    head = services.objects.get(picture.key or "")[:100]

    parsed = page(replace(view, pictures={picture.id: head}))

    (drawing,) = [its for its in parsed.all("svg") if its.get("viewbox") == f"0 0 {WIDTH} {HEIGHT}"]
    boxes = [its for its in parsed.all("rect") if its.get("class") == "box"]
    assert drawing["role"] == "img"
    assert [(its["x"], its["y"], its["width"], its["height"]) for its in boxes] == [
        ("10.0", "20.0", "100.0", "60.0"),
        ("200.0", "100.0", "100.0", "100.0"),
    ]


def test_the_first_bytes_of_pictures_with_boxes_are_read(
    services: Services, row_of: RowOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = row_of("review")
    view, picture = kept(view_job(services, row))
    monkeypatch.setattr(job_views, "_view", lambda *_, **__: view)

    assert set(view_job(services, row).pictures) == {picture.id}
    assert view_job(without(services, "evidence/"), row).pictures == {}


def test_a_frame_of_unknown_size_is_as_large_as_what_is_in_it() -> None:
    assert frame_of([(10.0, 20.0, 110.5, 80.0), (0.0, 0.0, 50.0, 90.0)]) == (111, 90)


@pytest.mark.parametrize("region", [(0.0, 0.0, 0.0, 0.0), (-5.0, -5.0, -1.0, -1.0), (0.0, 0.0, 1e9, 5.0)])
def test_what_no_frame_can_hold_is_not_drawn(region: tuple[float, float, float, float]) -> None:
    assert list(boxes_of([region])) == []
    assert frame_of([region]) is None


def test_the_vendors_error_is_told(services: Services, row_of: RowOf) -> None:
    view = view_job(services, row_of("failed"))
    assert view.record is not None
    error = VendorError(code="InvalidInput", message="The file could not be read.")

    text = page(replace(view, record=view.record.model_copy(update={"error": error}))).text

    assert "The vendor's error:" in text
    assert "The file could not be read." in text


def test_a_report_has_the_first_pictures_that_fit(services: Services, row_of: RowOf) -> None:
    row = row_of("review")
    whole = view_whole_job(services, row, picture_bytes=10**9)
    sizes = [one.size or 0 for one in whole.evidence.values() if one.status == "kept"]

    some = view_whole_job(services, row, picture_bytes=sizes[0])

    assert (len(whole.pictures), len(some.pictures)) == (len(sizes), 1)
