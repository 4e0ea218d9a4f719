"""`compare`: the ledger against what another system says of the same jobs, before that is switched off."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Annotated, Literal

import typer

from cli.local_ledger import DEFAULT_FOLDER, Folder, environment, opened
from cli.looking import listed
from cli.other_tables import COLUMNS, Said, Unreadable, is_open, other_table
from cli.progress import progress
from cli.terminal import AsJson, Exit, complain, err, escape, out, print_json, told_plainly
from shared.explanation import name_to_type
from shared.job_row import read_job
from shared.kinds import KINDS
from shared.ports import Services
from shared.toolkit.masking import Masker

_BATCH = 64
_EXAMPLES = 20

Outcome = Literal["same", "differs", "open", "only_there", "only_here", "unreadable"]
_OUTCOMES: tuple[Outcome, ...] = ("same", "differs", "open", "only_there", "only_here", "unreadable")


@dataclass
class _Comparison:
    """How many jobs are how, with the first few of each; `named` are those that the other system names."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    named: set[str] = field(default_factory=set)

    def add(self, outcome: Outcome, *words: str) -> None:
        self.counts[outcome] += 1
        if outcome != "same" and len(self.examples[outcome]) < _EXAMPLES:
            self.examples[outcome].append(Masker().text(": ".join(words)))

    def status(self) -> Exit:
        if any(self.counts[one] for one in ("differs", "only_there", "unreadable")):
            return Exit.NEEDS_A_PERSON
        return Exit.LATER if self.counts["open"] else Exit.DONE


def compare(
    file: Annotated[
        str,
        typer.Argument(
            help=f"What the other system says: CSV with a heading, or JSON lines, of {', '.join(COLUMNS)};"
            " the last three as far as they are there."
        ),
    ],
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="OURS=THEIRS", help="What it calls one of these columns; may be repeated."),
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help=f"For lines that say none. One of: {', '.join(KINDS)}.")
    ] = None,
    days: Annotated[
        int, typer.Option(min=0, max=3660, help="Look for jobs that only the ledger has, so many days back.")
    ] = 0,
    folder: Folder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Compare the ledger with another system's table; nothing is written, and no vendor is asked.

    Exit status 1 when a job differs or is only there, or a line names none; 3 when all that is missing is
    still open here.
    """
    columns = _columns(column or [])
    if kind is not None and kind not in KINDS:
        complain(f"unknown kind {kind}: known are {', '.join(KINDS)}", Exit.WRONG_USE)
    with told_plainly(), opened(environment(folder), must_exist=folder) as services:
        found = _Comparison()
        with other_table(file, columns, kind) as lines, progress("jobs") as shown:
            task = shown.add_task("compared", total=None)
            for batch in _batches(lines):
                _compare(services, batch, found)
                shown.advance(task, len(batch))
        for row in listed(services, days) if days else ():
            if row.key not in found.named:
                found.add("only_here", name_to_type(row), row.state.value)
    if as_json:
        print_json({**_counts(found), "examples": found.examples})
    else:
        _tell(found)
    raise typer.Exit(found.status())


def _columns(pairs: list[str]) -> dict[str, str]:
    columns: dict[str, str] = {}
    for pair in pairs:
        ours, equals, theirs = pair.partition("=")
        if ours not in COLUMNS or not equals or not theirs:
            complain(f"--column {pair}: say OURS=THEIRS, ours one of {', '.join(COLUMNS)}", Exit.WRONG_USE)
        columns[ours] = theirs
    return columns


def _batches(lines: Iterable[Said | Unreadable]) -> Iterator[list[Said | Unreadable]]:
    left = iter(lines)
    while batch := list(islice(left, _BATCH)):
        yield batch


def _compare(services: Services, batch: list[Said | Unreadable], found: _Comparison) -> None:
    said = [one for one in batch if isinstance(one, Said)]
    rows = services.parallel.run([partial(read_job, services.ledger, one.ref.key) for one in said])
    for bad in batch:
        if isinstance(bad, Unreadable):
            found.add("unreadable", bad.place, bad.reason)
    for one, done in zip(said, rows, strict=True):
        row, job = done.result(), f"{one.ref.kind}/{one.ref.job_id}"
        found.named.add(one.ref.key)
        if row is None:
            found.add("only_there", job, one.place)
        elif is_open(row):
            found.add("open", job, row.state.value)
        elif not row.state.is_terminal:
            found.add("differs", job, f"{row.state.value} here")
        elif differences := one.differences(row):
            found.add("differs", job, *differences)
        else:
            found.add("same")


def _counts(found: _Comparison) -> dict[str, object]:
    return {one: found.counts[one] for one in _OUTCOMES}


def _tell(found: _Comparison) -> None:
    told = [f"{count:,} {one.replace('_', ' ')}" for one in _OUTCOMES if (count := found.counts[one])]
    out().print(", ".join(told) or "no jobs there")
    for one in _OUTCOMES:
        for example in found.examples[one]:
            err().print(f"[bold]{one.replace('_', ' ')}:[/] {escape(example)}")
        if found.counts[one] > len(found.examples[one]) > 0:
            err().print(f"  and {found.counts[one] - len(found.examples[one]):,} more")
