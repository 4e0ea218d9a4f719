"""Read all that a page shows of one job: row, record, story, evidence, raw answer (see `shared.pages`).

What is read is bounded, but for the record itself: the page of a large job is to cost what that of a small
one does, and says what it leaves out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from shared import archive, explanation
from shared.errors import ObjectNotFoundError, ParseError
from shared.evidence import EvidenceRow
from shared.finding_lines import split_record
from shared.job_row import JobRow, StoredPart
from shared.pages import findings
from shared.pages.findings import FIRST
from shared.pages.flags import flags
from shared.pages.pictures import HEAD, PICTURES
from shared.pages.view import TOP, JobPlace, JobView, RawPart
from shared.ports import Services
from shared.record import FindingsMore
from shared.vendor import Part

SMALL = 256 * 1024
"""A raw part of so many bytes is opened without being asked for."""
LARGEST = 16 * 1024 * 1024
"""A larger one is opened on no page: its tree may take twenty times as much memory."""
WHOLE = 2_000
"""So many findings of each check are in a report."""

DRAWN_BESIDE = 8 * 1024 * 1024
"""So many bytes of findings that lie beside a record, some 20,000 of them, are on a job's first page."""
MOST_BESIDE = 32 * 1024 * 1024
"""So many where somebody asks for all of a check, or for a report."""

_FIRST_TEXT = 8_000
_BOXED = 24


def view_job(services: Services, row: JobRow, place: JobPlace = TOP) -> JobView:
    """Read what a page shows of a job: of its raw parts, those that are small and the one that `at` is in."""
    asked = (place.at or "").partition(":")[0]
    most_beside = DRAWN_BESIDE if place.check is None else MOST_BESIDE
    view = _view(services, row, place, first=FIRST, most_beside=most_beside)
    view = replace(view, parts=_opened(services, row, asked))
    boxed = (finding for finding in view.shown if finding.regions)
    names = dict.fromkeys(name for finding in boxed for name in finding.evidence)
    kept = [one for name in names if (one := view.evidence.get(name)) and one.status == "kept"]
    return replace(view, pictures=_read_all(services, kept[:_BOXED], HEAD))


def view_whole_job(services: Services, row: JobRow, *, picture_bytes: int) -> JobView:
    """Read a job for a report: all of it, and the first pictures that have so many bytes in all."""
    view = _view(services, row, TOP, first=WHOLE, most_beside=MOST_BESIDE)
    view = replace(view, parts=_opened(services, row, *(part.name for part in row.raw_parts)))
    taken, left = [], picture_bytes
    for one in view.evidence.values():
        if one.status == "kept" and _is_picture(one) and (one.size or 0) <= left:
            taken.append(one)
            left -= one.size or 0
    return replace(view, pictures=_read_all(services, taken, None))


def _view(services: Services, row: JobRow, place: JobPlace, *, first: int, most_beside: int) -> JobView:
    """Read the record and the story; so many bytes of findings, too, that the record had no room for."""
    view = JobView(row, None, explanation.explain(services, row), ())
    digest = row.text("digest")
    if digest is None:
        return view
    try:
        record, lines = split_record(services.objects.get(archive.version_key(row.ref, digest)))
        more = record.findings_more
        beside = _lines_beside(services, row, more, most_beside) if more else []
        groups = findings.groups([*lines, *beside], chosen=place.check, start=place.start, first=first)
        unread = more.count - len(beside) if more else 0
        return replace(view, record=record, groups=groups, flags=flags(groups), unread=unread)
    except ObjectNotFoundError:
        return replace(view, trouble="gone")
    except ParseError:
        return replace(view, trouble="unreadable")


def _lines_beside(services: Services, row: JobRow, more: FindingsMore, most: int) -> list[bytes]:
    """Read findings that lie beside the record; none of more than `most` bytes, or that are gone."""
    key = archive.findings_key(row.ref, more)
    try:
        return [] if services.objects.info(key).size > most else services.objects.get(key).splitlines()
    except ObjectNotFoundError:
        return []


def _opened(services: Services, row: JobRow, *asked: str) -> tuple[RawPart, ...]:
    tasks = [partial(_part, services, row, part, is_asked=part.name in asked) for part in row.raw_parts]
    return tuple(done.result() for done in services.parallel.run(tasks))


def _part(services: Services, row: JobRow, part: StoredPart, *, is_asked: bool) -> RawPart:
    try:
        size = services.objects.info(part.key).size
        if size > (LARGEST if is_asked else SMALL):
            return RawPart(part, "large" if size > LARGEST else "closed", size)
        body = services.objects.get(part.key)
    except ObjectNotFoundError:
        return RawPart(part, "gone", None)
    kind = services.kinds.get(row.ref.kind)
    try:
        if kind is None:
            raise ParseError("this version does not know the kind of this job", layer="kind")
        return RawPart(part, "open", size, kind.tree(Part(part.name, part.format, body)))
    except ParseError as error:
        text = body[:_FIRST_TEXT].decode(errors="replace")
        return RawPart(part, "unreadable", size, text=text, reason=str(error))


def _is_picture(one: EvidenceRow) -> bool:
    return one.content_type in PICTURES


def _read_all(services: Services, kept: Sequence[EvidenceRow], most: int | None) -> dict[str, bytes]:
    """Read kept pictures, or the first bytes of them; one that is gone is left out."""
    read = services.parallel.run([partial(_read, services, one.key or "", most) for one in kept])
    return {
        one.id: done.result()
        for one, done in zip(kept, read, strict=True)
        if not isinstance(done.error, ObjectNotFoundError)
    }


def _read(services: Services, key: str, most: int | None) -> bytes:
    return b"".join(services.objects.chunks(key, end=most))
