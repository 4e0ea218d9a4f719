"""`redeliver`: tell targets once more of settled jobs, at once or by the timer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from itertools import islice
from typing import Annotated

import typer

from cli.delivery_outcomes import Outcome, Told, show, status
from cli.local_ledger import DEFAULT_FOLDER, Folder, environment, find_job, opened
from cli.looking import listed
from cli.progress import progress
from cli.sending_here import send, without_key
from cli.terminal import AsJson, Exit, complain, print_json, told_plainly
from shared import redelivery
from shared.delivery.outbox import heads
from shared.delivery.words import unknown
from shared.errors import FunctionError, TemporaryError
from shared.explanation import name_to_type
from shared.job_row import JobRow, read_job
from shared.ports import Services
from shared.redelivery import Redelivery
from shared.settings import Settings
from shared.toolkit.masking import Masker

_BY = "cli"
_DAYS = 30
_MOST_DAYS = 3_660
_BATCH = 32
_SUBJECT = 200


@dataclass(frozen=True)
class _Wish:
    """What a person asked for: which targets, and when."""

    targets: frozenset[str] | None
    only_undelivered: bool
    sends: bool
    is_dry: bool
    tells_of_nobody: bool
    """Whether a job that nobody is to be told of is worth a line."""


def redeliver(
    jobs: Annotated[
        list[str] | None,
        typer.Option("--job", help="A job's id, kind/job id, or ledger key; may be repeated."),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], metavar="DAY", help="All settled jobs first seen since then, UTC."
        ),
    ] = None,
    undelivered: Annotated[
        bool,
        typer.Option(
            "--undelivered",
            help=f"Only what a target never took; of the last {_DAYS} days, or of --since or --job.",
        ),
    ] = False,
    to: Annotated[
        list[str] | None, typer.Option(metavar="TARGET", help="Only this target; may be repeated.")
    ] = None,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Leave the sending to the timer and the function deliver.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say who would be told of what.")] = False,
    folder: Folder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Tell targets once more of settled jobs: the present version, the same event, a new delivery id.

    Without --undelivered it is for every target whose rules match, and every one that never took a version.
    Exit status 1 when a job or a target needs a person, 3 when something is put off; that is tried again by
    itself, as long as the timer runs.
    """
    if jobs and since:
        complain("name jobs with --job, or a day with --since, not both", Exit.WRONG_USE)
    if not (jobs or since or undelivered):
        complain("say what to deliver again: --job JOB, --since DAY or --undelivered", Exit.WRONG_USE)
    wish = _Wish(
        frozenset(to) if to else None,
        only_undelivered=undelivered,
        sends=not (no_wait or dry_run),
        is_dry=dry_run,
        tells_of_nobody=bool(jobs) or undelivered,
    )
    with told_plainly():
        settings = environment(folder)
        _check(Settings.read(settings), wish)
        with opened(settings, must_exist=folder) as services:
            chosen = _named(services, jobs) if jobs else _listed(services, since, wish)
            told = list(_deliver_all(services, chosen, wish))
    if as_json:
        print_json({"deliveries": [one.document() for one in told]})
    else:
        show(told)
    raise typer.Exit(status(told))


def _check(settings: Settings, wish: _Wish) -> None:
    """Refuse what would be wrong for every job, before anything is written."""
    names = [target.name for target in settings.delivery.targets]
    if not names:
        complain(
            "LEDGER_DELIVERY is not set here: set it to the plan of the deployed functions", Exit.WRONG_USE
        )
    for name in sorted(wish.targets or ()):
        if name not in names:
            complain(f"--to: the target {unknown(name, names)}", Exit.WRONG_USE)
    missing = sorted(without_key(settings) & (wish.targets or frozenset(names)))
    if missing and wish.sends:
        what = f"LEDGER_DELIVERY_KEYS has no key for {', '.join(missing)} here"
        complain(f"{what}: set it, choose others with --to, or add --no-wait", Exit.WRONG_USE)


def _named(services: Services, names: Sequence[str]) -> Iterator[JobRow | Told]:
    """Give the jobs of these names; what is wrong with one stops no other."""
    for name in names:
        try:
            yield find_job(services, name)
        except FunctionError as error:
            yield _failed(name, error)


