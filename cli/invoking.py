"""`invoke`: run a deployed function on an event, here."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.demo_vendor import REGION, USER_ID
from cli.demonstration import TEMPLATE
from cli.local_ledger import DEFAULT_FOLDER, Folder, as_environment, environment
from cli.terminal import AlwaysJson, Exit, complain, functions_log_to, read_input, told_plainly
from localcloud.runner import InProcessRunner, InvocationError
from localcloud.template import read_template


def invoke(
    function: Annotated[str, typer.Argument(help="A function of template.yml, such as callback.")],
    event: Annotated[str, typer.Option("--event", "-e", help="The event's file; - reads standard input.")],
    folder: Folder = DEFAULT_FOLDER,
    as_json: AlwaysJson = False,
) -> None:
    """Run a function of template.yml on an event and print its answer."""
    payload = read_input(event)
    settings = environment(folder)
    with told_plainly(function), functions_log_to(sys.stderr), as_environment(settings):
        # The context's word goes before the settings'; here, they are all there is.
        runner = InProcessRunner(
            read_template(TEMPLATE),
            region=settings.get("LEDGER_REGION") or REGION,
            account_id=settings.get("LEDGER_USER_ID") or USER_ID,
        )
        try:
            answer = runner.invoke(function, payload)
        except InvocationError as error:
            complain(f"{event}: {error}", Exit.LATER)
    sys.stdout.buffer.write(answer + b"\n")
