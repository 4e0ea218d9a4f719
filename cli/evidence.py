"""`evidence`: what became of the pictures and files that findings point at, and links to look at them."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from cli.local_ledger import DEFAULT_FOLDER, Folder, environment, find_job, opened
from cli.looking import Job, moment
from cli.terminal import AsJson, out, print_json, printable, told_plainly
from shared import evidence_rows
from shared.entries import members
from shared.evidence import EvidenceRow
from shared.job_row import JobRow
from shared.policy import DAY, HOUR, MINUTE
from shared.ports import Services

_LINK_SECONDS = 10 * 60
_COLOUR = {"kept": "green", "lost": "red", "pending": "yellow"}

Links = Annotated[
    bool,
    typer.Option("--links", help="Make links to what is kept, for whoever has them, and for ten minutes."),
]


def evidence(
    name: Job, links: Links = False, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False
) -> None:
    """Show what became of a job's evidence; with --links, give addresses at which to look at it now."""
    with told_plainly(name), opened(environment(folder), must_exist=folder) as services:
        row = find_job(services, name)
        rows = evidence_rows.read_all(services.ledger, row.key)
        told = [_item(services, row, rows[one], links=links) for one in sorted(rows)]
    if as_json:
        hold = None if row.hold is None else {**members(row.hold), "at": moment(row.hold.at)}
        print_json({"job": row.key, "digest": row.text("digest"), "hold": hold, "items": told})
        return
    if row.hold is not None:
        since = f"{row.hold.status} since {moment(row.hold.at)} by {row.hold.by}: {row.hold.reason}"
        out().print(Text(printable(since)))
    out().print(_table(told))
    for one in told:
        if links and one["link"]:
            out().print(Text(f"{one['id']}  {one['link']}"))


def _item(services: Services, row: JobRow, one: EvidenceRow, *, links: bool) -> dict[str, Any]:
    now = services.clock.now()
    is_kept = links and one.status == "kept" and one.key is not None
    return {
        "id": one.id,
        "status": one.status,
        "is_present": row.text("digest") in one.digests,
        "is_at_risk": one.is_at_risk(now),
        "expires_at": moment(one.expires_at),
        "slack_ms": one.expires_at - now if one.status == "pending" else None,
        "attempts": one.attempts,
        "size": one.size,
        "content_type": one.content_type,
        "key": one.key,
        "sha256": one.sha256,
        "reason": one.reason,
        "source": one.source,
        "link": services.objects.link(str(one.key), seconds=_LINK_SECONDS) if is_kept else None,
    }


def _table(told: list[dict[str, Any]]) -> Table:
    table = Table(box=SIMPLE, pad_edge=False)
    for title in ("id", "status", "bytes", "time left", "source", "reason"):
        table.add_column(title, overflow="fold", justify="right" if title == "bytes" else "left")
    for one in told:
        status = one["status"] if one["is_present"] else f"{one['status']} (earlier version)"
        table.add_row(
            one["id"],
            Text(status, style=_COLOUR[one["status"]]),
            "" if one["size"] is None else str(one["size"]),
            Text(_left(one["slack_ms"]), style="bold red" if one["is_at_risk"] else ""),
            Text(printable(one["source"])),
            Text(printable(one["reason"] or "")),
        )
    return table


def _left(slack: int | None) -> str:
    """Write how long an item can still be had, in its two largest units."""
    if slack is None:
        return ""
    if slack <= 0:
        return "none"
    days, hours, minutes = slack // DAY, slack % DAY // HOUR, slack % HOUR // MINUTE
    return f"{days} d {hours} h" if days else f"{hours} h {minutes} min"
