"""`recheck`: does the vendor still say of settled jobs what it said?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Literal

import typer

from cli.local_ledger import DEFAULT_FOLDER, Folder, environment, find_job, opened
from cli.progress import progress
from cli.terminal import AsJson, Exit, complain, err, escape, out, print_json, told_plainly
from shared import bootstrap, effects, settlement
from shared.errors import FunctionError, MisconfiguredError, TemporaryError
from shared.explanation import name_to_type
from shared.job_row import JobRow, read_job
from shared.policy import MINUTE
from shared.ports import Services
from shared.rechecking import MOST_DAYS, MOST_JOBS, Sample, make_due, make_sample_due
from shared.settlement import Outcome
from shared.toolkit.masking import Masker

# Longer than any one query and its commit take.
_JOB_TIME = 2 * MINUTE

Became = Literal["as recorded", "new version", "differs", "put off", "left"]
_STATUS = {"as recorded": Exit.DONE, "new version": Exit.DONE, "differs": Exit.NEEDS_A_PERSON}


@dataclass(frozen=True)
class _Checked:
    """What came of one job; `why` is what differs, or what kept it from being asked about."""

    job: str
    became: Became
    why: str | None = None


def recheck(
    jobs: Annotated[
        list[str] | None,
        typer.Argument(metavar="JOB...", help="Vendor's job ids, kind/job id, or keys of the ledger."),
    ] = None,
    sample: Annotated[
        int | None, typer.Option(min=1, max=MOST_JOBS, help="So many settled jobs, drawn at random.")
    ] = None,
    days: Annotated[
        int, typer.Option(min=1, max=MOST_DAYS, help="From how many last days of first sight they are drawn.")
    ] = 30,
    folder: Folder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Ask the vendor again about settled jobs, and hold its answers against their records.

    A complete answer of the same status that says something else is a new version; any other difference
    leaves the record. What differs (status, verdict, labels, timeline, counts) is noted in the job's row
    and told. Exit status 1 when a record was contradicted, 3 when a job could not be asked about now.
    """
    if (jobs is None) == (sample is None):
        complain("name jobs, or say how many with --sample", Exit.WRONG_USE)
    with told_plainly(), opened(environment(folder), must_exist=folder) as services:
        names = jobs if jobs is not None else make_sample_due(services, Sample(sample or 0, days))
        checked = list(_recheck(bootstrap.within_run_budget(services), names))
    if as_json:
        print_json({"jobs": [asdict(one) for one in checked]})
    else:
        _tell(checked)
    raise typer.Exit(max((_STATUS.get(one.became, Exit.LATER) for one in checked), default=Exit.DONE))


def _recheck(services: Services, names: Sequence[str]) -> Iterator[_Checked]:
    with progress("jobs") as shown:
        task = shown.add_task("rechecked", total=len(names))
        for name in names:
            row = find_job(services, name)
            in_time = replace(services, deadline=services.clock.now() + _JOB_TIME)
            yield _check(in_time, row)
            shown.advance(task)


def _check(services: Services, row: JobRow) -> _Checked:
    """Ask about one job; what keeps it from being asked about stops no other, unless it would stop all."""
    job = name_to_type(row)
    if not row.state.is_terminal:
        return _Checked(job, "left", f"{row.state.value}: only settled jobs are asked about again")
    try:
        outcome = _asked(services, row)
        effects.drain(services, row.key)
    except TemporaryError as error:
        return _Checked(job, "put off", Masker().text(str(error)))
    if outcome is None:
        return _Checked(job, "put off", "somebody else is asking about it")
    if isinstance(outcome.error, MisconfiguredError):
        raise outcome.error
    return _judged(job, outcome)


def _asked(services: Services, row: JobRow) -> Outcome | None:
    if not row.wants_query(services.clock.now()) and not make_due(services, row):
        return None
    due = read_job(services.ledger, row.key)
    return None if due is None else settlement.settle(services, due, by="person")


def _judged(job: str, outcome: Outcome) -> _Checked:
    if outcome.did == "settled":
        return _Checked(job, "new version", outcome.drift)
    if outcome.did == "confirmed":
        return _Checked(job, "as recorded")
    if outcome.did == "drifted":
        return _Checked(job, "differs", outcome.drift)
    error = outcome.error
    return _Checked(job, "put off", str(error) if isinstance(error, FunctionError) else outcome.did)


def _tell(checked: Sequence[_Checked]) -> None:
    for one in checked:
        if one.became != "as recorded":
            console = err() if one.became in ("put off", "left") else out()
            told = ": ".join(filter(None, (one.job, one.became, one.why)))
            console.print(escape(told))
    same = sum(one.became == "as recorded" for one in checked)
    out().print(f"{same} of {len(checked)} jobs are as recorded")
