"""`jobs`: which jobs there are, by what is known of them."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.local_ledger import DEFAULT_FOLDER, Folder, environment, opened
from cli.looking import counts, evidence_of, jobs_table, moment
from cli.terminal import AsJson, Exit, complain, err, escape, out, print_json, told_plainly
from shared import attention, lookups
from shared.errors import ParseError
from shared.evidence import Tally
from shared.job_filter import Filter, Need
from shared.job_row import JobRow
from shared.jobs import State
from shared.listings import Listing, list_jobs


def jobs(
    state: Annotated[State | None, typer.Option(help="Where they stand.")] = None,
    verdict: Annotated[str | None, typer.Option(help="The vendor's suggestion: pass, review, block.")] = None,
    kind: Annotated[str | None, typer.Option(help="Such as vod.media_audit.")] = None,
    label: Annotated[str | None, typer.Option(help="A label of the verdict, in the vendor's word.")] = None,
    day: Annotated[
        str | None, typer.Option(metavar="DAY", help="Day of first sight, UTC: 2025-11-20.")
    ] = None,
    since: Annotated[str | None, typer.Option(metavar="DAY", help="First seen on that day or later.")] = None,
    media_id: Annotated[str | None, typer.Option(help="Settled jobs that work on this media.")] = None,
    needs: Annotated[
        Need | None, typer.Option(help="Those that need a person, for any reason or for this one.")
    ] = None,
    lost_callback: Annotated[
        bool, typer.Option("--lost-callback", help="Whose callback never came.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many at most.")] = 200,
    after: Annotated[str | None, typer.Option(help="Go on from the end of another page.")] = None,
    folder: Folder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """List jobs, newest first: all, or those for which everything holds that is given."""
    given = {
        "state": state and state.value,
        "verdict": verdict,
        "kind": kind,
        "label": label,
        "day": day,
        "since": since,
        "media_id": media_id,
        "needs": needs,
        "lost_callback": "1" if lost_callback else None,
    }
    with told_plainly(), opened(environment(folder), must_exist=folder) as services:
        try:
            wanted = Filter.read({name: text for name, text in given.items() if text})
            page = list_jobs(services, wanted, limit=limit, after=after)
        except ParseError as error:
            complain(str(error), Exit.WRONG_USE)
        told = [_summary(row, evidence_of(services, row)) for row in page.rows] if as_json else []
    if as_json:
        print_json({"jobs": told, "after": page.after, "unreadable": list(page.unreadable)})
    else:
        _print(page)


def _print(page: Listing) -> None:
    for key in page.unreadable:
        err().print(f"[bold red]error:[/] this version cannot read the row of {escape(key)}")
    out().print(jobs_table(list(page.rows)))
    if page.after is not None:
        out().print(f"There may be more: go on with --after {page.after}")


def _summary(row: JobRow, kept: Tally) -> dict[str, object]:
    return {
        "job": row.key,
        "kind": row.ref.kind,
        "job_id": row.ref.job_id,
        "state": row.state.value,
        "suggestion": row.text("suggestion"),
        "labels": lookups.labels(row),
        "evidence": counts(kept),
        "first_seen_at": moment(row.number("first_seen_at")),
        "first_seen_by": row.text("first_seen_by"),
        "next_at": moment(row.number("due_at")),
        "needs": list(attention.reasons(row.columns)),
        "reason": row.text("reason"),
    }
