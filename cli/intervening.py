"""`release`, `retry` and `acknowledge`: what only a person does to jobs."""

from __future__ import annotations

from typing import Annotated, Protocol

import typer

from cli.local_ledger import DEFAULT_FOLDER, Folder, environment, find_job, opened
from cli.terminal import AsJson, Exit, err, escape, out, print_json, told_plainly
from shared import interventions
from shared.errors import FunctionError, TemporaryError
from shared.interventions import Intervened
from shared.jobs import JobRef
from shared.ports import Services

Jobs = Annotated[list[str], typer.Argument(help="Vendor's job ids, kind/job id, or keys of the ledger.")]

_BY = "cli"
_ASKED = "the next run of the timer asks the vendor about it"
_TOLD: dict[str, str] = {
    "no such job": "the ledger does not know this job",
    "not quarantined": "it is not quarantined; `media-ledger retry` has it asked about again",
    "quarantined": "it is quarantined; `media-ledger release` lets it go on",
    "nothing to see": "nothing differs from its record that nobody has seen",
}


class _Intervention(Protocol):
    def __call__(self, services: Services, ref: JobRef, *, by: str) -> Intervened: ...


def release(names: Jobs, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Let quarantined jobs go on: they are tracked again, and asked about by the next run of the timer.

    What could not be read stays under quarantine/. Exit status 1 when any of the jobs was not released.
    """
    _intervene(interventions.release, names, folder, done=_ASKED, as_json=as_json)


def retry(names: Jobs, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Have jobs asked about now, and try at once what has failed after their settling.

    A settled job gets a new version if the answer makes one; it never goes back. Exit status 1 when any
    of the jobs was not taken.
    """
    _intervene(interventions.retry, names, folder, done=_ASKED, as_json=as_json)


def acknowledge(names: Jobs, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Say that you have seen what the vendor said otherwise later: these jobs need nobody for that any more.

    Nothing else of them changes, and what differs from now on is told again. Exit status 1 when there was
    nothing of the kind at any of the jobs.
    """
    _intervene(interventions.acknowledge, names, folder, done="seen", as_json=as_json)


def _intervene(
    intervene: _Intervention, names: list[str], folder: Folder, *, done: str, as_json: bool
) -> None:
    told: list[dict[str, str]] = []
    worst = Exit.DONE
    with told_plainly(), opened(environment(folder), must_exist=folder) as services:
        for name in names:
            outcome, status = _one(services, intervene, name)
            told.append({"job": name, "outcome": outcome})
            worst = max(worst, status)
    if as_json:
        print_json({"jobs": told})
    else:
        _tell(told, done)
    raise typer.Exit(worst)


def _one(services: Services, intervene: _Intervention, name: str) -> tuple[str, Exit]:
    """Do it to one job; what is wrong with it stops no other."""
    try:
        outcome = intervene(services, find_job(services, name).ref, by=_BY)
    except FunctionError as error:
        return str(error), Exit.LATER if isinstance(error, TemporaryError) else Exit.NEEDS_A_PERSON
    return outcome, Exit.DONE if outcome == "done" else Exit.NEEDS_A_PERSON


def _tell(told: list[dict[str, str]], done: str) -> None:
    words = {**_TOLD, "done": done}
    for one in told:
        text = escape(f"{one['job'][:200]}: {words.get(one['outcome'], one['outcome'])}")
        if one["outcome"] == "done":
            out().print(text)
        else:
            err().print(f"[bold red]error:[/] {text}")
