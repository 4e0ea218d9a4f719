"""`unmapped`: what vendors say that this version does not understand."""

from __future__ import annotations

import typer
from rich.box import SIMPLE
from rich.table import Table

from cli.local_ledger import DEFAULT_FOLDER, Folder, environment, opened
from cli.looking import moment
from cli.progress import progress
from cli.records import Days, Jobs, Kinds, chosen, with_records
from cli.terminal import AsJson, Exit, escape, out, print_json, told_plainly
from cli.unknown_words import Tally


def unmapped(
    jobs: Jobs = None,
    kinds: Kinds = None,
    days: Days = 30,
    folder: Folder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Count labels, fields, statuses and shapes that nothing here understands, and answers nobody could read.

    They fail no job and are lost to nobody: records list them, raw answers hold them. Exit status 1 when
    there are any.
    """
    tally = Tally()
    with (
        told_plainly(),
        opened(environment(folder), must_exist=folder) as services,
        progress("jobs") as shown,
    ):
        task = shown.add_task("read", total=None)
        for row, record in with_records(services, chosen(services, jobs, kinds, days)):
            tally.add(row, record.document() if record else None)
            shown.advance(task)
    if as_json:
        print_json({"jobs": tally.jobs, "unknown": _document(tally)})
    else:
        _tell(tally)
    raise typer.Exit(Exit.NEEDS_A_PERSON if tally.seen else Exit.DONE)


def _document(tally: Tally) -> list[dict[str, object]]:
    return [
        {
            **one._asdict(),
            "count": seen.count,
            "jobs": seen.jobs,
            "first_seen_at": moment(seen.first_seen_at),
            "example": {"job": seen.job, "source": seen.source},
        }
        for one, seen in tally.ordered()
    ]


def _tell(tally: Tally) -> None:
    if not tally.seen:
        out().print(f"all of {tally.jobs:,} jobs is understood")
        return
    table = Table(box=SIMPLE)
    for heading in ("what", "kind", "word or place", "count", "jobs", "first seen", "example"):
        table.add_column(
            heading, overflow="fold", justify="right" if heading in ("count", "jobs") else "left"
        )
    for one, seen in tally.ordered():
        words = (one.what, one.kind, escape(one.word), f"{seen.count:,}", f"{seen.jobs:,}")
        table.add_row(*words, moment(seen.first_seen_at), escape(seen.job))
    out().print(table)
    out().print(f"in {tally.jobs:,} jobs; open an example: media-ledger at JOB SOURCE, as --json tells them")
