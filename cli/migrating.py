"""`migrate`: may this release work on that ledger, and what does it lack?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import typer

from cli.local_ledger import DEFAULT_FOLDER, Folder, environment, opened
from cli.terminal import AsJson, Exit, err, escape, out, print_json, told_plainly
from shared.backfill import Backfilled, backfill
from shared.compatibility import Compatibility, check
from shared.kinds import Kind
from shared.ports import Services
from shared.replay.selection import Selection, batches


def migrate(
    look: Annotated[
        bool, typer.Option("--check", help="Say what this release finds there, and write nothing.")
    ] = False,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DAY", help="Only jobs first seen since then, UTC."),
    ] = None,
    folder: Folder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Give jobs that an older release wrote what lists find them by: kind, need of a person, look-up rows.

    What is there stays, and nothing has to stand still for it. Broken off, it is run again, with --since the
    day it had come to. Tables and indexes are made by `init`, records of a newer normalizer by `replay`.

    With --check, say whether this release can read what is in the ledger, and which records it would make
    anew: every row is read, and some records of each normalizer. Exit status 1 when something cannot be read,
    or is known to another release alone.
    """
    selection = Selection(first=since and since.date())
    with told_plainly(), opened(environment(folder), must_exist=folder) as services:
        if look:
            _check(services, selection, as_json=as_json)
        else:
            _backfill(services, selection, as_json=as_json)


def _backfill(services: Services, selection: Selection, *, as_json: bool) -> None:
    done = Backfilled()
    with err().status("beginning ...") as status:
        for batch in batches(services, selection):
            backfill(services, batch.keys, done)
            status.update(f"{done.jobs:,} jobs so far, the last of {batch.cursor.place[0]} ...")
    if as_json:
        print_json({"jobs": done.jobs, "changed": done.changed, "unreadable": done.unreadable})
    else:
        for key in done.unreadable:
            out().print(f"[bold red]cannot be read:[/] {escape(key)}")
        out().print(f"{done.jobs:,} jobs looked at, {done.changed:,} rows completed")
    raise typer.Exit(Exit.NEEDS_A_PERSON if done.unreadable else Exit.DONE)


def _check(services: Services, selection: Selection, *, as_json: bool) -> None:
    seen = Compatibility()
    with err().status("looking ...") as status:
        for batch in batches(services, selection):
            check(services, batch.keys, seen)
            status.update(f"{seen.jobs:,} jobs so far ...")
    kinds = services.kinds
    if as_json:
        print_json(_document(seen, kinds))
    else:
        _tell(seen, kinds)
    raise typer.Exit(Exit.NEEDS_A_PERSON if seen.needs_a_person else Exit.DONE)


def _document(seen: Compatibility, kinds: Mapping[str, Kind]) -> dict[str, Any]:
    return {
        "jobs": seen.jobs,
        "unlisted": seen.unlisted,
        "records_read": seen.records_read,
        "unreadable": seen.unreadable_count,
        "examples": [{"job": job, "reason": reason} for job, reason in seen.unreadable],
        "unknown_effects": dict(sorted(seen.unknown_effects.items())),
        "unknown_kinds": dict(sorted(seen.unknown_kinds.items())),
        "normalizers": [
            {"kind": kind, "made_by": version, "this_has": _present(kinds, kind), "jobs": jobs}
            for (kind, version), jobs in sorted(seen.normalizers.items())
        ],
    }


def _tell(seen: Compatibility, kinds: Mapping[str, Kind]) -> None:
    console = out()
    for job, reason in seen.unreadable:
        console.print(f"[bold red]cannot be read:[/] {escape(job)}: {escape(reason)}")
    for what, counted in (("effect", seen.unknown_effects), ("kind", seen.unknown_kinds)):
        for name, count in sorted(counted.items()):
            console.print(f"[bold red]unknown {what}:[/] {escape(name)}, in {count:,} jobs")
    for (kind, version), jobs in sorted(seen.normalizers.items()):
        present = _present(kinds, kind)
        if present is not None and version < present:
            told = f"{jobs:,} records of {kind} by normalizer {version}, this has {present}"
            console.print(escape(f"{told}: media-ledger replay --kind {kind} --against"))
        elif present is not None and version > present:
            console.print(
                escape(f"{jobs:,} records of {kind} by the newer normalizer {version} stay as they are")
            )
    if seen.unlisted:
        console.print(f"{seen.unlisted:,} jobs are not in every list where they belong: media-ledger migrate")
    left = f"{seen.unreadable_count:,} cannot be read" if seen.unreadable_count else "all can be read"
    console.print(f"{seen.jobs:,} jobs, {seen.records_read:,} records looked at: {left}")


def _present(kinds: Mapping[str, Kind], kind: str) -> int | None:
    return kinds[kind].normalizer_version if kind in kinds else None
