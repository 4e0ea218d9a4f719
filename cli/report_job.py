"""`report-job`: one job as one HTML file that stands by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.local_ledger import DEFAULT_FOLDER, Folder, environment, find_job, opened
from cli.looking import Job
from cli.terminal import AsJson, Exit, complain, err, print_json, told_plainly
from shared.job_views import view_whole_job
from shared.pages.report import render_report
from shared.pages.words import LANGUAGES, language

_MEGABYTE = 1_000_000


def report_job(
    name: Job,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where to write it.")],
    lang: Annotated[
        str, typer.Option(help=f"The language of the report: {', '.join(LANGUAGES)}.")
    ] = LANGUAGES[0],
    pictures: Annotated[
        int, typer.Option(min=0, max=500, help="Most megabytes of pictures in it; others are only named.")
    ] = 20,
    folder: Folder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Write all that is known of one job into one HTML file, with its pictures; it loads nothing."""
    if lang not in LANGUAGES:
        complain(f"unknown language {lang}: known are {', '.join(LANGUAGES)}", Exit.WRONG_USE)
    with told_plainly(name), opened(environment(folder), must_exist=folder) as services:
        view = view_whole_job(services, find_job(services, name), picture_bytes=pictures * _MEGABYTE)
        page = render_report(view, language(None, lang), services.clock.now()).encode()
    try:
        output.write_bytes(page)
    except OSError as error:
        complain(f"{output}: {error.strerror or error}", Exit.WRONG_USE)
    told = {"file": str(output), "bytes": len(page), "pictures": len(view.pictures)}
    if as_json:
        print_json(told)
    else:
        err().print("{file}: {bytes:,} bytes, {pictures} pictures in it".format(**told), markup=False)
