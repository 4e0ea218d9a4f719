"""`hold` and `release-hold`: evidence that must outlive the archive's own time limits."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.local_ledger import DEFAULT_FOLDER, Folder, environment, find_job, opened
from cli.looking import Job, moment
from cli.terminal import AsJson, Exit, complain, escape, out, print_json, told_plainly, user
from shared import holds
from shared.entries import members
from shared.holds import Held

_LONGEST_REASON = 500

Reason = Annotated[str, typer.Option(help="Why, for the audit: the number of a case, say.")]
By = Annotated[str | None, typer.Option(help="Who, for the audit; else the user of this machine.")]


def hold(
    name: Job, reason: Reason, by: By = None, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False
) -> None:
    """Copy a job's record, raw answer and kept evidence under held/, which nothing deletes by age.

    Again, it copies what has come since, and what a run that was cut short left out. Exit status 1 when
    something of the job is gone already, 3 when some of its evidence is not kept yet.
    """
    checked = _checked(reason)
    with told_plainly(name), opened(environment(folder), must_exist=folder) as services:
        held = holds.hold(services, find_job(services, name), by=by or user(), reason=checked)
    if as_json:
        told = {**members(held.hold), "at": moment(held.hold.at)}
        print_json({**told, "copied": held.copied, "missing": held.missing, "pending": held.pending})
    else:
        _tell(held)
    raise typer.Exit(_status(held))


def release_hold(
    name: Job, reason: Reason, by: By = None, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False
) -> None:
    """Take the copies of a held job away; its evidence lives as long as that of any other job.

    Exit status 1 for a job that is not held.
    """
    checked = _checked(reason)
    with told_plainly(name), opened(environment(folder), must_exist=folder) as services:
        removed = holds.release(services, find_job(services, name), by=by or user(), reason=checked)
    if removed is None:
        complain(f"{name[:200]}: this job is not held", Exit.NEEDS_A_PERSON)
    if as_json:
        print_json({"removed": removed})
    else:
        out().print(f"released: {removed} copies were taken away")


def _checked(reason: str) -> str:
    said = reason.strip()
    if not 0 < len(said) <= _LONGEST_REASON:
        complain(f"--reason needs 1 to {_LONGEST_REASON} characters", Exit.WRONG_USE)
    return said


def _status(held: Held) -> Exit:
    if held.missing:
        return Exit.NEEDS_A_PERSON
    return Exit.LATER if held.pending else Exit.DONE


def _tell(held: Held) -> None:
    console = out()
    console.print(f"{held.copied} new copies under held/ of version {held.hold.digest[:16]}")
    for key in held.missing:
        console.print(f"[bold red]gone:[/] {escape(key)}")
    if held.pending:
        console.print(f"{held.pending} pieces of evidence are not kept yet: hold the job again when they are")
