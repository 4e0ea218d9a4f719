"""`invoke`: run a deployed function on an event, here."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.demonstration import TEMPLATE
from cli.local_ledger import DEFAULT_FOLDER, Folder, as_environment, environment
from cli.terminal import Exit, complain, functions_log_to, read_input, told_plainly
from localcloud.runner import InProcessRunner, InvocationError
from localcloud.template import read_template


def invoke(
    function: Annotated[str, typer.Argument(help="A function of template.yml, such as callback.")],
    event: Annotated[str, typer.Option("--event", "-e", help="The event's file; - reads standard input.")],
    folder: Folder = DEFAULT_FOLDER,
) -> None:
    """Run a function of template.yml on an event and print its answer."""
    payload = read_input(event)
    with told_plainly(function), functions_log_to(sys.stderr), as_environment(environment(folder)):
        runner = InProcessRunner(read_template(TEMPLATE))
        try:
            answer = runner.invoke(function, payload)
        except InvocationError as error:
            complain(f"{event}: {error}", Exit.LATER)
    sys.stdout.buffer.write(answer + b"\n")
