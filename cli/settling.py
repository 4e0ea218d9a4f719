"""`settle`: ask the vendor about one job, with your own keys, and record what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from cli.local_ledger import DEFAULT_FOLDER, Folder, environment, opened
from cli.looking import moment
from cli.terminal import AsJson, Exit, complain, err, escape, out, print_json, told_plainly
from shared import bootstrap, effects, settlement
from shared.errors import FunctionError, MisconfiguredError
from shared.job_row import JobRow, read_job
from shared.jobs import JobRef, State
from shared.kinds import KINDS
from shared.marks import Mark, mark
from shared.ports import Services
from shared.settlement import Outcome
from shared.vendor import REGION_PATTERN, USER_ID_PATTERN

_STATUS = {
    State.SUCCEEDED: Exit.DONE,
    State.FAILED: Exit.DONE,  # the vendor's own last word: recorded, nothing of ours is wrong
    State.QUARANTINED: Exit.NEEDS_A_PERSON,
    State.UNKNOWN: Exit.NEEDS_A_PERSON,
}


def settle(
    kind: Annotated[str, typer.Argument(help=f"One of: {', '.join(KINDS)}.")],
    job_id: Annotated[str, typer.Argument(help="The vendor's job id.")],
    region: Annotated[
        str | None, typer.Option(help="Where the job was submitted, such as cn-shanghai; or LEDGER_REGION.")
    ] = None,
    user_id: Annotated[str | None, typer.Option(help="Account id, for kinds whose query needs it.")] = None,
    endpoint: Annotated[
        str | None, typer.Option(help="Ask http://host:port instead of the vendor's regional address.")
    ] = None,
    folder: Folder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Ask the vendor about one job and keep answer, record and row in a folder here.

    Needs ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET; nothing is deployed. Exit
    status 3 while the vendor has not finished: run it again later.
    """
    found = KINDS.get(kind)
    if found is None:
        complain(f"unknown kind {kind}: known are {', '.join(KINDS)}", Exit.WRONG_USE)
    if region is not None and not re.fullmatch(REGION_PATTERN, region):
        complain(f"not a region: {region[:40]}; they look like cn-shanghai", Exit.WRONG_USE)
    if user_id is not None and not re.fullmatch(USER_ID_PATTERN, user_id):
        complain(f"not an account id: {user_id[:40]}; they are numbers", Exit.WRONG_USE)
    with told_plainly(job_id), opened(_environment(folder, found.product, endpoint)) as services:
        ref = JobRef(kind, job_id)
        with err().status(f"asking about {escape(job_id)} ..."):
            outcome = _settle(
                bootstrap.within_run_budget(services),
                Mark(ref, "cli", is_notification=False, region=region, user_id=user_id),
            )
        row = read_job(services.ledger, ref.key)
    _report(row, outcome, as_json=as_json)


def _environment(folder: Path, product: str, endpoint: str | None) -> dict[str, str]:
    """Give the environment, with an address for one product; those of others stay."""
    settings = environment(folder)
    if endpoint:
        pairs = settings.get("LEDGER_ENDPOINTS", "").split(",")
        others = [pair for pair in pairs if pair.strip() and pair.partition("=")[0].strip() != product]
        settings["LEDGER_ENDPOINTS"] = ",".join([*others, f"{product}={endpoint}"])
    return settings


def _settle(services: Services, wish: Mark) -> Outcome | None:
    lease = mark(services, wish)
    outcome = settlement.settle_claimed(services, lease, by="person") if lease else None
    effects.drain(services, wish.ref.key)
    return outcome


def _report(row: JobRow | None, outcome: Outcome | None, *, as_json: bool) -> None:
    assert row is not None  # it was just marked
    error = outcome.error if outcome else None
    if as_json:
        print_json(
            {
                "job": row.key,
                "state": row.state.value,
                "did": outcome.did if outcome else "nothing",
                "suggestion": row.text("suggestion"),
                "digest": row.text("digest"),
                "next_at": moment(row.number("query_at")),
                "reason": row.text("reason"),
                "notes": row.text("notes"),
            }
        )
    elif error is None:
        out().print(f"{row.ref.kind} {escape(row.ref.job_id)}: [bold]{row.state.value}[/]")
    if isinstance(error, FunctionError) and not as_json:
        err().print(f"[bold red]error:[/] {escape(str(error))}")
    status = Exit.WRONG_USE if isinstance(error, MisconfiguredError) else _STATUS.get(row.state, Exit.LATER)
    if status is Exit.LATER and not as_json:
        err().print(f"not settled; ask again after {moment(row.number('query_at'))}")
    raise typer.Exit(status)
