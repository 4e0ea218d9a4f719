"""What came of deliveries, told job by job and target by target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.box import SIMPLE
from rich.table import Table

from cli.looking import moment
from cli.terminal import Exit, escape, out

_SHOWN = 50

Outcome = Literal["delivered", "put off", "undelivered", "left to the timer", "to be told", "nobody", "error"]
_NEEDS_A_PERSON: frozenset[Outcome] = frozenset(("undelivered", "nobody"))
_COMES_LATER: frozenset[Outcome] = frozenset(("put off", "error"))
_COLOUR: dict[Outcome, str] = {
    "delivered": "green",
    "put off": "yellow",
    "undelivered": "red",
    "nobody": "red",
    "error": "red",
}


@dataclass(frozen=True)
class Told:
    """What came of a job and a target; without a target, why nobody is told of the job."""

    job: str
    outcome: Outcome
    target: str | None = None
    version: int | None = None
    next_at: int | None = None
    reason: str | None = None

    def document(self) -> dict[str, object]:
        """Give it ready for JSON."""
        return {**vars(self), "outcome": self.outcome.replace(" ", "_"), "next_at": moment(self.next_at)}


def status(told: Sequence[Told]) -> Exit:
    """Give the exit status: what needs a person goes before what comes later."""
    found = {one.outcome for one in told}
    if found & _NEEDS_A_PERSON:
        return Exit.NEEDS_A_PERSON
    return Exit.LATER if found & _COMES_LATER else Exit.DONE


def show(told: Sequence[Told]) -> None:
    """Print a table for people, why something was not taken, and the sums."""
    first = sorted(told, key=lambda one: one.outcome == "delivered")[:_SHOWN]
    if first:
        out().print(_table(first))
    for why, count in Counter(filter(None, map(_why, first))).items():
        out().print(escape(f"{why} ({count} times)" if count > 1 else why))
    if len(told) > len(first):
        out().print(f"... and {len(told) - len(first):,} more; --json lists all")
    sums = Counter(one.outcome for one in told)
    out().print(", ".join(f"{count:,} {what}" for what, count in sums.items()) or "nothing to deliver again")


def _table(told: Sequence[Told]) -> Table:
    table = Table(box=SIMPLE)
    table.add_column("job", overflow="fold")
    for column in ("target", "version", "outcome", "next try"):
        table.add_column(column, no_wrap=True)
    for one in told:
        outcome = f"[{_COLOUR.get(one.outcome, 'cyan')}]{one.outcome}[/]"
        version = str(one.version or "")
        table.add_row(escape(one.job), one.target or "", version, outcome, moment(one.next_at) or "")
    return table


def _why(one: Told) -> str | None:
    return None if one.reason is None else f"{one.target or one.job}: {one.reason}"
