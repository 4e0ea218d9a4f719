"""Make the whole completeness report, and keep it in the archive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone

from shared import archive
from shared.completeness import sources, vod_jobs
from shared.completeness.page import page
from shared.completeness.report import (
    CompletenessReport,
    EvidenceCounts,
    Source,
    job_line,
    moment,
    needs_person,
    report_bytes,
)
from shared.completeness.survey import Survey, Window, survey
from shared.jobs import JobRef
from shared.ports import Services


def make_report(
    services: Services,
    window: Window,
    *,
    run: str,
    submitted: Mapping[str, Sequence[JobRef]] | None = None,
    unreadable: Mapping[str, Sequence[str]] | None = None,
    most_listings: int = 0,
) -> CompletenessReport:
    """Count the jobs of a window and compare them with every source that can be had.

    `submitted` are submit lists by name, `unreadable` what is wrong with which other line of them.
    `most_listings` is how many media VOD is asked about; with 0 it is not asked at all.
    """
    now = services.clock.now()
    seen = survey(services, window, now=now, with_media=most_listings > 0)
    compared = (
        sources.archived_answers(services),
        sources.kept_unreadable(services, window, seen.kept_answers),
        *_submit_lists(services, submitted or {}, unreadable or {}),
        _vod(services, seen, most_listings),
        *sources.not_listable(),
    )
    found = [finding for source in compared for finding in source.findings]
    return CompletenessReport(
        run=run,
        made_at=moment(now) or "",
        from_day=window.first.isoformat(),
        to_day=window.last.isoformat(),
        needs_person=needs_person([*seen.buckets(), *seen.flags(), *found]),
        jobs=seen.jobs,
        digest=seen.digest,
        buckets=seen.buckets(),
        flags=seen.flags(),
        oldest_waiting=job_line(seen.oldest_waiting) if seen.oldest_waiting else None,
        evidence=EvidenceCounts(
            kept=seen.evidence.kept, pending=seen.evidence.pending, lost=seen.evidence.lost
        ),
        sources=compared,
        warnings=tuple(_warnings(seen, compared)),
    )


def keep(services: Services, report: CompletenessReport) -> tuple[str, str]:
    """Put the report into the archive as JSON and as a page; give both keys."""
    day = report.made_at[:10]
    keys = archive.report_key(day, report.run, "json"), archive.report_key(day, report.run, "html")
    bodies = report_bytes(report), page(report).encode()
    for key, body in zip(keys, bodies, strict=True):
        form = key.rpartition(".")[2]
        services.objects.put(key, body, content_type=archive.CONTENT_TYPES[form])
    return keys


def run_name(now: int, drawn: int) -> str:
    """Name a run by its time of day and what was drawn: two reports of a second stay apart."""
    return f"{datetime.fromtimestamp(now / 1000, timezone.utc):%H%M%SZ}-{drawn:08x}"


def _submit_lists(
    services: Services, submitted: Mapping[str, Sequence[JobRef]], unreadable: Mapping[str, Sequence[str]]
) -> list[Source]:
    if not submitted:
        return [sources.not_asked(sources.SUBMITTED, "none was given; name one with --submitted FILE")]
    return [
        sources.submitted(services, jobs, name=name, unreadable=unreadable.get(name, ()))
        for name, jobs in submitted.items()
    ]


def _vod(services: Services, seen: Survey, most_listings: int) -> Source:
    if not most_listings:
        return sources.not_asked(vod_jobs.NAME, "it costs one call for each media; ask with --vod-listings N")
    return vod_jobs.vod_listing(services, seen.media, most=most_listings)


def _warnings(seen: Survey, compared: Sequence[Source]) -> list[str]:
    found = [] if seen.jobs else ["the ledger knows no job of these days: is it the right one?"]
    for source in compared:
        if source.status == "empty":
            found.append(f"{source.name}: it names no job at all, so it proves nothing")
        if source.status == "cut_short":
            found.append(f"{source.name}: compared in part only: {source.note}")
    return found
