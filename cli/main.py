"""The command line: every command is a function of its own module, joined here."""

from __future__ import annotations

import logging
import sys
from typing import Annotated

import typer

from cli import (
    comparing,
    console,
    costing,
    delivering,
    demo,
    deploying,
    evidence,
    explaining,
    exporting,
    holding,
    importing,
    initializing,
    intervening,
    invoking,
    linting,
    listing,
    looking,
    migrating,
    packaging,
    reading,
    rechecking,
    reconciling,
    redelivering,
    redriving,
    replaying,
    report_job,
    reporting,
    serving,
    settling,
    tracking,
    unmapped,
)
from cli.terminal import EXIT_STATUSES
from shared.toolkit import configure_logging

app = typer.Typer(
    name="media-ledger",
    help="Every media job on Alibaba Cloud, accounted for.",
    epilog=EXIT_STATUSES,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    demo.demo,
    initializing.init,
    tracking.track,
    settling.settle,
    reconciling.reconcile,
    listing.jobs,
    looking.show,
    looking.at,
    explaining.explain,
    reporting.report,
    report_job.report_job,
    comparing.compare,
    exporting.export,
    rechecking.recheck,
    unmapped.unmapped,
    delivering.rules,
    redelivering.redeliver,
    redriving.redrive,
    replaying.replay,
    migrating.migrate,
    intervening.release,
    intervening.retry,
    intervening.acknowledge,
    evidence.evidence,
    holding.hold,
    holding.release_hold,
    reading.parse_event,
    reading.normalize,
    invoking.invoke,
    linting.lint_template,
    packaging.package,
    deploying.deploy,
    costing.cost,
    serving.serve,
    console.console,
):
    app.command(epilog=EXIT_STATUSES)(command)
app.command("import", epilog=EXIT_STATUSES)(importing.import_answers)


@app.callback()
def options(
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Write the functions' log lines to standard error.")
    ] = False,
) -> None:
    """Set up what all commands share."""
    if verbose:
        configure_logging(level=logging.DEBUG, stream=sys.stderr)
    else:
        # Commands say what went wrong themselves; without this, Python would print it once more.
        logging.getLogger().addHandler(logging.NullHandler())


def main() -> None:
    """Run the command line."""
    app()
