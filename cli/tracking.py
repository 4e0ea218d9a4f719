"""`track`: announce submitted jobs to the ledger, so that a callback that never comes is noticed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from typing import Annotated

import typer

from cli.local_ledger import DEFAULT_FOLDER, Folder, environment, opened
from cli.progress import progress
from cli.submit_lists import Line, lines_of_file
from cli.terminal import AsJson, Exit, complain, escape, out, print_json, told_plainly
from shared import tracking
from shared.announcements import FIELDS, Refusal, read_item
from shared.kinds import KINDS
from shared.policy import MINUTE
from shared.ports import Services
from shared.toolkit.masking import Masker
from shared.tracking import FAILED, Outcome, Receipt

_BATCH_TIME = 1 * MINUTE


@dataclass(frozen=True)
class Done:
    """How many items ended how, and which did not get into the ledger."""

    counts: Counter[str]
    failures: list[dict[str, str]]


def track(
    kind: Annotated[
        str | None, typer.Argument(help=f"One of: {', '.join(KINDS)}. With --file, for lines that say none.")
    ] = None,
    job_ids: Annotated[
        list[str] | None, typer.Argument(metavar="JOB_ID...", help="The vendor's ids.")
    ] = None,
    file: Annotated[
        str | None,
        typer.Option(
            help="Jobs, one in each line: CSV with a heading, or JSON objects; - reads standard input."
            f" Columns or fields: {', '.join(FIELDS)}; an object may have answer, what a Submit action"
            " answered, in place of job_id, or be that answer itself."
        ),
    ] = None,
    region: Annotated[
        str | None, typer.Option(help="Where they were submitted, such as cn-shanghai.")
    ] = None,
    user_id: Annotated[str | None, typer.Option(help="The account that submitted them.")] = None,
    output: Annotated[
        str | None, typer.Option(help="Where they write: oss://bucket.oss-region.aliyuncs.com/key.")
    ] = None,
    media_id: Annotated[str | None, typer.Option(help="What they work on.")] = None,
    folder: Folder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Announce submitted jobs, as arguments or from a file; nobody is asked about them yet.

    Options stand in for what a line does not say. A line that is wrong is told with its number and stops no
    other: exit status 2. It can be run again at any time: what the ledger knows is left as it is.
    """
    given = {"kind": kind, "region": region, "user_id": user_id, "output": output, "media_id": media_id}
    defaults = {name: value for name, value in given.items() if value is not None}
    _check(kind, job_ids, file, defaults)
    with (
        told_plainly(),
        _lines(file, job_ids or [], defaults) as lines,
        opened(environment(folder)) as services,
    ):
        done = announce(services, lines, as_json=as_json)
    tell(done, as_json=as_json)


def _check(
    kind: str | None, job_ids: list[str] | None, file: str | None, defaults: Mapping[str, str]
) -> None:
    """Refuse what would be wrong in every line, before anything is written."""
    if (file is None) == (not job_ids):
        complain("name the kind and the ids of jobs, or a --file", Exit.WRONG_USE)
    if kind is not None and kind not in KINDS:
        complain(f"unknown kind {kind}: known are {', '.join(KINDS)}", Exit.WRONG_USE)
    probe = read_item({"kind": "any", "job_id": "any", **defaults})
    if isinstance(probe, Refusal):
        complain(probe.reason, Exit.WRONG_USE)


def announce(services: Services, lines: Iterator[Line], *, as_json: bool) -> Done:
    """Announce batch by batch, until the end or until the ledger does not answer."""
    done = Done(Counter(), [])
    with progress("jobs") as shown:
        task = shown.add_task("announced", total=None)
        while batch := list(islice(lines, services.ledger.BATCH_LIMIT)):
            # What bounds an invocation bounds each batch here: a file takes as long as it takes.
            in_time = replace(services, deadline=services.clock.now() + _BATCH_TIME)
            receipts = tracking.announce(in_time, [line.item for line in batch])
            done.counts.update(tracking.counts(receipts))
            told = zip(batch, receipts, strict=True)
            failures = [_failure(line, receipt) for line, receipt in told if receipt.outcome in FAILED]
            done.failures.extend(failures)
            for failure in [] if as_json else failures:
                text = ": ".join(filter(None, failure.values()))
                shown.console.print(f"[bold red]error:[/] {escape(text)}")
            shown.advance(task, len(batch))
            if done.counts[Outcome.NOT_STORED.value]:
                break
    return done


def _failure(line: Line, receipt: Receipt) -> dict[str, str]:
    """Say which item did not get into the ledger and why, without anything secret in it."""
    told = {"place": line.place, "name": receipt.name, "outcome": receipt.outcome.value}
    return {name: Masker().text(text) for name, text in {**told, "reason": receipt.reason or ""}.items()}


def tell(done: Done, *, as_json: bool) -> None:
    """Say what became of all items, and end with an exit status unless each got into the ledger."""
    if as_json:
        print_json({**done.counts, "failed": done.failures})
    else:
        told = ", ".join(f"{n} {outcome.replace('_', ' ')}" for outcome, n in done.counts.items() if n)
        out().print(told or "nothing to announce")
    if done.counts[Outcome.NOT_STORED.value]:
        raise typer.Exit(Exit.LATER)
    if done.counts[Outcome.REFUSED.value]:
        raise typer.Exit(Exit.WRONG_USE)


@contextmanager
def _lines(file: str | None, job_ids: list[str], defaults: Mapping[str, str]) -> Iterator[Iterator[Line]]:
    """Give the items of the arguments or of the file, read as they are asked for."""
    if file is None:
        yield (
            Line(f"argument {position}", read_item({"job_id": job_id}, defaults))
            for position, job_id in enumerate(job_ids, start=1)
        )
    else:
        with lines_of_file(file, defaults) as lines:
            yield lines
