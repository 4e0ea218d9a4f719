"""`replay`: stored raw answers normalized again, or what that would change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.table import Table

from cli.local_ledger import DEFAULT_FOLDER, Folder, environment, find_job, opened
from cli.looking import moment
from cli.progress import progress
from cli.replay_page import page
from cli.replay_workers import Wish, in_processes, in_this_process
from cli.terminal import AsJson, Exit, complain, escape, out, print_json, told_plainly
from shared.kinds import KINDS
from shared.places import Inline
from shared.ports import Services
from shared.replay import tasks
from shared.replay.run import Work, run
from shared.replay.selection import Selection, batches
from shared.replay.tally import Tally
from shared.settings import Settings

_SHOWN = 40


@dataclass(frozen=True)
class _Order:
    """What a person asked for: jobs by name, or a selection; where, and how."""

    names: Sequence[str]
    selection: Selection
    wish: Wish
    processes: int
    shards: int


def replay(
    jobs: Annotated[
        list[str] | None,
        typer.Option("--job", help="A job's id, kind/job id, or ledger key; may be repeated."),
    ] = None,
    kinds: Annotated[
        list[str] | None, typer.Option("--kind", help=f"One of: {', '.join(KINDS)}; may be repeated.")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DAY", help="Jobs first seen since then, UTC."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DAY", help="Jobs first seen until then, UTC."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say how many would get a new version.")
    ] = False,
    against: Annotated[
        bool,
        typer.Option("--against", help="Only compare: which fields would differ, from what to what."),
    ] = False,
    deliver: Annotated[
        bool, typer.Option("--deliver", help="Tell targets of new versions, by the rules of LEDGER_DELIVERY.")
    ] = False,
    processes: Annotated[int, typer.Option(min=1, max=64, help="So many processes on this machine.")] = 1,
    shards: Annotated[
        int,
        typer.Option(
            min=0, max=16, help="So many invocations of the function replay, in place of processes."
        ),
    ] = 0,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write what would differ as a page.")
    ] = None,
    folder: Folder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Normalize stored raw answers again: no vendor is asked, and nobody is told without --deliver.

    A newer normalizer gives a new version beside the old one, the same one changes nothing. One that was
    interrupted goes on where it stopped when the same is asked for again. Exit status 1 when a job needs a
    person, 3 when some were busy or a store was away: replay them again.
    """
    wish = Wish(deliver, is_rehearsal=dry_run or against, against=against)
    order = _order(jobs or [], kinds or [], since, until, wish, processes=processes, shards=shards)
    if html is not None and not against:
        complain("--html goes with --against", Exit.WRONG_USE)
    with told_plainly():
        settings = environment(folder)
        if shards and isinstance(Settings.read(settings).invoker, Inline):
            complain("--shards needs LEDGER_INVOKER: where the functions are", Exit.WRONG_USE)
        with opened(settings, must_exist=folder) as services, _bar() as tell:
            tally = _replayed(services, settings, order, tell)
            made_at = moment(services.clock.now()) or ""
    if html is not None:
        html.write_text(page(tally, title="Replay, compared", made_at=made_at), encoding="utf-8")
    if as_json:
        print_json({**tally.document(), "written": not wish.is_rehearsal})
    else:
        _show(tally, wish)
    raise typer.Exit(_status(tally))


def _order(
    names: Sequence[str],
    kinds: Sequence[str],
    since: datetime | None,
    until: datetime | None,
    wish: Wish,
    *,
    processes: int,
    shards: int,
) -> _Order:
    """Refuse what contradicts itself, before anything is opened."""
    for kind in kinds:
        if kind not in KINDS:
            complain(f"unknown kind {kind[:40]}: known are {', '.join(KINDS)}", Exit.WRONG_USE)
    if bool(names) == bool(kinds or since or until):
        complain("say what to replay: --job JOB, or --kind KIND, --since DAY, --until DAY", Exit.WRONG_USE)
    if since and until and since > until:
        complain("--since is after --until", Exit.WRONG_USE)
    if wish.is_rehearsal and wish.deliver:
        complain("--deliver goes with neither --dry-run nor --against", Exit.WRONG_USE)
    if shards and (names or wish.is_rehearsal or processes > 1):
        complain("--shards goes with none of --job, --dry-run, --against, --processes", Exit.WRONG_USE)
    selection = Selection(tuple(sorted(set(kinds))), since and since.date(), until and until.date())
    return _Order(names, selection, wish, processes, shards)


def _replayed(
    services: Services, settings: dict[str, str], order: _Order, tell: Callable[[Tally], None]
) -> Tally:
    if order.shards:
        deliver = order.wish.deliver
        return tasks.replay_in_shards(
            services, order.selection, shards=order.shards, deliver=deliver, tell=tell
        )
    if order.processes == 1 or order.names:
        return _here(services, order, in_this_process(services, order.wish), tell)
    with in_processes(settings, order.wish, order.processes) as work:
        return _here(services, order, work, tell)


def _here(services: Services, order: _Order, work: Work, tell: Callable[[Tally], None]) -> Tally:
    wish = order.wish
    if order.names:
        return wish.do(services, [find_job(services, name).key for name in order.names])
    if not wish.is_rehearsal:
        done = run(services, order.selection, work, deliver=wish.deliver, tell=lambda now: tell(now.tally))
        return done.tally
    total = Tally()
    for _, counted in work(batches(services, order.selection)):
        total.add(counted)
        tell(total)
    return total


@contextmanager
def _bar() -> Iterator[Callable[[Tally], None]]:
    """Show how far it is, and how fast."""
    with progress("jobs") as shown:
        task, is_begun = shown.add_task("replayed", total=None), False

        def tell(tally: Tally) -> None:
            nonlocal is_begun
            if not is_begun:  # what an interrupted run had done does not make this one fast
                shown.reset(task, completed=tally.jobs)
                is_begun = True
            shown.update(task, completed=tally.jobs)

        yield tell


def _status(tally: Tally) -> Exit:
    if tally.needs_a_person:
        return Exit.NEEDS_A_PERSON
    return Exit.LATER if tally.is_left else Exit.DONE


def _show(tally: Tally, wish: Wish) -> None:
    console = out()
    if wish.against:
        _show_changes(tally)
    for did in sorted(tally.problems):
        for job, reason in tally.problems[did]:
            console.print(f"[bold red]{did}:[/] {escape(job)}: {escape(reason)}")
    words = {"moved": "would get a new version" if wish.is_rehearsal else "got a new version"}
    told = (f"{count:,} {words.get(did, did)}" for did, count in sorted(tally.outcomes.items()))
    console.print(f"{tally.jobs:,} jobs: {', '.join(told)}" if tally.jobs else "no jobs")


def _show_changes(tally: Tally) -> None:
    table = Table(box=SIMPLE)
    for column in ("field", "from", "to"):
        table.add_column(column, overflow="fold")
    table.add_column("jobs", justify="right")
    table.add_column("such as", overflow="fold")
    ranked = tally.ranked()
    for one, jobs in ranked[:_SHOWN]:
        example = tally.examples[one][0]
        table.add_row(*map(escape, (one.field, one.before, one.after)), f"{jobs:,}", escape(example))
    if ranked:
        out().print(table)
    if len(ranked) > _SHOWN:
        out().print(f"... and {len(ranked) - _SHOWN:,} more; --json lists all")
    for one, jobs in ranked:
        if one.field == "verdict.suggestion":
            out().print(escape(f"{jobs:,} jobs change suggestion {one.before} → {one.after}"))
