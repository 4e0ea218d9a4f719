"""`init`: make archive and ledger ready for use, or say what differs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import typer

from cli.local_ledger import DEFAULT_FOLDER, Folder, environment, telling_no_place
from cli.terminal import AsJson, Exit, err, escape, out, print_json, told_plainly
from shared.bootstrap.preparation import Prepared, prepare
from shared.settings import Settings


def init(folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Create the tables and indexes of the ledger, and check that the archive can be reached.

    Where they are, LEDGER_TABLES and LEDGER_OBJECTS say. What exists is compared and never changed, so it can
    be run at any time; exit status 1 when something differs. Needs more rights than the functions have.
    """
    with told_plainly(), telling_no_place(), err().status("looking at archive and ledger ..."):
        prepared = prepare(Settings.read(environment(folder)))
    if as_json:
        print_json([asdict(one) for one in prepared])
    else:
        for line in (line for one in prepared for line in _lines(one)):
            out().print(line)
    if any(one.differences for one in prepared):
        raise typer.Exit(Exit.NEEDS_A_PERSON)


def _lines(one: Prepared) -> Iterator[str]:
    did = f"made {', '.join(one.made)}" if one.made else "is there, nothing to make"
    yield f"[bold]{one.what}[/] {escape(one.where)}: {escape(did)}"
    for difference in one.differences:
        yield f"  [bold red]differs:[/] {escape(difference)}"
