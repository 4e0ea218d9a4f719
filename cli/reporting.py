"""`report`: is any job missing?"""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.console import Group as Lines
from rich.table import Table
from rich.text import Text

from cli.local_ledger import DEFAULT_FOLDER, Folder, environment, opened
from cli.submit_lists import lines_of_file
from cli.terminal import AsJson, Exit, complain, err, escape, out, print_json, printable, told_plainly
from shared import bootstrap
from shared.announcements import Refusal
from shared.completeness.making import keep, make_report, run_name
from shared.completeness.page import page
from shared.completeness.report import CompletenessReport, Finding, Group, Source
from shared.completeness.survey import Window
from shared.jobs import JobRef

_DAYS = 7
_MOST_DAYS = 3_660
_SHOWN = 5
_COMPLAINTS = 20


def report(
    first: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], metavar="DAY", help="First day of first sight, UTC."),
    ] = None,
    last: Annotated[
        datetime | None,
        typer.Option(
            "--to",
            formats=["%Y-%m-%d"],
            metavar="DAY",
            help="Last day; tomorrow if left out, for clocks ahead of ours.",
        ),
    ] = None,
    submitted: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="What was submitted, to compare: CSV or NDJSON as `track` takes it; may be repeated.",
        ),
    ] = None,
    vod_listings: Annotated[
        int, typer.Option(min=0, help="Ask VOD for the jobs of at most so many known media.")
    ] = 0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the page here too.")
    ] = None,
    folder: Folder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Count every job of the last days in exactly one bucket, and compare with what else knows of jobs.

    The report is kept in the archive, as JSON and as a page. Exit status 1 when a person is needed.
    """
    lists: dict[str, list[JobRef]] = {}
    refused: dict[str, list[str]] = {}
    for file in submitted or ():
        name = f"submit list {printable(file)}"
        lists[name], refused[name] = _jobs_of(file)
    with told_plainly(), opened(environment(folder), must_exist=folder) as services:
        now = services.clock.now()
        made = make_report(
            bootstrap.within_run_budget(services),
            _window(first, last, now),
            run=run_name(now, random.SystemRandom().getrandbits(32)),
            submitted=lists,
            unreadable=refused,
            most_listings=vod_listings,
        )
        keys = keep(services, made)
    if as_json:
        print_json(made.model_dump(mode="json"))
    else:
        out().print(_lines(made))
        out().print(f"Kept in the archive: {keys[0]} and {keys[1]}")
    _complain([line for lines in refused.values() for line in lines])
    worst = Exit.DONE if output is None else _write(output, page(made))
    raise typer.Exit(Exit.NEEDS_A_PERSON if made.needs_person else worst)


def _jobs_of(file: str) -> tuple[list[JobRef], list[str]]:
    """Read a submit list: its jobs, and what is wrong with which other line."""
    jobs: list[JobRef] = []
    refused: list[str] = []
    with lines_of_file(file) as lines:
        for line in lines:
            if isinstance(line.item, Refusal):
                refused.append(f"{line.place}: {line.item.reason}")
            else:
                jobs.append(line.item.ref)
    return jobs, refused


def _complain(refused: list[str]) -> None:
    for text in refused[:_COMPLAINTS]:
        err().print(f"[bold red]error:[/] {escape(text)}")
    if len(refused) > _COMPLAINTS:
        err().print(f"... and {len(refused) - _COMPLAINTS} more lines that could not be read")


def _window(first: datetime | None, last: datetime | None, now: int) -> Window:
    today = datetime.fromtimestamp(now / 1000, timezone.utc).date()
    end = last.date() if last else today + timedelta(days=1)
    recent = (last.date() if last else today).toordinal() - _DAYS + 1
    start = first.date() if first else date.fromordinal(max(recent, 1))
    if start > end:
        complain(f"--from {start} lies after --to {end}", Exit.WRONG_USE)
    if (end - start).days >= _MOST_DAYS:
        complain(f"from {start} to {end} are more than {_MOST_DAYS:,} days", Exit.WRONG_USE)
    return Window(start, end)


def _write(file: Path, text: str) -> Exit:
    try:
        file.write_text(text, encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        err().print(f"[bold red]error:[/] {escape(f'{file}: {reason or error}')}")
        return Exit.WRONG_USE
    return Exit.DONE


def _lines(made: CompletenessReport) -> Lines:
    if made.needs_person:
        verdict = Text("A person is needed.", style="bold red")
    elif made.warnings:
        verdict = Text("Nothing needs a person, but not everything could be proven.", style="bold yellow")
    else:
        verdict = Text("Nothing needs a person.", style="bold green")
    title = Text(f"{made.jobs} jobs first seen from {made.from_day} to {made.to_day}")
    warnings = [Text(printable(f"warning: {one}"), style="yellow") for one in made.warnings]
    return Lines(
        title,
        verdict,
        *warnings,
        _counts(made),
        *_named(made),
        _sources(made.sources),
        Text(f"sha256 over the sorted job keys: {made.digest}", style="dim"),
    )


def _counts(made: CompletenessReport) -> Table:
    table = Table(box=SIMPLE, show_header=False)
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    for group in made.buckets:
        style = "red" if group.needs_person and group.count else ""
        table.add_row(f"{group.count:,}", escape(group.title), style=style)
    for group in made.flags:
        if group.count:
            style = "red" if group.needs_person else "yellow"
            table.add_row(f"{group.count:,}", f"of them: {escape(group.title)}", style=style)
    return table


def _named(made: CompletenessReport) -> list[Text]:
    """Name what needs a person, and what has waited longest."""
    lines: list[Text] = []
    for group in (*made.buckets, *made.flags):
        if group.needs_person or group.name == "long_running":
            lines += _jobs(group)
    for source in made.sources:
        for finding in source.findings:
            lines += _findings(source, finding)
    oldest = made.oldest_waiting
    if oldest is not None:
        told = (
            f"waiting longest: {oldest.job}, first seen {oldest.first_seen_at}, next check {oldest.next_at}"
        )
        lines.append(Text.from_markup(escape(told)))
    return lines


def _jobs(group: Group) -> list[Text]:
    lines = [
        f"{group.title}: {one.job}"
        + (f", vendor says {one.vendor_status}" if one.vendor_status else "")
        + (f": {one.reason}" if one.reason else "")
        for one in group.jobs[:_SHOWN]
    ]
    return _with_rest(lines, group.count, needs_person=group.needs_person)


def _findings(source: Source, finding: Finding) -> list[Text]:
    lines = [f"{source.name}: {finding.title}: {one}" for one in finding.examples[:_SHOWN]]
    return _with_rest(lines, finding.count, needs_person=finding.needs_person)


def _with_rest(lines: list[str], count: int, *, needs_person: bool) -> list[Text]:
    more = [f"... and {count - len(lines)} more"] if count > len(lines) else []
    return [
        Text.from_markup(escape(line), style="red" if needs_person else "yellow") for line in (*lines, *more)
    ]


def _sources(sources: tuple[Source, ...]) -> Table:
    table = Table(title="compared with", title_justify="left", box=SIMPLE, show_header=False)
    for source in sources:
        status = source.status.replace("_", " ")
        counted = f"{source.compared:,}" if source.status in ("compared", "cut_short") else ""
        table.add_row(escape(source.name), status, counted, escape(source.note or ""))
    return table
