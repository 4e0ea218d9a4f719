"""`demo`: watch callbacks become records and rows, on this machine and without an account."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.demonstration import Story, own_environment, play, prepare
from cli.local_ledger import opened
from cli.looking import jobs_table, listed, record_of
from cli.terminal import AsJson, err, functions_log_to, out, print_json, told_plainly
from shared.job_row import JobRow
from shared.jobs import State


def demo(
    folder: Annotated[
        Path, typer.Option("--dir", help="Where archive and ledger go; an earlier demonstration is replaced.")
    ] = Path("media-ledger-demo"),
    as_json: AsJson = False,
) -> None:
    """Submit jobs to a local vendor, deliver the sample callbacks, and show what became of them."""
    with told_plainly():
        prepare(folder)
        with (folder / "functions.log").open("w", encoding="utf-8") as log, functions_log_to(log):
            story = play(folder, _quiet if as_json else err().print)
        with opened(own_environment(folder)) as services:
            rows = sorted(listed(services, days=1), key=lambda row: (row.state.value, row.key))
            records = [record for row in rows if (record := record_of(services, row))]
    numbers = _numbers(story, rows, records)
    if as_json:
        print_json(numbers)
    else:
        out().print(jobs_table(rows))
        _say_more(story, rows, numbers)


def _quiet(line: str) -> None:
    """Say nothing: a script wants one JSON document."""


def _numbers(story: Story, rows: list[JobRow], records: list[dict[str, Any]]) -> dict[str, object]:
    states = Counter(row.state for row in rows)
    return {
        "jobs": len(rows),
        **{state.value: states[state] for state in (State.SUCCEEDED, State.FAILED, State.QUARANTINED)},
        "unreadable": story.unreadable(),
        "lost_callbacks": story.lost_callbacks,
        "findings": sum(len(record["findings"]) for record in records),
        "archive": str(story.folder / "archive"),
        "ledger": str(story.folder / "ledger.db"),
    }


def _say_more(story: Story, rows: list[JobRow], numbers: dict[str, object]) -> None:
    shown = next((row for row in rows if row.text("suggestion") == "review"), rows[0])
    where = f"--dir {story.folder}"
    out().print(
        f"\n{numbers['findings']} findings. Planted, to show what becomes of them:"
        f" {numbers['quarantined']} unreadable answer of the vendor, whose job is quarantined, and"
        f" {numbers['unreadable']} deliveries that nobody could read, kept under"
        f" {story.folder / 'archive' / 'quarantine'}. `report` asks for a person because of them.\n\n"
        f"Look further:\n"
        f"  .venv/bin/media-ledger show {shown.ref.job_id} {where}\n"
        f"  .venv/bin/media-ledger at {shown.ref.job_id} answer:/MediaAuditJob/Data/Suggestion {where}\n"
        f"  .venv/bin/media-ledger explain {shown.ref.job_id} {where}\n"
        f"  .venv/bin/media-ledger report {where}\n"
        f"  .venv/bin/media-ledger jobs {where} --json\n"
        f"  records and raw answers  {numbers['archive']}\n"
        f"  rows                     {numbers['ledger']}\n"
        f"  what the function logged {story.folder / 'functions.log'}",
        markup=False,
    )
