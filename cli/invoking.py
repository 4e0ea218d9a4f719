"""`invoke`: run a deployed function on an event, here."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Annotated

import typer

from cli.demo_vendor import REGION, USER_ID
from cli.demonstration import ROOT, TEMPLATE
from cli.local_ledger import DEFAULT_FOLDER, Folder, environment
from cli.terminal import AlwaysJson, Exit, complain, err, read_input, told_plainly
from localcloud.fc.functions import LocalFunctions
from localcloud.fc.log_lines import lines_to
from localcloud.runner import InvocationError, function_of
from localcloud.template import Template, read_template


def invoke(
    function: Annotated[str, typer.Argument(help="A function of template.yml, such as callback.")],
    event: Annotated[str, typer.Option("--event", "-e", help="The event's file; - reads standard input.")],
    folder: Folder = DEFAULT_FOLDER,
    as_json: AlwaysJson = False,
) -> None:
    """Run a function of template.yml on an event, in a process as on Function Compute.

    Standard output is what Function Compute answers, standard error the function's log. The function has this
    shell's settings and no others: where none says else, what it hands to other functions is left alone.
    Exit status 3, and the platform's error as the answer, when the function fails.
    """
    payload = read_input(event)
    with told_plainly(function):
        template = read_template(TEMPLATE)
        spec = function_of(template, function)
        settings = environment(folder)
        functions = LocalFunctions(
            template,
            {**_unset(template), **settings},
            code=ROOT,
            # The context's word goes before the settings'; here, they are all there is.
            region=settings.get("LEDGER_REGION") or REGION,
            account_id=settings.get("LEDGER_USER_ID") or USER_ID,
            log=lines_to(sys.stderr, with_name=False),
        )
        began = time.monotonic()
        with functions:
            try:
                answer, failure = functions.invoke(function, payload), None
            except InvocationError as error:
                answer, failure = error.body, error
            duration = 1_000 * (time.monotonic() - began)
            peak_mb = functions.figures()[function].peak_mb
    err().print(f"{duration:.0f} ms with the start of its process, {peak_mb} of {spec.memory} MB")
    sys.stdout.buffer.write(answer + b"\n")
    if failure:
        complain(f"{event}: {failure}", Exit.LATER)


def _unset(template: Template) -> Mapping[str, str]:
    """Take away what the template says of places in the cloud: none of them is to be reached from here."""
    return {name: "" for one in template.functions.values() for name in one.environment}
