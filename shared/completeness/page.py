"""The completeness report as one HTML file: nothing is loaded, no script runs, all text is escaped.

What needs a person stands first, with the command that helps; the numbers follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from string import Template

from shared.completeness.report import CompletenessReport, EvidenceCounts, Finding, Group, JobLine, Source

_COMMANDS = {
    "quarantined": "media-ledger explain JOB, then media-ledger release JOB",
    "unknown": "media-ledger explain JOB, then media-ledger retry JOB",
    "incomplete": "media-ledger explain JOB, then media-ledger retry JOB",
    "undelivered": "mend the target, then media-ledger redeliver --undelivered, or --job JOB",
    "also_undelivered": "mend the target, then media-ledger redeliver --undelivered, or --job JOB",
    "refused": "mend the setting that the reason names; the jobs are asked again by themselves",
    "not_found": "media-ledger explain JOB; if the region is wrong: media-ledger track KIND JOB --region R",
    "keeps_failing": "media-ledger explain JOB; the reason names what fails",
    "overdue": "media-ledger reconcile, and look at why the timer does not run",
    "never_due": "media-ledger retry JOB",
    "evidence_refused": "name the host in LEDGER_EVIDENCE_HOSTS if it is right, then media-ledger retry JOB",
    "evidence_at_risk": "media-ledger evidence JOB says why; media-ledger retry JOB asks for fresh addresses",
    "evidence_untracked": "media-ledger retry JOB",
    "corrupt": "read the row as it is stored; the reason names what is wrong with it",
    "missing": "media-ledger track KIND JOB",
    "without_row": "media-ledger track KIND JOB",
    "unreadable": "look at the object; if it is about a job: media-ledger track KIND JOB",
    "refused_announcements": "look at the object, mend what is wrong, and announce its jobs again",
    "unreadable_lines": "mend the lines, then media-ledger report --submitted FILE once more",
}

_STATUS = {
    "compared": "compared",
    "empty": "empty: proves nothing",
    "cut_short": "compared in part",
    "not_asked": "not asked",
    "not_listable": "cannot be listed",
}

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>$title</title>
<style>
:root { color-scheme: light dark; --ink: #1b1f24; --dim: #59636e; --line: #d1d9e0; --page: #fff;
  --good: #1a7f37; --bad: #b42318; --warn: #9a6700; --bar: #4493f8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --dim: #9198a1; --line: #3d444d;
  --page: #0d1117; --good: #3fb950; --bad: #ff7b72; --warn: #d29922; --bar: #4493f8; } }
body { font: 15px/1.5 system-ui, "Noto Sans CJK SC", sans-serif; color: var(--ink); background: var(--page);
  max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1rem 0 .25rem; }
p { margin: .25rem 0; } .dim { color: var(--dim); }
.verdict { font-size: 1.15rem; font-weight: 600; border-left: .4rem solid;
  padding: .5rem 1rem; margin: 1rem 0; }
.good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
th { font-weight: 600; color: var(--dim); }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
code { font: .85em ui-monospace, monospace; } meter { width: 12rem; height: .8rem; }
details { margin: .25rem 0; } summary { cursor: pointer; }
@media print { body { max-width: none; margin: 0; font-size: 11px; }
  details::details-content { content-visibility: visible; }
  h2, h3 { break-after: avoid; } tr { break-inside: avoid; } meter { print-color-adjust: exact; } }
</style>
</head>
<body>
<h1>$title</h1>
<p class="dim">$jobs jobs first seen from $from_day to $to_day (UTC) · made $made_at · run $run</p>
$verdict
$warnings
$person
<h2>Every job in one bucket</h2>
$buckets
$oldest
$evidence
<h2>What else is known of them</h2>
$flags
<h2>Compared with other sources</h2>
$sources
<p class="dim">sha256 over the sorted job keys: <code>$digest</code></p>
</body>
</html>
""")


def page(report: CompletenessReport) -> str:
    """Write the report for people."""
    title = f"Completeness of media jobs, {report.from_day} to {report.to_day}"
    return _PAGE.substitute(
        title=escape(title),
        jobs=f"{report.jobs:,}",
        from_day=escape(report.from_day),
        to_day=escape(report.to_day),
        made_at=escape(report.made_at),
        run=escape(report.run),
        digest=escape(report.digest),
        verdict=_verdict(report),
        warnings="".join(f'<p class="warn">⚠ {escape(one)}</p>' for one in report.warnings),
        person=_for_a_person(report),
        buckets=_counts(report.buckets, report.jobs),
        oldest=_oldest(report.oldest_waiting),
        evidence=_evidence(report.evidence),
        flags=_groups(group for group in report.flags if group.count),
        sources=_sources(report.sources),
    )


