"""`demo`: watch callbacks become records and rows, on this machine and without an account."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE
from rich.table import Table

from cli.demonstration import Story, own_environment, play, prepare
from cli.local_ledger import opened
from cli.looking import jobs_table, listed, record_of
from cli.terminal import AsJson, err, out, print_json, told_plainly
from localcloud.fc.log_lines import lines_to
from shared.job_row import JobRow
from shared.jobs import State
from shared.record import JobRecord
from shared.toolkit import model


def demo(
    folder: Annotated[
        Path, typer.Option("--dir", help="Where archive and ledger go; an earlier demonstration is replaced.")
    ] = Path("media-ledger-demo"),
    as_json: AsJson = False,
) -> None:
    """Submit jobs to a local vendor, deliver the sample callbacks, and show who was told what of them."""
    with told_plainly():
        prepare(folder)
        with (folder / "functions.log").open("w", encoding="utf-8") as log:
            story = play(folder, _quiet if as_json else err().print, log=lines_to(log, with_name=False))
        with opened(own_environment(folder)) as services:
            # Two, as its time may have gone past midnight.
            rows = sorted(listed(services, days=2), key=lambda row: (row.state.value, row.key))
            records = {row.key: record for row in rows if (record := record_of(services, row))}
    numbers = _numbers(story, rows, records)
    if as_json:
        print_json(numbers)
    else:
        out().print(jobs_table(rows))
        out().print(_consumers_table(numbers["consumers"]))
        _say_more(story, rows, numbers)


def _quiet(line: str) -> None:
    """Say nothing: a script wants one JSON document."""


def _numbers(story: Story, rows: list[JobRow], records: dict[str, dict[str, Any]]) -> dict[str, Any]:
    states = Counter(row.state for row in rows)
    return {
        "jobs": len(rows),
        **{state.value: states[state] for state in (State.SUCCEEDED, State.FAILED, State.QUARANTINED)},
        "unreadable": story.unreadable(),
        "lost_callbacks": story.lost_callbacks,
        "findings": sum(len(record["findings"]) for record in records.values()),
        "pictures": len(list((story.folder / "archive" / "evidence").rglob("*.png"))),
        "consumers": [_consumer(story, name, rows, records) for name in story.told],
        "archive": str(story.folder / "archive"),
        "ledger": str(story.folder / "ledger.db"),
    }


def _consumer(
    story: Story, name: str, rows: list[JobRow], records: dict[str, dict[str, Any]]
) -> dict[str, object]:
    """Hold what a consumer knows in the end against what the ledger has for it."""
    did, knows = story.told[name]
    settled = [(row, model(JobRecord)(records[row.key])) for row in rows if row.key in records]
    wanted = {
        row.key: (row.count("version"), row.text("digest"), record.status)
        for row, record in settled
        if name in story.plan.targets_for(record)
    }
    return {
        "name": name,
        "jobs": len(knows),
        "taken": did["new"],
        "tries_while_down": did["down"],
        "repeated": did["repeated"],
        "still_owed": len([one for row in rows for one in row.outbox if one.target == name])
        + len([one for row in rows for one in row.undelivered if one.target == name]),
        "equals_ledger": knows == wanted,
    }


def _consumers_table(consumers: list[dict[str, Any]]) -> Table:
    table = Table(title="who was told", title_justify="left", box=SIMPLE)
    table.add_column("consumer")
    for column in ("took", "tries while down", "dropped as repeated", "still owed"):
        table.add_column(column, justify="right")
    table.add_column("knows what the ledger knows")
    for one in consumers:
        counts = (one["taken"], one["tries_while_down"], one["repeated"], one["still_owed"])
        answer = "[green]yes[/]" if one["equals_ledger"] else "[red]no[/]"
        table.add_row(one["name"], *map(str, counts), answer)
    return table


def _say_more(story: Story, rows: list[JobRow], numbers: dict[str, Any]) -> None:
    shown = next((row for row in rows if row.text("suggestion") == "review"), rows[0])
    where = f"--dir {story.folder}"
    out().print(
        f"{numbers['findings']} findings, and {numbers['pictures']} pictures of what reviews saw, kept under"
        f" {story.folder / 'archive' / 'evidence'}. Planted, to show what becomes of them:"
        f" {numbers['quarantined']} unreadable answer of the vendor, whose job is quarantined, and"
        f" {numbers['unreadable']} deliveries that nobody could read, kept under"
        f" {story.folder / 'archive' / 'quarantine'}. `report` asks for a person because of them.\n\n"
        f"Look at it in the browser:\n"
        f"  .venv/bin/media-ledger console {where}\n\n"
        f"Look further:\n"
        f"  .venv/bin/media-ledger show {shown.ref.job_id} {where}\n"
        f"  .venv/bin/media-ledger at {shown.ref.job_id} answer:/MediaAuditJob/Data/Suggestion {where}\n"
        f"  .venv/bin/media-ledger evidence {shown.ref.job_id} {where}\n"
        f"  .venv/bin/media-ledger explain {shown.ref.job_id} {where}\n"
        f"  .venv/bin/media-ledger report {where}\n"
        f"  .venv/bin/media-ledger jobs {where} --json\n"
        f"  records and raw answers  {numbers['archive']}\n"
        f"  rows                     {numbers['ledger']}\n"
        f"  what the function logged {story.folder / 'functions.log'}",
        markup=False,
    )