def _listed(services: Services, since: datetime | None, wish: _Wish) -> Iterator[JobRow]:
    """Give the settled jobs that were first seen since a day, as far as the wish may concern them."""
    today = datetime.fromtimestamp(services.clock.now() / 1000, timezone.utc).date()
    days = (today - since.date()).days + 1 if since else _DAYS
    if not 0 < days <= _MOST_DAYS:
        complain(f"--since must be a day of the last {_MOST_DAYS:,}, and not after {today}", Exit.WRONG_USE)
    for row in listed(services, days):
        lost = [one for one in row.undelivered if wish.targets is None or one.target in wish.targets]
        if lost if wish.only_undelivered else row.state.is_terminal:
            yield row


def _deliver_all(services: Services, chosen: Iterator[JobRow | Told], wish: _Wish) -> Iterator[Told]:
    """Do it batch by batch, so that a long list shows how far it is."""
    with progress("jobs") as shown:
        task = shown.add_task("redelivered", total=None)
        while batch := list(islice(chosen, _BATCH)):
            yield from (one for one in batch if isinstance(one, Told))
            yield from _deliver(services, [one for one in batch if isinstance(one, JobRow)], wish)
            shown.advance(task, len(batch))


def _deliver(services: Services, rows: Sequence[JobRow], wish: _Wish) -> Iterator[Told]:
    decide = _rehearsed if wish.is_dry else _put_back
    decided = services.parallel.run([partial(decide, services, row, wish) for row in rows])
    keys = [row.key for row, done in zip(rows, decided, strict=True) if done.value and done.value.targets]
    if keys and wish.sends:
        send(services, keys)
    for row, done in zip(rows, decided, strict=True):
        if isinstance(done.error, FunctionError):
            yield _failed(row.key, done.error)
        elif names := done.result().targets:
            after = read_job(services.ledger, row.key) or row
            yield from (_became(after, name, wish) for name in names)
        elif wish.tells_of_nobody:
            yield Told(row.key, "nobody", reason=_why_nobody(services, row, wish, done.result()))


def _put_back(services: Services, row: JobRow, wish: _Wish) -> Redelivery:
    return redelivery.redeliver(
        services, row.ref, by=_BY, targets=wish.targets, only_undelivered=wish.only_undelivered
    )


def _rehearsed(services: Services, row: JobRow, wish: _Wish) -> Redelivery:
    return redelivery.decide(services, row, targets=wish.targets, only_undelivered=wish.only_undelivered)


def _became(row: JobRow, target: str, wish: _Wish) -> Told:
    """Read from a row what became of a delivery: what was taken has left the outbox."""
    told = partial(Told, row.key, target=target, version=row.number("version"))
    if wish.is_dry:
        return told("to be told")
    first = next((one for one in heads(row.outbox) if one.target == target), None)
    if first is not None:
        behind = f"version {first.version} goes first" if first.version < row.count("version") else ""
        outcome: Outcome = "put off" if wish.sends else "left to the timer"
        return told(
            outcome, next_at=first.next_at, reason=": ".join(filter(None, (behind, first.last))) or None
        )
    lost = next((one for one in row.undelivered if one.target == target), None)
    return told("delivered") if lost is None else told("undelivered", reason=lost.reason)


def _why_nobody(services: Services, row: JobRow, wish: _Wish, decided: Redelivery) -> str | None:
    plan = services.policy.delivery
    gone = sorted({one.target for one in row.undelivered if plan.target(one.target) is None})
    if not row.state.is_terminal:
        return decided.reason
    if gone:
        return f"LEDGER_DELIVERY has no target {', '.join(gone)} any more"
    if wish.only_undelivered:
        return "no target lacks it"
    return f"no rule sends it there: media-ledger rules --job {name_to_type(row)}"


def _failed(job: str, error: FunctionError) -> Told:
    is_later = isinstance(error, TemporaryError)
    return Told(job[:_SUBJECT], "error" if is_later else "nobody", reason=Masker().text(str(error)))