def _verdict(report: CompletenessReport) -> str:
    if report.needs_person:
        return '<p class="verdict bad">A person is needed.</p>'
    if report.warnings:
        return '<p class="verdict warn">Nothing needs a person, but not everything could be proven.</p>'
    return '<p class="verdict good">Every job is accounted for; nothing needs a person.</p>'


def _for_a_person(report: CompletenessReport) -> str:
    groups = [one for one in (*report.buckets, *report.flags) if one.needs_person and one.count]
    parts = [_group(group, is_open=True) for group in groups]
    for source in report.sources:
        for finding in source.findings:
            if finding.needs_person:
                parts.append(_finding(finding, source, is_open=True))
    return f"<h2>What needs a person</h2>{''.join(parts)}" if parts else ""


def _counts(buckets: Sequence[Group], jobs: int) -> str:
    rows = (
        f'<tr><td class="{"bad" if one.needs_person and one.count else ""}">{escape(one.title)}</td>'
        f'<td class="number">{one.count:,}</td>'
        f'<td><meter min="0" max="{max(jobs, 1)}" value="{one.count}"></meter></td></tr>'
        for one in buckets
    )
    total = f'<tr><th>together</th><td class="number">{jobs:,}</td><td></td></tr>'
    return f"<table>{''.join(rows)}{total}</table>"


def _oldest(job: JobLine | None) -> str:
    if job is None:
        return ""
    return f"<h3>Waiting longest</h3>{_jobs([job])}"


def _evidence(counts: EvidenceCounts) -> str:
    total = counts.kept + counts.pending + counts.lost
    if not total:
        return ""
    return (
        f"<p>Of {total:,} pictures and files that records name, {counts.kept:,} are kept,"
        f" {counts.pending:,} are still to be kept and {counts.lost:,} are lost.</p>"
    )


def _groups(groups: Iterable[Group]) -> str:
    return "".join(_group(group, is_open=False) for group in groups) or '<p class="dim">Nothing.</p>'


def _group(group: Group, *, is_open: bool) -> str:
    return _folded(group.title, group.count, group.name, _jobs(group.jobs), len(group.jobs), is_open=is_open)


def _finding(finding: Finding, source: Source, *, is_open: bool) -> str:
    rows = "".join(f"<tr><td><code>{escape(one)}</code></td></tr>" for one in finding.examples)
    title = f"{source.name}: {finding.title}"
    table = f"<table>{rows}</table>"
    return _folded(title, finding.count, finding.name, table, len(finding.examples), is_open=is_open)


def _folded(title: str, count: int, name: str, table: str, shown: int, *, is_open: bool) -> str:
    command = f'<p class="dim">{escape(_COMMANDS[name])}</p>' if is_open and name in _COMMANDS else ""
    rest = f'<p class="dim">and {count - shown:,} more</p>' if count > shown else ""
    return (
        f"<details{' open' if is_open else ''}><summary><b>{count:,}</b> {escape(title)}</summary>"
        f"{command}{table}{rest}</details>"
    )


def _jobs(jobs: Sequence[JobLine]) -> str:
    heads = ("job", "state", "vendor's word", "first seen", "last change", "next", "why")
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    rows = "".join(f"<tr>{''.join(_cells(job))}</tr>" for job in jobs)
    return f"<table><tr>{head}</tr>{rows}</table>"


def _cells(job: JobLine) -> list[str]:
    name = f"{job.kind}/{job.job_id}" if job.kind and job.job_id else job.job
    told = (job.state, job.vendor_status, job.first_seen_at, job.changed_at, job.next_at, job.reason)
    return [f"<td><code>{escape(name)}</code></td>", *(f"<td>{escape(one or '')}</td>" for one in told)]


def _colour(source: Source) -> str:
    return "warn" if source.status in ("empty", "cut_short") else ""


def _sources(sources: Sequence[Source]) -> str:
    rows = "".join(
        f'<tr><td>{escape(one.name)}</td><td class="{_colour(one)}">{escape(_STATUS[one.status])}</td>'
        f'<td class="number">{one.compared:,}</td><td>{escape(one.note or "")}</td></tr>'
        for one in sources
    )
    table = f"<table><tr><th>source</th><th></th><th>named</th><th>note</th></tr>{rows}</table>"
    other = "".join(
        _finding(finding, source, is_open=False)
        for source in sources
        for finding in source.findings
        if not finding.needs_person
    )
    return table + other
